/* SPDX-License-Identifier: MIT */
/*
 * A loop that is longer than the steps of a call, called twice. After five
 * steps the rest of a call runs at full speed; its result is seen all the same.
 *
 * prints:  5050 500500
 * ends:    status 0
 * options: --max-call-steps=5
 * reports: enter +0 call
 * reports: step +0 xor eax, eax
 * reports: step +2 add eax, edi
 * reports: step +4 dec edi
 * reports: step +6 jnz *
 * reports: step +2 add eax, edi
 * reports: limit call-steps
 * reports: leave return 5050
 * reports: enter +0 call
 * reports: step +6 jnz *
 * reports: limit call-steps
 * reports: leave return 500500
 * reports: exit status 0
 * never:   step +8 ret
 * never:   limit steps
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0, /* xor eax, eax */
        0x01, 0xf8, /* add eax, edi */
        0xff, 0xcf, /* dec edi */
        0x75, 0xfa, /* jnz -6 */
        0xc3,       /* ret */
    };
    int (*sum)(int) = (int (*)(int))(uintptr_t)code_new(insns, sizeof insns);
    int first = sum(100), second = sum(1000);

    printf("%d %d\n", first, second);
    return 0;
}
