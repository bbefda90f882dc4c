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

#include "support/support.h"

TestSuite(answers, .timeout = 120);

struct answer {
    const char *code; /* for the gap */
    const char *says; /* a part of what the check prints */
};

/* Writes the exercise with the code in its gap. */
static void fill_gap(const char *lesson, const char *code, const char *name)
{
    struct buf exercise = {0}, mine = {0};
    const char *text, *gap, *rest;
    char path[256];

    snprintf(path, sizeof path, "lessons/%s/exercise.c", lesson);
    read_file(path, &exercise);
    text = buf_text(&exercise);
    gap = strstr(text, "/* Your turn");
    cr_assert(ne(ptr, (void *)gap, NULL), "%s", lesson);
    buf_append(&mine, text, (size_t)(gap - text));
    buf_append_text(&mine, code);
    /* Outside of functions the gap goes on to the next empty line. */
    rest = strstr(gap, gap[-1] == '\n' ? "\n\n" : "*/");
    cr_assert(ne(ptr, (void *)rest, NULL), "%s", lesson);
    buf_append_text(&mine, rest + 2);
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
    cr_assert(contains(buf_text(&result.out), answer->says), "%s: %s\n%s",
              lesson, answer->code, buf_text(&result.out));
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
        {CODE("\\x48\\x63\\xc6\\xc3"), "nothing was subtracted from rax"},
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

/* --- 06: TERM - x --------------------------------------------------------- */

Test(answers, babyjit)
{
    static const struct answer wrong[] = {
        {"code[7] = 0x48; code[8] = 0x29; code[9] = 0xf8;",
         "byte 10 is 0x00; the function needs a ret"},
        {"code[7] = 0x48; code[8] = 0x2b; code[9] = 0xc7;",
         "byte 10 is 0x00; the function needs a ret"},
        {"code[7] = 0x48; code[8] = 0x2b; code[9] = 0xf8; code[10] = 0xc3;",
         "bytes 7 to 9 are sub rdi, rax, and sub rax, rdi is wanted"},
        {"code[7] = 0x48; code[8] = 0x29; code[9] = 0xc7; code[10] = 0xc3;",
         "bytes 7 to 9 are sub rdi, rax, and sub rax, rdi is wanted"},
        {"code[7] = 0x29; code[8] = 0xf8; code[9] = 0xc3;",
         "bytes 7 to 8 are sub eax, edi"},
        {"code[7] = 0x48; code[8] = 0x01; code[9] = 0xf8; code[10] = 0xc3;",
         "byte 8 is 0x01; that is the opcode of add, and sub has another"},
        {"code[7] = 0x48; code[8] = 0x29;", "byte 9 is 0x00; the ModRM"},
        {"code[7] = 0x4d; code[8] = 0x29; code[9] = 0x39; code[10] = 0xc3;",
         "are sub [r9], r15, and"},
        {"code[7] = 0x48; code[8] = 0x83; code[9] = 0xe8; code[10] = 0x03;",
         "bytes 7 to 10 are sub rax, 3, and"},
        {"code[7] = 0x48; code[8] = 0x29; code[9] = 0x7f; code[10] = 0xc3;",
         "byte 9 is 0x7f; the ModRM byte comes here"},
    };
    static const struct answer right[] = {
        {"code[7] = 0x48; code[8] = 0x2b; code[9] = 0xc7; code[10] = 0xc3;",
         "TERM - x is right"},
    };

    expect_refused("06-babyjit", ALL(wrong));
    expect_passed("06-babyjit", ALL(right));
}

/* --- 07: the shorter lea where it is enough ------------------------------ */

#define SHORT_IF(condition)                                     \
    "if (" condition ") { code[0] = 0x48; code[1] = 0x8d; "     \
    "code[2] = 0x47; code[3] = (uint8_t)disp; code[4] = 0xc3; " \
    "return 5; }"

#define MODRM(byte)                                                 \
    "if (term == (int8_t)term) { code[0] = 0x48; code[1] = 0x8d; "  \
    "code[2] = " byte "; code[3] = (uint8_t)disp; code[4] = 0xc3; " \
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
         "0x87: mod 10, reg 000, rm 111;\nmod 10 says that a disp32 follows"},
        {MODRM("0xc7"), "mod 11 says that rm is a register"},
        {MODRM("0x07"), "mod 00 says that no displacement follows"},
        {MODRM("0x7f"), "reg is the register that is set: rax, 000"},
        {MODRM("0x46"), "rm is the register that the disp8 is added to"},
        {"if (term == (int8_t)term) { code[0] = 0x48; code[1] = 0x8d; "
         "code[2] = 0x47; return 5; }",
         "byte 3 is 0xee, as before: it was not stored;\nthe only byte"},
        {"if (term == (int8_t)term) { code[2] = 0x47; return 8; }",
         "what was stored is the short form"},
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
        {MINUS "operand(c);" NEG,
         "there is neg rax, but the value is in memory, on the stack"},
        {MINUS NEG "operand(c);", "there is neg rax, but the value is in"},
        {MINUS "operand(c);" POP "EMIT(c, 0x48, 0xf7, 0xd9);" PUSH,
         "the value on top of the stack"},
        /* pop rdi; neg rdi; push rdi */
        {MINUS "operand(c); EMIT(c, 0x5f, 0x48, 0xf7, 0xdf, 0x57);",
         "rdi is x, for the next x in the expression, too; the code has made "
         "-3"},
        {MINUS "operand(c);" POP NEG, "more was popped than pushed"},
        {MINUS "operand(c);" POP "EMIT(c, 0xf7, 0xd8);" PUSH,
         "is there a REX.W?"},
        {MINUS "operand(c);" POP "EMIT(c, 0x48, 0xf7, 0xd0);" PUSH,
         "-x for x = 3 is -4, not -3\nnot turns each bit over"},
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

/* --- 09: where a short jump goes ----------------------------------------- */

#define FITS                                                           \
    "{ int64_t d = (int64_t)target - (int64_t)jump; if (d != (int8_t)" \
    "d) return false; }"

Test(answers, loops)
{
    static const struct answer wrong[] = {
        {"", "counted from\nthe jump's first byte"},
        {"target -= 1;", "with that the CPU goes on at code[17]"},
        {"return true;", "rel8 was not stored; it belongs in code[6]"},
        {"target -= 2;", "to code[330] goes 128 bytes from its end"},
        {"target -= 2; if (target > jump + 127) return false;",
         "to code[73] goes -129 bytes from its end"},
        {"target -= 2; if (target < jump) return false;", "that fits into"},
        {"target -= 2; code[jump + 2] = 0;", "bytes other than code[6]"},
        {"target -= 2; code[jump] = 0xeb;", "its opcode is\nthere already"},
        {"target -= 2; if (target > jump + 127) { code[jump + 1] = 0; return "
         "false; }",
         "rel8 does not reach"},
    };
    static const struct answer right[] = {
        {"target -= 2;" FITS, "both jumps arrive"},
    };

    expect_refused("09-loops", ALL(wrong));
    expect_passed("09-loops", ALL(right));
}

/* --- 10: what a function saves, and gives back --------------------------- */

#define TABLES(first, last)                         \
    "static const uint8_t first[] = {" first "};\n" \
    "static const uint8_t last[] = {" last "0xc3};\n"

Test(answers, calling_c)
{
    static const struct answer wrong[] = {
        {TABLES("0x53", "0x5b,"), "r12 is callee-saved"},
        {TABLES("0x41, 0x54", "0x41, 0x5c,"), "rbx is callee-saved"},
        {TABLES("0x53, 0x41, 0x54", "0x41, 0x5c, 0x5b,"),
         "8 bytes above a multiple of 16"},
        {TABLES("0x53, 0x54", "0x5c, 0x5b,"), "code[1] is 54, push rsp"},
        {TABLES("0x53, 0x41, 0x54, 0x48, 0x83, 0xec, 4",
                "0x48, 0x83, 0xc4, 4, 0x41, 0x5c, 0x5b,"),
         "4 bytes above a multiple of 16"},
        /* popped in the order in which they were pushed */
        {TABLES("0x53, 0x41, 0x54, 0x55", "0x5d, 0x5b, 0x41, 0x5c,"),
         "that is what r12 was; what is pushed last"},
        /* rax is the third that is popped */
        {TABLES("0x53, 0x41, 0x54, 0x50", "0x58, 0x41, 0x5c, 0x5b,"),
         "the result comes back in rax"},
        {TABLES("0xc3", ""), "called 0 times"},
    };
    static const struct answer right[] = {
        /* rbp instead of sub rsp, 8; and r12 first */
        {TABLES("0x53, 0x41, 0x54, 0x55", "0x5d, 0x41, 0x5c, 0x5b,"),
         "the caller finds all as it left it"},
        {TABLES("0x41, 0x54, 0x48, 0x83, 0xec, 8, 0x53",
                "0x5b, 0x48, 0x83, 0xc4, 8, 0x41, 0x5c,"),
         "the caller finds all as it left it"},
    };

    expect_refused("10-calling-c", ALL(wrong));
    expect_passed("10-calling-c", ALL(right));
}

/* --- 11: four bytes of code, wherever they are --------------------------- */

#define FLIP(start, length, prot) \
    "if (mprotect(" start ", " length ", " prot ") < 0) return false;"
#define PATCH(start, length, more)                     \
    FLIP(start, length, "PROT_READ | PROT_WRITE" more) \
    "memcpy(at, &value, 4);" FLIP(start, length,       \
                                  "PROT_READ | PROT_EXEC") "return true;"
#define PAGE "at - (uintptr_t)at % 4096"
/* does not ask whether the second call was refused */
#define CARELESS                                                  \
    "uint8_t *page = " PAGE ";"                                   \
    "size_t length = at + 4 - page;" FLIP(                        \
        "page", "length",                                         \
        "PROT_READ | PROT_WRITE") "memcpy(at, &value, 4);"        \
                                  "(void)mprotect(page, length, " \
                                  "PROT_READ|PROT_EXEC);"         \
                                  "return true;"

Test(answers, patching)
{
    static const struct answer wrong[] = {
        {PATCH("at", "4", ""),
         "it returns false, and errno says: Invalid argument\nmprotect was "
         "called with code + 3; that is not where a page begins"},
        {PATCH(PAGE, "4100", ""), "the page behind, which is data, is r-x"},
        {PATCH(PAGE, "(uintptr_t)at % 4096 + 4", " | PROT_EXEC"),
         "PROT_WRITE and PROT_EXEC together"},
        {FLIP(PAGE, "4096", "PROT_READ | PROT_WRITE"),
         "the page of the first byte is rw- afterwards"},
        {FLIP(PAGE, "(uintptr_t)at % 4096 + 4",
              "PROT_READ | PROT_WRITE") "memcpy(at, &value, "
                                        "4);" FLIP(PAGE, "1",
                                                   "PROT_READ | "
                                                   "PROT_EXEC") "ret"
                                                                "urn"
                                                                " tr"
                                                                "ue"
                                                                ";",
         "the page of the last byte is rw- afterwards"},
        {FLIP(PAGE, "(uintptr_t)at % 4096 + 4", "PROT_READ | PROT_WRITE")
             FLIP(PAGE, "(uintptr_t)at % 4096 + 4",
                  "PROT_READ | PROT_EXEC") "return true;",
         "whose term is now 2, is 11, not 12"},
        {CARELESS, "it returns true, though mprotect returned -1"},
    };
    /* byte by byte, each with a flip of its own */
    static const struct answer right[] = {
        {"for (int i = 0; i < 4; i++, at++) {"
         "uint8_t *page = " PAGE
         ";" FLIP("page", "1", "PROT_READ | PROT_WRITE") "*at = ((uint8_t "
                                                         "*)&value)[i];" FLIP(
                                                             "page", "1",
                                                             "PROT_READ | "
                                                             "PROT_EXEC") "} "
                                                                          "retu"
                                                                          "rn "
                                                                          "true"
                                                                          ";",
         "patched four times"},
    };

    expect_refused("11-patching", ALL(wrong));
    expect_passed("11-patching", ALL(right));
}

/* --- 12: a loop of LuaJIT's, in C ---------------------------------------- */

Test(answers, real_jit)
{
    static const struct answer wrong[] = {
        {"", "sum comes back as it was"},
        {"sum = sum - (double)i * i;", "the other way round"},
        {"sum = (double)i * i + sum;", "subsd is no addition"},
        {"sum = i - sum;", "there is a mulsd, too"},
        {"sum = i;", "that is i; mulsd multiplies"},
        {"sum = i + i - sum;", "i * i, not i + i"},
        /* right in the first round only */
        {"static int rounds; sum = rounds++ ? 0 : (double)i * i - sum;",
         "lost(0, 1, 1) is"},
        {"sum = (double)i * i;", "takes the old sum away"},
        {"sum = (int)((unsigned)i * (unsigned)i) - sum;",
         "does not fit into an int"},
    };
    static const struct answer right[] = {
        {"sum = -(sum - (double)i * i);", "always agree"},
        {"sum = (double)((long)i * i) - sum;", "always agree"},
    };

    expect_refused("12-real-jit", ALL(wrong));
    expect_passed("12-real-jit", ALL(right));
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
        cr_assert(contains(buf_text(&result.err), bad[i].complaint), "%s",
                  buf_text(&result.err));
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
    cr_assert(contains(buf_text(&result.out), " = 1 for x = 1"));
    result_release(&result);
    memset(expression, '(', 501);
    expression[501] = 0;
    run(&(struct job){.argv = ARGS(program, expression, "1")}, &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(contains(buf_text(&result.err), "at most 500"));
    result_release(&result);
}
