/* SPDX-License-Identifier: MIT */
/*
 * The rest of a call runs at full speed and is left by longjmp(3); then other
 * code is called, and the first again, with no system call in between. The
 * fetch there does not go on with what was left: it is an entry.
 *
 * prints:  1 42
 * ends:    status 0
 * options: --max-call-steps=1
 * reports: enter +0 call
 * reports: step +0 sub rsp, 8
 * reports: limit call-steps
 * reports: enter +0 call
 * reports: step +0 ret
 * reports: leave return *
 * reports: enter +0 call
 * reports: step +0 sub rsp, 8
 * reports: limit call-steps
 * reports: leave return 42
 * reports: output 1 1 42\\n
 * reports: exit status 0
 */
#include <setjmp.h>
#include <stdio.h>

#include "code.h"

static jmp_buf back;
static volatile int jumps;

static int away(void)
{
    jumps++;
    longjmp(back, 1);
}

static int answer(void)
{
    return 42;
}

/* In a frame of its own, below that of main. */
__attribute__((noinline)) static int call(const uint8_t *code, void *what)
{
    return ((int (*)(void *))(uintptr_t)code)(what);
}

int main(void)
{
    uint8_t *volatile code = code_new_caller();
    uint8_t *volatile other = code_new("\xc3", 1);
    int result;

    if (setjmp(back) == 0)
        return call(code, away);
    ((void (*)(void))(uintptr_t)other)();
    result = ((int (*)(int (*)(void)))(uintptr_t)code)(answer);
    printf("%d %d\n", jumps, result);
    return 0;
}
