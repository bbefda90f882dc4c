/* SPDX-License-Identifier: MIT */
/*
 * Generated code computes with the x87, whose exception flags it sets, and with
 * mm0, and leaves none of its registers in use.
 *
 * prints:  2.25
 * ends:    status 0
 * reports: step +0 fld1 st0 0 -> 1 fsw top 0 -> 7
 * reports: step +2 fld1 *fsw top 7 -> 6
 * reports: step +4 fadd st0, st1 st0 1 -> 2
 * reports: step +6 fdivp st1, st0 *fsw top 6 -> 7
 * reports: step * fadd dword ptr ?rdi? st0 * -> 2.25
 * reports: step * fstp *
 * reports: step * paddd mm0, mm0 mm0 0x500000005 -> 0xa0000000a
 * reports: step * emms*
 */
#include <stdio.h>

#include "code.h"

/* void code(float *number) */
__asm__(".pushsection .rodata\n"
        "insns:\n"
        "    fld1\n"
        "    fld1\n"
        "    fadd %st(1), %st\n"
        "    fdivrp\n"
        "    fadds (%rdi)\n"
        "    fstps (%rdi)\n"
        "    mov $5, %eax\n"
        "    movd %eax, %mm0\n"
        "    punpckldq %mm0, %mm0\n"
        "    paddd %mm0, %mm0\n"
        "    emms\n"
        "    ret\n"
        "insns_end:\n"
        ".popsection\n");

extern const uint8_t insns[], insns_end[];

int main(void)
{
    uint8_t *code = code_new(insns, (size_t)(insns_end - insns));
    float number = 1.75f;

    ((void (*)(float *))(uintptr_t)code)(&number);
    printf("%g\n", number);
    return 0;
}
