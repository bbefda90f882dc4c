/* SPDX-License-Identifier: MIT */
/*
 * Assembly calls generated code, and passes it what it wants in rax, r10 and
 * r11, which bring no argument of C.
 *
 * prints:  6
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 6
 * reports: exit status 0
 * never:   verdict *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x4c, 0x01, 0xd0, /* add rax, r10 */
        0x4c, 0x01, 0xd8, /* add rax, r11 */
        0xc3,             /* ret */
    };
    void *code = code_new(insns, sizeof insns);
    register long second __asm__("r10") = 2;
    register long third __asm__("r11") = 3;
    long sum = 1;

    __asm__ volatile("call *%3"
                     : "+a"(sum), "+r"(second), "+r"(third)
                     : "r"(code)
                     : "memory", "cc");
    printf("%ld\n", sum);
    return 0;
}
