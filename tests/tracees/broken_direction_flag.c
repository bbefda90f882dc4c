/* SPDX-License-Identifier: MIT */
/*
 * Generated code sets the direction flag and leaves it set. The caller here
 * clears it.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +5 std
 * reports: verdict direction-flag broken +5
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 7, 0, 0, 0, /* mov eax, 7 */
        0xfd,             /* 5: std */
        0xc3,             /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int result;

    __asm__ volatile("call *%1\n\tcld"
                     : "=a"(result)
                     : "b"(code)
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                       "cc", "memory");
    printf("%d\n", result);
    return 0;
}
