/* SPDX-License-Identifier: MIT */
/*
 * The same code is called many times from the same place. There are no steps, so
 * each call is an entry at the same address, and none of them is a
 * fault that comes back.
 *
 * prints:  55
 * ends:    status 0
 * options: --max-steps=0
 * reports: enter +0 call
 * reports: leave return 1
 * reports: enter +0 call
 * reports: leave return 2
 * reports: enter +0 call
 * reports: leave return 3
 * reports: leave return 4
 * reports: leave return 5
 * reports: leave return 6
 * reports: leave return 7
 * reports: leave return 8
 * reports: leave return 9
 * reports: enter +0 call
 * reports: leave return 10
 * reports: exit status 0
 * never:   limit progress
 * never:   step *
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
    int sum = 0;

    for (int i = 1; i <= 10; i++)
        sum += same(i);
    printf("%d\n", sum);
    return 0;
}
