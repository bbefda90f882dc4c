/* SPDX-License-Identifier: MIT */
/*
 * A branch of generated code is one byte too short: it goes to the immediate
 * of a mov, which happens to be a ret.
 *
 * prints:  195
 * prints:  1
 * ends:    status 0
 * reports: step +4 mov eax, 195
 * reports: step +9 ret
 * reports: step +5 ret
 * reports: exit status 0
 * reports: verdict whole-instructions broken +2
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x85, 0xff,          /* test edi, edi */
        0x75, 0x01,          /* jnz, meant to go to the ret */
        0xb8, 0xc3, 0, 0, 0, /* mov eax, 195 */
        0xc3,                /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int result;

    for (int i = 0; i < 2; i++) {
        __asm__ volatile("call *%1"
                         : "=a"(result)
                         : "r"(code), "a"(1), "D"(i)
                         : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc",
                           "memory");
        printf("%d\n", result);
    }
    return 0;
}
