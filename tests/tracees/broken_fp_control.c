/* SPDX-License-Identifier: MIT */
/*
 * Generated code has numbers rounded towards zero, and leaves it so; another
 * piece uses an MMX register without emms. The program puts both right.
 *
 * prints:  done
 * ends:    status 0
 * reports: step +0 ldmxcsr *
 * reports: verdict fp-control broken +0
 * reports: verdict fp-control broken +4
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x0f, 0xae, 0x17, /* ldmxcsr [rdi] */
        0xc3,             /* ret */
        0x0f, 0xef, 0xc0, /* 4: pxor mm0, mm0 */
        0xc3,             /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    unsigned before, towards_zero;

    __asm__ volatile("stmxcsr %0" : "=m"(before));
    towards_zero = before | 0x6000;
    ((void (*)(unsigned *))(uintptr_t)code)(&towards_zero);
    __asm__ volatile("ldmxcsr %0" : : "m"(before));
    ((void (*)(void))(uintptr_t)(code + 4))();
    __asm__ volatile("emms");
    puts("done");
    return 0;
}
