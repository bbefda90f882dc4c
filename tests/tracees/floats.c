/* SPDX-License-Identifier: MIT */
/*
 * Floating point arguments come in vector registers, and so does the result:
 * a * b + c of doubles, then the same of floats.
 *
 * prints:  7.75 7.75
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 mulsd xmm0, xmm1*
 * reports: step +4 addsd xmm0, xmm2*
 * reports: leave return *
 * reports: enter +16 call
 * reports: step +16 mulss xmm0, xmm1*
 * reports: step +20 addss xmm0, xmm2*
 * reports: leave return *
 * reports: exit status 0
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xf2, 0x0f, 0x59, 0xc1,                   /* mulsd xmm0, xmm1 */
        0xf2, 0x0f, 0x58, 0xc2,                   /* addsd xmm0, xmm2 */
        0xc3, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, /* ret, nop ... */
        0x90, 0xf3, 0x0f, 0x59, 0xc1,             /* 16: mulss xmm0, xmm1 */
        0xf3, 0x0f, 0x58, 0xc2,                   /* addss xmm0, xmm2 */
        0xc3,                                     /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    double wide =
        ((double (*)(double, double, double))(uintptr_t)code)(2.5, 2.5, 1.5);
    float narrow = ((float (*)(float, float, float))(uintptr_t)(code + 16))(
        2.5f, 2.5f, 1.5f);

    printf("%g %g\n", wide, (double)narrow);
    return 0;
}
