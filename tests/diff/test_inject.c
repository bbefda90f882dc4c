/* SPDX-License-Identifier: MIT */
/*
 * --inject: one byte of the code is another one, the trace says so, and nothing
 * else is done.
 */
#include <sysexits.h>

#include "support/support.h"

TestSuite(inject, .timeout = 60);

static void says(const char *const *argv, int status, const char *words)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, status), "%s%s", buf_text(&result.out),
              buf_text(&result.err));
    buf_append_text(&result.out, buf_text(&result.err));
    cr_assert(contains(buf_text(&result.out), words), "%s: %s", words,
              buf_text(&result.out));
    result_release(&result);
}

Test(inject, one_byte_is_another_one)
{
    /* add rax, rdi becomes sub rax, rdi */
    says(ARGS(JITTRACE, "--inject=code[8]:set=0x29", "-4"), 0, "-5 -6 -7\n");
    says(ARGS(JITTRACE, "--inject=code[8]:xor=0x28", "-4"), 0,
         "code[8] = 0x29   01 -> 29  INJECTED(code[8]:xor=0x28)");
    says(ARGS(JITTRACE, "--format=json", "--inject=code[8]:xor=0x28", "-4"), 0,
         "\"by\":\"INJECTED(code[8]:xor=0x28)\"");
    /* fn(3) comes first, as it is. */
    says(ARGS(JITTRACE, "--inject=code[8]:set=0x29:when=call2", "-4"), 0,
         "-5 -6 -1\n");
    says(ARGS(JITTRACE, "--inject=code[0]:set=0xcc", "-4"), 128 + 5, "SIGTRAP");
    says(ARGS(JITTRACE, "--who=8", "--inject=code[8]:set=0x29", "-4"), 0,
         "written INJECTED(");
}

Test(inject, what_was_not_done_is_said)
{
    says(ARGS(JITTRACE, "--inject=code[8]:set=1:when=call9", "-4"), 0,
         "--inject=code[8]:set=1:when=call9 was not done");
    says(ARGS(JITTRACE, "--inject=code[99999]:set=1", "-4"), 0, "was not done");
}

Test(inject, it_is_never_on_by_accident)
{
    static const char *const wrong[] = {
        "code[8]",
        "code[8]:set=",
        "code[8]:set=256",
        "code[8]:xor=1x",
        "code[-1]:set=1",
        "code[8]:set=1:when=call0",
        "code[8]:set=1:when=never",
    };
    char option[64];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(option, sizeof option, "--inject=%s", wrong[i]);
        says(ARGS(JITTRACE, option, "-4"), EX_USAGE, "--inject takes ");
    }
    says(ARGS(JITTRACE, "--check", "--inject=code[8]:set=0x29", "-4"), EX_USAGE,
         "--check judges the program as it is");
    says(ARGS(JITTRACE, "--replay=Makefile", "--inject=code[8]:set=0x29"),
         EX_USAGE, "--inject is for a program that runs");
}
