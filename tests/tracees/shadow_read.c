/* SPDX-License-Identifier: MIT */
/*
 * shadow_read.c - generated code loads ss from memory. The CPU lets no trap
 * come between that and the next instruction, a `nop`.
 *
 * A test looks at what each of the two has read.
 *
 * prints:  1
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +3 mov ss*
 * reports: step +6 nop
 * reports: step +7 pop rax
 * reports: leave return *
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x8c, 0xd0,       /* mov eax, ss */
        0x50,             /* push rax */
        0x8e, 0x14, 0x24, /* mov ss, word ptr [rsp] */
        0x90,             /* nop */
        0x58,             /* pop rax */
        0xc3,             /* ret */
    };
    int selector = ((int (*)(void))(uintptr_t)code_new(insns, sizeof insns))();

    printf("%d\n", selector != 0);
    return 0;
}
