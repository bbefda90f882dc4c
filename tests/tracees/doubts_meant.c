/* SPDX-License-Identifier: MIT */
/*
 * Generated code that takes the upper half of a product and the remainder of a
 * division, shifts by its fourth argument, and computes with 32 bits of
 * registers that have no more: all of it is meant.
 *
 * prints:  28
 * ends:    status 0
 * reports: leave return 28
 * reports: exit status 0
 * never:   verdict *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x49, 0x89, 0xd0,       /*  0: mov r8, rdx */
        0x31, 0xd2,             /*  3: xor edx, edx */
        0x48, 0x89, 0xf8,       /*  5: mov rax, rdi */
        0x48, 0xf7, 0xe6,       /*  8: mul rsi */
        0x49, 0x89, 0xd1,       /* 11: mov r9, rdx */
        0x4c, 0x89, 0xc0,       /* 14: mov rax, r8 */
        0x48, 0x99,             /* 17: cqo */
        0x48, 0xf7, 0xfe,       /* 19: idiv rsi */
        0x4c, 0x01, 0xca,       /* 22: add rdx, r9 */
        0x89, 0xd0,             /* 25: mov eax, edx */
        0x48, 0x83, 0xe0, 0xfe, /* 27: and rax, -2 */
        0x48, 0xd3, 0xe0,       /* 31: shl rax, cl */
        0x01, 0xf0,             /* 34: add eax, esi */
        0xc3,                   /* 36: ret */
    };
    long (*function)(long, long, long, long) =
        (long (*)(long, long, long, long))(uintptr_t)code_new(insns,
                                                              sizeof insns);

    printf("%ld\n", function(INT64_C(1) << 62, 12, 14, 2));
    return 0;
}
