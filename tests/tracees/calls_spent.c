/* SPDX-License-Identifier: MIT */
/*
 * More calls than may be seen, into two pages: the third is the last one, and
 * the result of that is seen still. Neither page is guarded any more.
 *
 * prints:  5050 1
 * ends:    status 0
 * options: --max-calls=3
 * reports: enter +0 call
 * reports: leave return 1
 * reports: enter +0 call
 * reports: leave return 2
 * reports: enter +0 call
 * reports: limit calls
 * reports: step +3 ret
 * reports: leave return 3
 * reports: exit status 0
 * never:   leave return 4
 * never:   limit steps
 * never:   limit progress
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x89, 0xf8, /* mov rax, rdi */
        0xc3,             /* ret */
    };
    int (*same)(int) = (int (*)(int))(uintptr_t)code_new(insns, sizeof insns);
    int (*other)(int) = (int (*)(int))(uintptr_t)code_new(insns, sizeof insns);
    int sum = 0;

    for (int i = 1; i <= 100; i++)
        sum += same(i);
    printf("%d %d\n", sum, other(1));
    return 0;
}
