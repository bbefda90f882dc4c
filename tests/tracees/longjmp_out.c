/* SPDX-License-Identifier: MIT */
/*
 * C that generated code calls leaves by longjmp(3), past the code, which never
 * gets control back. Then the same code is called again and returns.
 *
 * prints:  7 then 42
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +4 call rdi
 * reports: leave call
 * reports: enter +0 call
 * reports: step +4 call rdi
 * reports: leave call
 * reports: enter +6 return
 * reports: leave return 42
 * reports: exit status 0
 * never:   leave return 7
 * never:   limit *
 */
#include <setjmp.h>
#include <stdio.h>

#include "code.h"

static jmp_buf back;

static void away(void)
{
    longjmp(back, 7);
}

static int answer(void)
{
    return 42;
}

int main(void)
{
    int (*volatile call)(void *) =
        (int (*)(void *))(uintptr_t)code_new_caller();
    int jumped = setjmp(back);

    if (jumped == 0)
        return call(away);
    printf("%d then %d\n", jumped, call(answer));
    return 0;
}
