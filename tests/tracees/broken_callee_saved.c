/* SPDX-License-Identifier: MIT */
/*
 * Generated code keeps a value in rbx, which belongs to its caller. The caller
 * here wants nothing of rbx, so nothing comes of it.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +0 mov ebx, 7
 * reports: exit status 0
 * reports: verdict callee-saved broken +0
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xbb, 7,    0, 0, 0, /* mov ebx, 7 */
        0x89, 0xd8,          /* mov eax, ebx */
        0xc3,                /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int result;

    __asm__ volatile("call *%1"
                     : "=a"(result)
                     : "r"(code)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
                       "r11", "cc", "memory");
    printf("%d\n", result);
    return 0;
}
