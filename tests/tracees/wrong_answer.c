/* SPDX-License-Identifier: MIT */
/*
 * Generated code that adds 2 to the wrong register: a prefix stands between REX
 * and the opcode, so that the CPU ignores the REX. The answer is wrong, and
 * nothing crashes.
 *
 * prints:  40
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 mov r8, rdi
 * reports: step +3 xor eax, eax
 * reports: step +5 add ax, 2
 * reports: step +10 mov rax, r8
 * reports: step +13 ret
 * reports: exit status 0
 * reports: verdict prefix broken +5
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x49, 0x89, 0xf8,             /* mov r8, rdi */
        0x31, 0xc0,                   /* xor eax, eax */
        0x41, 0x66, 0x83, 0xc0, 0x02, /* meant: add r8w, 2 */
        0x4c, 0x89, 0xc0,             /* mov rax, r8 */
        0xc3,                         /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    printf("%ld\n", ((long (*)(long))(uintptr_t)code)(40));
    return 0;
}
