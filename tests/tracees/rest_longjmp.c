/* SPDX-License-Identifier: MIT */
/*
 * The rest of a call runs at full speed and is left by longjmp(3), so it never
 * returns. At the next stop its stack is seen to be unwound: later calls are
 * seen again.
 *
 * prints:  1
 * prints:  42
 * ends:    status 0
 * options: --max-call-steps=1
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: output 1 1
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: leave return 42
 * reports: exit status 0
 * never:   leave return 1
 */
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static jmp_buf back;

static void away(void)
{
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

    setvbuf(stdout, NULL, _IONBF, 0);
    if (setjmp(back) == 0)
        return call(code, away);
    puts("1");
    printf("%d\n", call(code, answer));
    return 0;
}
