/* SPDX-License-Identifier: MIT */
/*
 * `--step --predict`: questions before events, answers that are judged, a
 * score; and the sheets of questions and of answers.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/support.h"
#include "support/terminal.h"
#include "tell/question.h"

TestSuite(predict, .timeout = 60);

static void expect(const char *const *argv, const char *script,
                   const char *const *parts)
{
    struct result result;

    run_typing(&(struct job){.argv = argv}, script, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    expect_in_order(&result.out, parts);
    result_release(&result);
}

#define STEP(...) ARGS(JITTRACE, "--step", "--plain", "--predict", __VA_ARGS__)

Test(predict, asks_for_bytes_and_registers)
{
    expect(STEP("-4"), "g 4\n\n0xfc\n\n-1\n\n254\n\n\nq\n",
           ARGS("code[3], byte 1 of 4 of imm32 for mov?\n",
                "code[0..2] = 48 c7 c0; the program is babyjit -4",
                "predict> 0xfc\nright: 0xfc (1 of 1 right)\nevent 5, ",
                "right: 0xff (2 of 2 right)\nevent 6, ",
                "predict> 254\nno: 0xff (2 of 3 right)\nevent 7, ",
                "predict> \nnot answered: 0xff (2 of 3 right)\nevent 8, ",
                "2 of 3 right\n"));
    expect(STEP("-4"), "g 14\n\n0xfffffffffffffffc\n\nabc?\n-1\nq\n",
           ARGS("rax after mov rax, -4?\n", "right: 0xfffffffffffffffc = -4",
                "rax after add rax, rdi?\n    rax = -4, rdi = 3\n",
                "a number, as 12, -4 or 0x1f, please\npredict> -1\n",
                "right: 0xffffffffffffffff = -1 (2 of 2 right)\n"));
}

Test(predict, asks_for_flags_branches_and_targets)
{
    static const char *const parts[] = {
        "eax after xor eax, eax?\n",
        "right: 0x0 = 0",
        "ZF after test rdi, rdi, 0 or 1?",
        "    rdi = 5\n",
        "no: 0",
        "does jz at code[5] jump?\n",
        "right: no, it goes on",
        "rax after add rax, rdi?\n",
        "jmp at code[18], bytes eb ee, leads to code[?]\n",
        "right: code[2]",
        "3 of 5 right\n",
        NULL};

    expect(STEP("--lesson", "loops", "5"),
           "call\n\n0\n\n1\n\nno\n\n\n\n10\n\ncode[2]\nq\n", parts);
}

/* Who knows the arguments of the program does not know the 1 of sub rdi, 1;
 * and 77 where that stands within a word. */
Test(predict, asks_for_bytes_of_known_numbers)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=questions", "--lesson",
                                   "loops", "5")},
        &result);
    cr_assert(lacks(buf_text(&result.out), "byte 1 of"), "%s",
              buf_text(&result.out));
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "--format=questions", "--lesson",
                                   "expressions", "x*77+300", "3")},
        &result);
    cr_assert(contains(buf_text(&result.out), "; the program is expressions "
                                              "x*77+300 3"),
              "%s", buf_text(&result.out));
    result_release(&result);
}

/* What comes next could be the answer: "Next: jmp code[2]". */
Test(predict, does_not_tell_before)
{
    struct result result;

    run_typing(&(struct job){.argv = STEP("--lesson", "loops", "5")}, "call\n",
               &result);
    cr_assert(lacks(buf_text(&result.out), "Next: "), "%s",
              buf_text(&result.out));
    result_release(&result);
}

/* What was shown before is not asked again, nor what other commands lead to. */
Test(predict, asks_only_what_comes_next)
{
    struct result result;

    run_typing(&(struct job){.argv = STEP("-4")},
               "g 4\n\n0xfc\nb\n\nc\ng 15\nb\nrun\nq\n", &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), "1 of 1 right\n"));
    cr_assert(eq(ptr,
                 (void *)strstr(strstr(buf_text(&result.out), "predict>") + 1,
                                "predict>"),
                 NULL),
              "%s", buf_text(&result.out));
    result_release(&result);
}

/* The end of the input ends the questions, too, and not the trace. */
Test(predict, goes_on_when_nobody_answers)
{
    expect(STEP("-4"), "g 4\n\n0xfc\n\n",
           ARGS("code[4], byte 2 of 4", "predict> \n", "event 6, ",
                "event 31, ", "1 of 1 right\n"));
}

Test(predict, works_on_a_recording)
{
    const char *file = scratch(".jsonl");
    struct result result;

    run(&(struct job){.argv =
                          ARGS(JITTRACE, "--format=json", "-o", file, "-4")},
        &result);
    result_release(&result);
    expect(STEP("--replay", file), "g 14\n\n-4\nq\n",
           ARGS("rax after mov rax, -4?", "1 of 1 right"));
    expect(ARGS(JITTRACE, "--format=questions", "--replay", file), "",
           ARGS("1.   code[3], byte 1 of 4", "2.   rax after mov rax, -4?\n",
                "3.   rax after add rax, rdi?\n     rax = -4, rdi = 3\n",
                "4.   rax after add rax, rdi?\n     rax = -4, rdi = 2\n"));
    expect(ARGS(JITTRACE, "--format=answers", "--replay", file), "",
           ARGS("1.   event 5: 0xfc\n", "2.   event 15: 0xfffffffffffffffc",
                "3.   event 16: 0xffffffffffffffff = -1\n",
                "4.   event 21: 0xfffffffffffffffe = -2\n"));
    unlink(file);
}

Test(predict, is_refused_where_it_means_nothing)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--predict", "-4")}, &result);
    cr_assert(eq(int, result.status, EX_USAGE));
    cr_assert(contains(buf_text(&result.err), "--predict is for --step"));
    result_release(&result);
}

/* On the whole screen the event is not shown before the answer. */
Test(predict, asks_on_the_screen)
{
    struct tty tty;

    tty_start(
        &tty,
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--predict", "-4")}, 24,
        80);
    tty_wait_text(&tty, "1/");
    tty_type(&tty, "g14\r");
    tty_wait_text(&tty, "14/");
    tty_type(&tty, "n");
    tty_wait_text(&tty, "rax after mov rax, -4?");
    cr_assert(eq(int, tty_shows(&tty, "14/"), 1));
    cr_assert(eq(int, tty_shows(&tty, "15/"), 0));
    cr_assert(eq(int, tty_shows(&tty, "Next:"), 0)); /* the answer */
    tty_type(&tty, "x\r");
    tty_wait_text(&tty, "a number, as 12, -4 or 0x1f, please:");
    tty_type(&tty, "-4\r");
    tty_wait_text(&tty, "right: 0xfffffffffffffffc = -4 (1 of 1 right)");
    tty_wait_text(&tty, "15/");
    tty_type(&tty, "n");
    tty_wait_text(&tty, "rax after add rax, rdi?");
    tty_type(&tty, "\033");
    tty_wait_text(&tty, "not answered: 0xffffffffffffffff = -1");
    tty_type(&tty, "q");
    cr_assert(eq(int, tty_wait_end(&tty), 0));
    tty_wait_output(&tty, "1 of 1 right");
    tty_release(&tty);
}

Test(predict, judges_answers)
{
    static const struct {
        struct question question;
        const char *answer;
        enum judgement judgement;
    } cases[] = {
#define RIGHT     JUDGEMENT_RIGHT
#define WRONG     JUDGEMENT_WRONG
#define UNCLEAR   JUDGEMENT_UNCLEAR
#define REG(v, b) {.kind = QUESTION_REGISTER, .value = v, .bits = b}
        {REG(-4u, 32), "-4", RIGHT},
        {REG(-4u, 32), "0xfffffffc", RIGHT},
        {REG(-4u, 32), "fffffffc", RIGHT},
        {REG(-4u, 32), "4294967292", RIGHT},
        {REG(-4u, 32), "0xfffffffffffffffc", RIGHT},
        {REG(-4u, 32), "0x1fffffffc", WRONG},
        {REG(10, 64), "10", RIGHT},
        {REG(10, 64), "0xA", RIGHT},
        {REG(10, 64), "a", RIGHT},
        {REG(10, 64), "+10", RIGHT},
        {REG(10, 64), "-10", WRONG},
        {REG(10, 64), "ten", UNCLEAR},
        {REG(10, 64), "", UNCLEAR},
        {REG(10, 64), "10 11", UNCLEAR},
        {REG(10, 64), "99999999999999999999", UNCLEAR},
        {REG(0x80, 8), "128", RIGHT},
        {REG(0x80, 8), "-128", RIGHT},
        {REG(0x80, 8), "0x180", WRONG},
#define FLAG(v) {.kind = QUESTION_FLAG, .value = v, .bits = 1}
        {FLAG(1), "1", RIGHT},
        {FLAG(1), "0", WRONG},
        {FLAG(0), "no", RIGHT},
        {FLAG(0), "2", UNCLEAR},
#define BRANCH(v) {.kind = QUESTION_BRANCH, .value = v, .bits = 1}
        {BRANCH(1), "Y", RIGHT},
        {BRANCH(0), "yes", WRONG},
        {BRANCH(0), "maybe", UNCLEAR},
#define TARGET {.kind = QUESTION_TARGET, .value = 2, .bits = 64, .base = 0x1000}
        {TARGET, "2", RIGHT},
        {TARGET, "code[2]", RIGHT},
        {TARGET, "code[0x2]", RIGHT},
        {TARGET, "0x1002", RIGHT},
        {TARGET, "code[3]", WRONG},
        {TARGET, "code[2", UNCLEAR},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(eq(int, question_judge(&cases[i].question, cases[i].answer),
                     cases[i].judgement),
                  "%zu: %s", i, cases[i].answer);
}
