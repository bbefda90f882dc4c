/* SPDX-License-Identifier: MIT */
/*
 * An index that is much too large, on top of a good pointer.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 mov rcx, 0x200000000000005
 * reports: signal SIGSEGV*
 */
#include "code.h"

static int table[8];

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0xb9, 0x05, 0, 0, 0, 0, 0, 0, 0x02, /* mov rcx, ... */
        0x8b, 0x04, 0x8f,                         /* mov eax, [rdi+rcx*4] */
        0xc3,                                     /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((int (*)(int *))(uintptr_t)code)(table);
    return 0;
}
