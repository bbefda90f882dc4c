/* SPDX-License-Identifier: MIT */
/*
 * The ladder of exercise 13: its reference solution reaches the top, and with a
 * mistake planted into it comes as far as the rung that is about the mistake,
 * which says so in words of its own.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(ladder, .timeout = 400);

#define LESSON    "lessons/13-your-jit"
#define REFERENCE "tests/lessons/13-your-jit.c"

/* lock or qword [rsp-8], 0: changes nothing, and waits for all stores before, so
 * that it takes as long as many instructions, whatever the CPU */
#define SLOW "\"\\xf0\\x48\\x83\\x4c\\x24\\xf8\\x00\" "

enum { RUNGS = 17 };

/* A part of the reference solution, what stands there instead, the rung that
 * must not hold, and a part of what is said. */
static const struct plant {
    int rung;
    const char *from, *to, *says;
} plants[] = {
    {1, "\"\\x58\\xc3\"); /* pop rax; ret */", "\"\\x58\");",
     "was ended by signal 11"},
    {1,
     "EMIT(c, \"\\x48\\xb8\"); /* mov rax, imm64 */\n    emit_number(c, "
     "strtoll(c->text, (char **)&c->text, 10), 8);\n    EMIT(c, \"\\x50\"); /* "
     "push rax */",
     "EMIT(c, \"\\x6a\"); emit_number(c, strtoll(c->text, (char **)&c->text, "
     "10), 1);",
     "in 8 bits with a sign that is what 200 looks like"},
    {1, "0 : c.len;\n}\n\n/*", "0 : c.len - 1;\n}\n\n/*",
     "compile() returned 12, but stored byte 12 too, 0xc3"},
    {1, "size_t compile(", "static size_t compile_it(",
     "There is no function compile() in my.c yet"},
    {1, "operand(c);\n    for (;;) {\n        if (take(c, \"*\"))",
     "for (;;) operand(c);\n    for (;;) {\n        if (take(c, \"*\"))",
     "The compiler ran for 3 seconds and was ended"},
    {2,
     "\"\\x48\\xb8\"); /* mov rax, imm64 */\n    emit_number(c, "
     "strtoll(c->text, (char **)&c->text, 10), 8)",
     "\"\\x48\\xc7\\xc0\");\n    emit_number(c, strtoll(c->text, (char "
     "**)&c->text, 10), 4)",
     "an imm32 reaches to 2147483647 and was sign-extended"},
    {2, "c->text += strspn(c->text, \" \\t\\n\");", "(void)c;",
     "compile() returned 0, which says that this is no program"},
    {2, "strspn(c->text, \" \\t\\n\")", "strspn(c->text, \" \")",
     "compile() returned 0, which says that this is no program"},
    {3, "\"\\x59\\x58\"", "\"\\x58\\x59\"",
     "that is 5-7: which operand is popped first?"},
    {3, "\"\\x48\\x01\\xc8\\x50\"", "\"\\x01\\xc8\\x50\"",
     "only the lower 32 bits are right; is there a REX.W"},
    {3, "\"\\x48\\x01\\xc8\\x50\"", "\"\\x48\\x01\\xc8\"",
     "more was popped than pushed"},
    {3, "-\")) {\n            product(c)", "-\")) {\n            sum(c)",
     "that is 10-(2-3)"},
    {3, "\"\\x59\\x58\"", "\"\\x5b\\x58\\x48\\x89\\xd9\"",
     "rbx was 0x5bb at the entry"},
    {4, "operand(c);\n        EMIT(c, \"\\x48\\xf7",
     "comparison(c);\n        EMIT(c, \"\\x48\\xf7", "that is -(3+10)"},
    {4, "need(c, \"(\");\n        comparison(c)",
     "need(c, \"(\");\n        operand(c)", "compile() returned 0, which"},
    {4, "*\")) {\n            operand(c)", "*\")) {\n            comparison(c)",
     "that is 2*(3+4)"},
    {5, "\"\\x48\\x99\\x48\\xf7\\xf9\\x50\"", "\"\\x48\\xf7\\xf9\\x50\"",
     "rdx must be the sign of rax"},
    {5, "\"\\x48\\x99\\x48\\xf7\\xf9\\x52\"",
     "\"\\x48\\x99\\x48\\xf7\\xf9\\x50\"", "that is the quotient"},
    {6,
     "EMIT(c, \"\\xff\\xb7\"); /* push qword [rdi+disp32] */\n        "
     "emit_number(c, (*c->text++ - 'a') * 8, 4);",
     "EMIT(c, \"\\xff\\x77\");\n        emit_number(c, (*c->text++ - 'a') * 8, "
     "1);",
     "which a disp8 does not reach"},
    {6, "(*c->text++ - 'a') * 8", "*c->text++ - 'a'",
     "b is the 8 bytes behind a"},
    {7, "'\\x9c'", "'\\x92'", "setb and seta do not"},
    {7, "\"\\xc0\\x0f\\xb6\\xc0\\x50\"", "\"\\xc0\\x50\"", "It gave "},
    {7, "\"\\x48\\x39\\xc8\\x0f\"", "\"\\x39\\xc8\\x0f\"",
     "the lower 32 bits were compared"},
    {8, "c.wrong || *c.text ? 0 : c.len;\n}\n\n/*",
     "c.wrong ? 0 : c.len;\n}\n\n/*", "there is a parenthesis too many"},
    {8, "c->wrong || c->room - c->len < count", "c->wrong",
     "With room for 16 bytes compile() returned 187"},
    {9, "need(c, \";\");", "take(c, \";\");", "a ; is missing"},
    {9, "EMIT(c, \"\\x8f\\x87\"); /* pop qword [rdi+disp32] */",
     "EMIT(c, \"\\x58\\x89\\x87\");",
     "The variable a is 410065408 afterwards, not 9000000000"},
    {10, "\"\\x58\\x48\\x85\\xc0\\x0f\\x84\"", "\"\\x58\\x85\\xc0\\x0f\\x84\"",
     "all 64 bits count"},
    {10, "    to_end = emit_hole(c);\n    fill(c, to_else, c->len);",
     "    to_end = emit_hole(c);\n    fill(c, to_else, c->len);\n    fill(c, "
     "to_end, c->len); to_end = to_else;",
     "the block behind else is run if the value is 0"},
    {10, "int32_t distance = (int32_t)((", "int32_t distance = (int8_t)((",
     "a block may be longer than a rel8 reaches"},
    {11,
     "fill(c, emit_hole(c), top);\n    fill(c, to_end, c->len);\n}\n\nstatic "
     "void assignment",
     "fill(c, emit_hole(c), top + 1);\n    fill(c, to_end, "
     "c->len);\n}\n\nstatic void assignment",
     "was ended by signal"},
    {11,
     "fill(c, emit_hole(c), top);\n    fill(c, to_end, c->len);\n}\n\nstatic "
     "void assignment",
     "emit_hole(c);\n    fill(c, to_end, c->len);\n}\n\nstatic void assignment",
     "a jump back is missing"},
    {12, "if (take(c, \"%\")) {\n",
     "if (take(c, \"%8\")) {\n EMIT(c, \"\\x58\\x48\\x83\\xe0\\x07\\x50\");\n "
     "} else if (take(c, \"%\")) {\n",
     "a program made at random"},
    {13, "\"\\x80\\x03\"", "\"\\x83\\x03\"", "and none beside it"},
    {13, "\"\\x41\\x5d\\x41\\x5c\\x5b\\xc3\"", "\"\\x41\\x5d\\x41\\x5c\\xc3\"",
     "was ended by signal"},
    {13, "size_t compile_bf(", "static size_t compile_other(",
     "There is no function compile_bf() in my.c yet"},
    {14, "else\n        c->wrong = true;\n    EMIT", "\n    EMIT",
     "the bracket is not closed"},
    {14, "\"\\x80\\x3b\\x00\\x0f\\x84\"", "\"\\x80\\x3b\\x01\\x0f\\x84\"",
     "as long as the cell is not 0"},
    {15, "\"\\x0f\\xb6\\x3b\\x41", "\"\\x0f\\xbe\\x3b\\x41", "movzx edi"},
    {15, "\\x0f\\xb6\\x3b\\x41\\xff\\xd4\"",
     "\\x50\\x0f\\xb6\\x3b\\x41\\xff\\xd4\\x58\"", "rsp was no multiple of 16"},
    {15, "\"\\x41\\xff\\xd5\\x88\\x03\"", "\"\\x41\\xff\\xd5\\x88\\x07\"",
     "was ended by signal"},
    {16, "    case '<':\n", "    case '<':\n EMIT(c, " SLOW SLOW ");\n",
     "The code is not faster than the interpreter"},
    {17, "optimize && (*c->text == up", "0 && (*c->text == up",
     "must get by with half of the instructions"},
    {17, "strncmp(c->text, \"[-]\", 3)", "strncmp(c->text, \"[-\", 2)",
     "compile_bf() returned 0"},
};

/* The check, compiled once for all of them. */
static const char *checks;

static void compile_checks(void)
{
    char command[1024];

    checks = scratch(".check.o");
    snprintf(command, sizeof command,
             "set -e; for file in " LESSON "/check*.c; do gcc -std=gnu11 -g -c "
             "-o %s.$(basename $file .c).o $file; done; ld -r -o %s %s.*.o; "
             "rm %s.*.o",
             checks, checks, checks, checks);
    cr_assert(eq(int, system(command), 0), "%s", command);
}

static void remove_checks(void)
{
    unlink(checks);
}

/* The reference solution with the mistake. */
static void write_planted(const struct plant *plant, const char *name)
{
    struct buf reference = {0}, mine = {0};
    const char *text, *at;

    read_file(REFERENCE, &reference);
    text = buf_text(&reference);
    at = strstr(text, plant->from);
    cr_assert(ne(ptr, (void *)at, NULL), "%s", plant->from);
    cr_assert(lacks(at + 1, plant->from), "%s", plant->from);
    buf_append(&mine, text, (size_t)(at - text));
    buf_append_text(&mine, plant->to);
    buf_append_text(&mine, at + strlen(plant->from));
    write_file(name, mine.data, mine.len, 0644);
    buf_release(&reference);
    buf_release(&mine);
}

/* Compiles the file with the check and climbs, or tries the rung. */
static void climb(const char *file, const char *rung, struct result *result)
{
    const char *program = scratch("");
    char beside[512];

    run(&(struct job){.argv = ARGS("gcc", "-std=gnu11", "-g", "-w", "-o",
                                   program, file, checks)},
        result);
    cr_assert(eq(int, result->status, 0), "%s", buf_text(&result->err));
    result_release(result);
    run(&(struct job){.argv = ARGS(program, rung ? "--rung" : NULL, rung),
                      .seconds = 120},
        result);
    unlink(program);
    snprintf(beside, sizeof beside, "%s.case", program);
    unlink(beside);
    snprintf(beside, sizeof beside, "%s.rung", program);
    unlink(beside);
}

/* Lines are broken where they are full: blanks count as newlines do. */
static void expect_said(struct result *result, const char *says)
{
    char *out = (char *)buf_text(&result->out);

    for (char *at = out; *at; at++)
        if (*at == '\n')
            *at = ' ';
    cr_assert(contains(out, says), "%s", out);
}

static void expect_stop(const struct plant *plant)
{
    const char *mine = scratch(".c");
    char rung[32], next[32];
    struct result result;

    write_planted(plant, mine);
    climb(mine, NULL, &result);
    snprintf(rung, sizeof rung, "rung %d of %d: ", plant->rung, RUNGS);
    snprintf(next, sizeof next, "rung %d of %d: ", plant->rung + 1, RUNGS);
    cr_assert(ne(int, result.status, 0), "%s", plant->to);
    expect_said(&result, rung);
    expect_said(&result, plant->says);
    cr_assert(lacks(buf_text(&result.out), next), "%s: %s", plant->to,
              buf_text(&result.out));
    result_release(&result);
    unlink(mine);
}

struct number {
    int rung;
};

ParameterizedTestParameters(ladder, stops_at)
{
    static struct number numbers[RUNGS];

    for (int i = 0; i < RUNGS; i++)
        numbers[i].rung = i + 1;
    return cr_make_param_array(struct number, numbers, RUNGS);
}

/* All mistakes for one rung; each rung has at least one. */
ParameterizedTest(struct number *number, ladder, stops_at,
                  .init = compile_checks, .fini = remove_checks)
{
    int count = 0;

    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        if (plants[i].rung != number->rung)
            continue;
        expect_stop(&plants[i]);
        count++;
    }
    cr_assert(ge(int, count, 1), "rung %d", number->rung);
}

Test(ladder, the_reference_climbs_it, .init = compile_checks,
     .fini = remove_checks)
{
    struct result result;

    climb(REFERENCE, NULL, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    expect_said(&result, "times as fast");
    expect_said(&result, "times fewer");
    result_release(&result);
}

Test(ladder, a_rung_alone, .init = compile_checks, .fini = remove_checks)
{
    static const char *const wrong[] = {"0", "18", "-1", "x", ""};
    struct result result;

    climb(REFERENCE, "4", &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(str, (char *)buf_text(&result.out),
                 "rung 4 of 17: *, a minus sign, parentheses\n"));
    result_release(&result);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        climb(REFERENCE, wrong[i], &result);
        cr_assert(eq(int, result.status, 64), "%s", wrong[i]);
        result_release(&result);
    }
}

/* The words behind "To see it:" show the case that failed, and only that. */
Test(ladder, a_case_is_shown_alone, .init = compile_checks,
     .fini = remove_checks)
{
    const char *program = scratch("");
    struct result result;

    run(&(struct job){.argv = ARGS("gcc", "-std=gnu11", "-g", "-w", "-o",
                                   program, REFERENCE, checks)},
        &result);
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "--", program, "a-b", "a=5 b=7")},
        &result);
    cr_assert(contains(buf_text(&result.out), "rax = 5 - 7 = -2"), "%s",
              buf_text(&result.out));
    cr_assert(contains(buf_text(&result.out), "13-your-jit.c:"));
    result_release(&result);
    run(&(struct job){.argv = ARGS(program, "--bf", LESSON "/primes.bf", "\n")},
        &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), "002\n003\n005\n007\n"));
    result_release(&result);
    run(&(struct job){.argv = ARGS(program, "--bf-fast", ",[.,]", "hello")},
        &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), "hello"));
    result_release(&result);
    run(&(struct job){.argv = ARGS(program, "1", "A=5")}, &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(contains(buf_text(&result.err), "sets no variable; a=5 does"));
    result_release(&result);
    unlink(program);
}
