/* SPDX-License-Identifier: MIT */
/*
 * Generated code computes with vector registers: the square of its argument,
 * which it calls a function of the program with; then lanes of integers, and
 * the square and one more, which it returns.
 *
 * prints:  6.25
 * prints:  7.25
 * ends:    status 0
 * reports: step +4 mulsd xmm0, xmm0 xmm0 2.5 -> 6.25
 * reports: leave call*
 * reports: step +29 pshufd xmm1, xmm1, 0 xmm1?1? 0 -> 3, ?2? 0 -> 3, ?3? 0 -> 3
 * reports: step +34 paddd xmm1, xmm1 xmm1?0? 3 -> 6, *, ?3? 3 -> 6
 * reports: step +43 cvtsi2sd xmm2, eax xmm2 * -> 1
 * reports: step +47 addsd xmm0, xmm2 xmm0 6.25 -> 7.25
 * reports: step +51 ucomisd xmm0, xmm2
 */
#include <stdio.h>

#include "code.h"

/* double code(double x, void (*show)(double)) */
__asm__(".pushsection .rodata\n"
        "insns:\n"
        "    sub $8, %rsp\n"
        "    mulsd %xmm0, %xmm0\n"
        "    movsd %xmm0, (%rsp)\n"
        "    call *%rdi\n"
        "    movsd (%rsp), %xmm0\n"
        "    mov $3, %eax\n"
        "    movd %eax, %xmm1\n"
        "    pshufd $0, %xmm1, %xmm1\n"
        "    paddd %xmm1, %xmm1\n"
        "    mov $1, %eax\n"
        "    cvtsi2sd %eax, %xmm2\n"
        "    addsd %xmm2, %xmm0\n"
        "    ucomisd %xmm2, %xmm0\n"
        "    add $8, %rsp\n"
        "    ret\n"
        "insns_end:\n"
        ".popsection\n");

extern const uint8_t insns[], insns_end[];

static void show(double number)
{
    printf("%g\n", number);
    fflush(stdout);
}

int main(void)
{
    uint8_t *code = code_new(insns, (size_t)(insns_end - insns));

    printf("%g\n",
           ((double (*)(double, void (*)(double)))(uintptr_t)code)(2.5, show));
    return 0;
}
