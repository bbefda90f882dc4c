/* SPDX-License-Identifier: MIT */
/*
 * --inject: one thing is otherwise, the trace says so, and nothing else is done.
 */
#include <sysexits.h>

#include "support/support.h"

TestSuite(inject, .timeout = 60);

#define ONE "--inject=code[8]:set=1"

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

/* A file that is looked at later must not pass for what the program did. */
Test(inject, each_form_of_the_trace_says_so)
{
    static const char *const forms[] = {"--format=text",     "--format=json",
                                        "--format=dot",      "--format=chrome",
                                        "--format=html",     "--brief",
                                        "--format=asciicast"};
    static const char *const changes[] = {
        "code[8]:set=0x29", "skip-store=4", "reg=rdi:set=5",
        "call=mprotect:error=EACCES", "stage=mprotect:skip"};

    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
            struct buf inject = {0};
            struct result result;

            buf_printf(&inject, "--inject=%s", changes[i]);
            run(&(struct job){.argv = ARGS(JITTRACE, forms[f],
                                           buf_text(&inject), "1")},
                &result);
            cr_assert(contains(buf_text(&result.out), changes[i]), "%s %s",
                      forms[f], changes[i]);
            result_release(&result);
            buf_release(&inject);
        }
}

Test(inject, a_register_is_another_one)
{
    says(ARGS(JITTRACE, "--inject=reg=rdi:set=5:when=call2", "-4"), 0,
         "-3 1 -1\n");
    says(ARGS(JITTRACE, "--inject=reg=rdi:set=5:when=call2", "-4"), 0,
         "INJECTED(reg=rdi:set=5:when=call2) rdi 2 -> 5\n");
    says(ARGS(JITTRACE, "--inject=reg=rdi:set=5:when=2+", "-4"), 0, "1 1 -1\n");
    says(ARGS(JITTRACE, "--inject=reg=rdi:xor=1:when=1..3+2", "-4"), 0,
         "-4 -2 -2\n");
    /* As the CPU does it: edi clears the upper half, dil leaves the rest. */
    says(ARGS(JITTRACE, "--inject=reg=edi:set=-1", "-4"), 0,
         "rdi 3 -> 4294967295\n");
    says(ARGS(JITTRACE, "--inject=reg=r9:set=-1", "--inject=reg=r9b:set=0",
              "-4"),
         0, "r9 -1 -> -256\n");
    says(ARGS(JITTRACE, "--format=json", "--inject=reg=rdi:set=5", "1"), 0,
         "\"what\":\"reg=rdi:set=5\",\"did\":\"rdi 3 -> 5\"}");
    says(ARGS(JITTRACE, "--inject=reg=rsp:xor=8", "1"), 128 + 11,
         "it popped 0x");
}

/* code[3] is the lowest byte of the term. */
Test(inject, a_store_is_skipped)
{
    says(ARGS(JITTRACE, "--inject=skip-store=4", "1"), 0, "1 2 3\n");
    says(ARGS(JITTRACE, "--inject=skip-store=4", "1"), 0,
         "code[3] = 0x00   01 -> 00  INJECTED(skip-store=4)");
    says(ARGS(JITTRACE, "--inject=skip-store=4..7", "-4"), 0, "1 2 3\n");
    says(ARGS(JITTRACE, "--inject=stage=writes:skip", "-4"), 128 + 11,
         "code[10] = 0x00  c3 -> 00  INJECTED(stage=writes:skip)");
}

Test(inject, a_call_is_not_made)
{
    says(ARGS(JITTRACE, "--inject=stage=mprotect:skip", "1"), 128 + 11,
         "PROT_READ|PROT_EXEC) was not made, and returned 0\n");
    says(ARGS(JITTRACE, "--inject=stage=mprotect:skip", "1"), 128 + 11,
         "what   The program executed a page that may not be executed");
    says(ARGS(JITTRACE, "--inject=call=mprotect:error=EACCES", "1"), EX_OSERR,
         "babyjit: mprotect: Permission denied\n");
    says(ARGS(JITTRACE, "--inject=call=mprotect:error=EACCES", "1"), EX_OSERR,
         "EACCES: INJECTED(call=mprotect:error=EACCES).");
    says(ARGS(JITTRACE, "--inject=call=mmap:error=ENOMEM", "1"), EX_OSERR,
         "babyjit: mmap: Cannot allocate memory\n");
    says(ARGS(JITTRACE, "--inject=call=munmap:retval=-1", "1"), 0,
         "INJECTED(call=munmap:retval=-1) munmap(");
    says(ARGS(JITTRACE, "--inject=call=madvise:error=EPERM:when=9", "1"), 0,
         "--inject=call=madvise:error=EPERM:when=9 was not done");
}

Test(inject, what_came_of_it_stands_behind_the_trace)
{
    struct result result;

    run(&(struct job){.argv =
                          ARGS(JITTRACE, "--inject=code[8]:set=0x29", "-4")},
        &result);
    expect_in_order(&result.out,
                    ARGS("-5 -6 -7", "It ended with status 0.",
                         "What came of --inject, beside a run without it:",
                         "A  48 01 f8  add rax, rdi",
                         "B  48 29 f8  sub rax, rdi", "output: line 1",
                         "A  -3 -2 -1", "B  -5 -6 -7"));
    /* The run without it has printed nowhere. */
    cr_assert(eq(sz, result.err.len, 0));
    cr_assert(lacks(buf_text(&result.out), "\n-3 -2 -1"));
    result_release(&result);
}

/* What is known of these bits without trying. */
Test(inject, each_bit_is_tried, .timeout = 120)
{
    static const char *const lines[] = {
        /* W: %d prints 32 bits; B: add r8, rdi */
        "{\"offset\":7,\"bit\":3,\"text\":\"add rax, rdi\",\"field\":\"REX W\","
        "\"outcome\":\"harmless\",\"status\":0}\n",
        "{\"offset\":7,\"bit\":0,\"text\":\"add rax, rdi\",\"field\":\"REX B\","
        "\"outcome\":\"result\",\"status\":0}\n",
        "{\"offset\":3,\"bit\":0,\"text\":\"mov rax, -4\",\"field\":\"imm "
        "7..0\",\"outcome\":\"result\",\"status\":0}\n",
        /* ret imm16, and zeros behind it */
        "{\"offset\":10,\"bit\":0,\"text\":\"ret\",\"field\":\"opcode\","
        "\"outcome\":\"harmless\",\"status\":0}\n",
    };
    unsigned count = 0;
    struct result result;

    run(&(struct job){.argv =
                          ARGS(JITTRACE, "--sweep=flip", "--format=json", "-4"),
                      .seconds = 100},
        &result);
    cr_assert(eq(int, result.status, 0));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect(contains(buf_text(&result.out), lines[i]), "%s in %s",
                  lines[i], buf_text(&result.out));
    for (const char *c = buf_text(&result.out); *c; c++)
        count += *c == '\n';
    cr_assert(eq(uint, count, 88));
    result_release(&result);
}

Test(inject, a_sweep_needs_code)
{
    says(ARGS(JITTRACE, "--sweep=flip", "--", "true"), EX_DATAERR,
         "--sweep needs a call of generated code");
    says(ARGS(JITTRACE, "--sweep=flip", "--step", "1"), EX_USAGE,
         "--sweep runs the program once for each bit");
    says(ARGS(JITTRACE, "--sweep=flip", "--format=raw", "1"), EX_USAGE,
         "--sweep writes text or json");
    says(ARGS(JITTRACE, "--sweep=all", "1"), EX_USAGE, "--sweep takes flip");
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
        "code[8]:set=1:when=2..1",
        "code[8]:set=1:when=2+0",
        "code[8]:set=1:when=",
        "code0[8]:set=1",
        "reg=rip:set=1",
        "reg=xmm0:set=1",
        "reg=al:set=256",
        "reg=rdi",
        "skip-store=0",
        "skip-store=x",
        "skip-store=enter",
        "skip-store=call2",
        "call=mprotect:retval=0:when=call2",
        "stage=call:skip",
        "stage=mmap:skip",
        "call=mprotect",
        "call=mprotect:error=EFOO",
        "call=open:error=EACCES",
        "call=mprotect:retval=",
    };
    const char *const many[] = {JITTRACE, ONE, ONE, ONE, ONE, ONE, ONE,
                                ONE,      ONE, ONE, ONE, ONE, ONE, ONE,
                                ONE,      ONE, ONE, ONE, "1", NULL};
    char option[64];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(option, sizeof option, "--inject=%s", wrong[i]);
        says(ARGS(JITTRACE, option, "-4"), EX_USAGE, "--inject takes ");
    }
    says(many, EX_USAGE, "--inject can be there 16 times");
    says(ARGS(JITTRACE, "--check", "--inject=code[8]:set=0x29", "-4"), EX_USAGE,
         "--check judges the program as it is");
    says(ARGS(JITTRACE, "--replay=Makefile", "--inject=code[8]:set=0x29"),
         EX_USAGE, "--inject is for a program that runs");
}
