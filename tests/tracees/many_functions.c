/* SPDX-License-Identifier: MIT */
/*
 * 512 functions in one page, of 8 bytes each: number N returns N. All are
 * called, the last one first.
 *
 * prints:  130816
 * ends:    status 0
 * reports: enter +4088 call
 * reports: step +4088 mov eax, 511
 * reports: leave return 511
 * reports: enter +4080 call
 * reports: leave return 510
 * reports: enter +2048 call
 * reports: step +2048 mov eax, 256
 * reports: leave return 256
 * reports: enter +8 call
 * reports: leave return 1
 * reports: enter +0 call
 * reports: step +0 mov eax, 0
 * reports: leave return 0
 * reports: exit status 0
 * never:   enter * jump
 * never:   limit steps
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static uint8_t insns[4096];
    uint8_t *code;
    int sum = 0;

    for (int i = 0; i < 512; i++) {
        uint8_t function[8] = {0xb8, 0, 0, 0, 0, 0xc3}; /* mov eax, i; ret */

        memcpy(function + 1, &i, sizeof i);
        memcpy(insns + 8 * i, function, sizeof function);
    }
    code = code_new(insns, sizeof insns);
    for (int i = 511; i >= 0; i--)
        sum += ((int (*)(void))(uintptr_t)(code + 8 * i))();
    printf("%d\n", sum);
    return 0;
}
