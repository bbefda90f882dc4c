/* SPDX-License-Identifier: MIT */
/*
 * A library function calls generated code back: qsort(3) with a comparison of
 * ints, in descending order.
 *
 * prints:  9 5 2
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 mov eax, \[rsi\]
 * reports: step +2 sub eax, \[rdi\]
 * reports: leave return 4
 * reports: enter +0 call
 * reports: leave return *
 * reports: exit status 0
 * never:   enter * jump
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x8b, 0x06, /* mov eax, [rsi] */
        0x2b, 0x07, /* sub eax, [rdi] */
        0xc3,       /* ret */
    };
    int values[] = {5, 9, 2};

    qsort(values, 3, sizeof *values,
          (int (*)(const void *, const void *))(uintptr_t)code_new(
              insns, sizeof insns));
    printf("%d %d %d\n", values[0], values[1], values[2]);
    return 0;
}
