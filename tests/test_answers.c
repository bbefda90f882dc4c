/* SPDX-License-Identifier: MIT */
/*
 * Answers to exercises that learners may give, right ones that differ from the
 * solution and wrong ones, and what the check says of them. What exercise.sh
 * adds is in test_exercises.c.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

TestSuite(answers, .timeout = 120);

struct answer {
    const char *code; /* for the gap */
    const char *says; /* a part of what the check prints */
};

/* Writes the exercise with the code in its gap. */
static void fill_gap(const char *lesson, const char *code, const char *name)
{
    struct buf exercise = {0}, mine = {0};
    const char *text, *gap;
    char path[256];

    snprintf(path, sizeof path, "lessons/%s/exercise.c", lesson);
    read_file(path, &exercise);
    text = buf_text(&exercise);
    gap = strstr(text, "/* Your turn");
    cr_assert(ne(ptr, (void *)gap, NULL), "%s", lesson);
    buf_append(&mine, text, (size_t)(gap - text));
    buf_append_text(&mine, code);
    buf_append_text(&mine, strstr(gap, "*/") + 2);
    write_file(name, mine.data, mine.len, 0644);
    buf_release(&exercise);
    buf_release(&mine);
}

/* The check must end so and say so. */
static void expect_verdict(const char *lesson, const struct answer *answer,
                           int status)
{
    const char *mine = scratch(".c"), *program = scratch("");
    struct result result;
    char check[256];

    snprintf(check, sizeof check, "lessons/%s/check.c", lesson);
    fill_gap(lesson, answer->code, mine);
    run(&(struct job){.argv = ARGS("gcc", "-std=gnu11", "-g", "-O0", "-w", "-o",
                                   program, mine, check)},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    result_release(&result);
    run(&(struct job){.argv = ARGS(program)}, &result);
    cr_assert(eq(int, result.status, status), "%s: %s\n%s", lesson,
              answer->code, buf_text(&result.out));
    cr_assert(ne(ptr, strstr(buf_text(&result.out), answer->says), NULL),
              "%s: %s\n%s", lesson, answer->code, buf_text(&result.out));
    result_release(&result);
    unlink(mine);
    unlink(program);
}

static void expect_refused(const char *lesson, const struct answer *answers,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_verdict(lesson, &answers[i], 1);
}

static void expect_passed(const char *lesson, const struct answer *answers,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_verdict(lesson, &answers[i], 0);
}

#define ALL(table) table, sizeof(table) / sizeof *(table)

/* --- 05: int64_t distance(int64_t from, int32_t to) ---------------------- */

#define CODE(bytes) \
    "__builtin_memcpy(code, \"" bytes "\", sizeof \"" bytes "\");"

Test(answers, call)
{
    static const struct answer wrong[] = {
        /* ret */
        {CODE("\\xc3"), "the result goes into rax"},
        /* mov rax, rsi; sub rax, rdi; ret */
        {CODE("\\x48\\x89\\xf0\\x48\\x29\\xf8\\xc3"),
         "the upper half of rsi was taken for a part of to"},
        /* mov eax, esi; sub rax, rdi; ret */
        {CODE("\\x89\\xf0\\x48\\x29\\xf8\\xc3"),
         "the upper half of to became 0"},
        /* mov rax, rdi; sub rax, rsi; ret */
        {CODE("\\x48\\x89\\xf8\\x48\\x29\\xf0\\xc3"), "that is from - to"},
        /* mov eax, esi; sub eax, edi; ret */
        {CODE("\\x89\\xf0\\x29\\xf8\\xc3"), "right in the lower 32 bits"},
        /* movsxd rax, esi; ret */
        {CODE("\\x48\\x63\\xc6\\xc3"), "from was not subtracted"},
        /* movsxd rax, esi; add rax, rdi; ret */
        {CODE("\\x48\\x63\\xc6\\x48\\x01\\xf8\\xc3"), "that is the sum"},
    };
    /* mov eax, esi; cdqe; sub rax, rdi; ret */
    static const struct answer right[] = {
        {CODE("\\x89\\xf0\\x48\\x98\\x48\\x29\\xf8\\xc3"),
         "to - from is right"},
    };

    expect_refused("05-call", ALL(wrong));
    expect_passed("05-call", ALL(right));
}

/* --- 07: the shorter lea where it is enough ------------------------------ */

#define SHORT_IF(condition)                                     \
    "if (" condition ") { code[0] = 0x48; code[1] = 0x8d; "     \
    "code[2] = 0x47; code[3] = (uint8_t)disp; code[4] = 0xc3; " \
    "return 5; }"

Test(answers, smaller)
{
    static const struct answer wrong[] = {
        {"", "encode(code, 1) returned 8, not 5"},
        {SHORT_IF("term < 256"), "0x80, it would be -128"},
        {SHORT_IF("term <= 127"), "0x7f, it would be 127"},
        {SHORT_IF("disp < 128"), "-1 fits into 8 bits"},
        {SHORT_IF("term > -128 && term < 127"), "127 fits into 8 bits"},
        {"if (term == (int8_t)term) { code[0] = 0x8d; code[1] = 0x47; "
         "code[2] = (uint8_t)disp; code[3] = 0xc3; return 4; }",
         "without REX.W"},
        {"if (term == (int8_t)term) { code[0] = 0x48; code[1] = 0x8d; "
         "code[2] = 0x47; code[3] = (uint8_t)disp; return 4; }",
         "does the ret count?"},
        {"if (term == (int8_t)term) { code[0] = 0x48; code[1] = 0x8d; "
         "code[2] = 0x87; code[3] = (uint8_t)disp; code[4] = 0xc3; return 5; }",
         "byte 2 is 0x87; the ModRM byte is the long form's but for mod"},
        {"code[8] = 0; " SHORT_IF("term == (int8_t)term"),
         "but it also stored byte 8"},
    };
    static const struct answer right[] = {
        {SHORT_IF("term == (int8_t)term"), "x + TERM is right"},
    };

    expect_refused("07-smaller", ALL(wrong));
    expect_passed("07-smaller", ALL(right));
}

/* --- 08: a minus sign in front of an operand ----------------------------- */

#define MINUS "} else if (*c->text == '-') { c->text++; "
#define POP   "EMIT(c, 0x58); "
#define NEG   "EMIT(c, 0x48, 0xf7, 0xd8); "
#define PUSH  "EMIT(c, 0x50); "

Test(answers, expressions)
{
    static const struct answer wrong[] = {
        {"", "-x was not compiled"},
        {MINUS "operand(c);", "-x for x = 3 is 3, not -3"},
        {MINUS "operand(c);" NEG, "the value on top of the stack"},
        {MINUS "operand(c);" POP NEG, "more was popped than pushed"},
        {MINUS "operand(c);" POP "EMIT(c, 0xf7, 0xd8);" PUSH,
         "is there a REX.W?"},
        {MINUS "operand(c);" POP "EMIT(c, 0x48, 0xf7, 0xd0);" PUSH,
         "-x for x = 3 is -4, not -3"},
        {MINUS "sum(c);" POP NEG PUSH, "-x+10 for x = 3 is -13, not 7"},
    };
    /* neg qword [rsp], and 0 - the operand */
    static const struct answer right[] = {
        {MINUS "operand(c); EMIT(c, 0x48, 0xf7, 0x1c, 0x24);", "are right"},
        {MINUS "EMIT(c, 0x6a, 0); operand(c);"
               "EMIT(c, 0x59, 0x58, 0x48, 0x29, 0xc8, 0x50);",
         "are right"},
    };

    expect_refused("08-expressions", ALL(wrong));
    expect_passed("08-expressions", ALL(right));
}

/* --- the compiler of lesson 08 ------------------------------------------- */

Test(answers, of_the_compiler)
{
    static const struct {
        const char *expression, *x, *value;
    } all[] = {
        {"x*2+1", "3", "7"},
        {"1+x*2", "3", "7"},
        {"(1+x)*2", "3", "8"},
        {"1-2-3", "0", "-4"},
        {"1-(2-3)", "0", "2"},
        {"5-(2-x)*3", "3", "8"},
        {"((x))", "-9223372036854775808", "-9223372036854775808"},
        {"2147483647*x", "3", "6442450941"},
    };
    static const struct {
        const char *expression, *x, *complaint;
    } bad[] = {
        {"", "1", "a parenthesis expected at the end"},
        {"1+", "1", "a parenthesis expected at the end"},
        {"*2", "1", "a parenthesis expected at *2"},
        {"(1", "1", "a closing parenthesis expected at the end"},
        {"1)", "1", "an operator expected at )"},
        {"1 +2", "1", "an operator expected at  +2"},
        {"2147483648", "1", "at most 2147483647 expected at 2147483648"},
        {"x", "one", "'one' is no number for x"},
        {"x", "9223372036854775808", "is no number for x"},
    };
    const char *program = BUILD_DIR "/lessons/08-expressions/expressions";
    struct result result;
    char line[128];

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        run(&(struct job){.argv = ARGS(program, all[i].expression, all[i].x)},
            &result);
        snprintf(line, sizeof line, "%s = %s for x = %s\n", all[i].expression,
                 all[i].value, all[i].x);
        cr_assert(eq(str, (char *)buf_text(&result.out), line));
        cr_assert(eq(int, result.status, 0));
        result_release(&result);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        run(&(struct job){.argv = ARGS(program, bad[i].expression, bad[i].x)},
            &result);
        cr_assert(
            ne(ptr, strstr(buf_text(&result.err), bad[i].complaint), NULL),
            "%s", buf_text(&result.err));
        cr_assert(ne(int, result.status, 0));
        result_release(&result);
    }
}

/* The longest expression fits into the page; the next one is refused. */
Test(answers, of_the_compiler_to_long_ones)
{
    const char *program = BUILD_DIR "/lessons/08-expressions/expressions";
    char expression[502];
    struct result result;

    for (size_t i = 0; i < 499; i++)
        expression[i] = i % 2 ? '*' : '1';
    expression[499] = 0;
    run(&(struct job){.argv = ARGS(program, expression, "1")}, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(ne(ptr, strstr(buf_text(&result.out), " = 1 for x = 1"), NULL));
    result_release(&result);
    memset(expression, '(', 501);
    expression[501] = 0;
    run(&(struct job){.argv = ARGS(program, expression, "1")}, &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(ne(ptr, strstr(buf_text(&result.err), "at most 500"), NULL));
    result_release(&result);
}
