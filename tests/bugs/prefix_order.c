/* SPDX-License-Identifier: MIT */
/* A prefix stands behind REX, which so means nothing. */
#include "bug.h"

int main(void)
{
    static double result;

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x49, 0x89, 0xf9);             /* mov r9, rdi */
    EMIT(0x31, 0xc9);                   /* xor ecx, ecx */
    EMIT(0x41, 0xf2, 0x0f, 0x11, 0x01); /* movsd [r9], xmm0, meant */
    EMIT(0xc3);                         /* ret */
    finish(4096);
    FUNCTION(void (*)(double *, double), code)(&result, 1.5);
    printf("%g\n", result);
    return 0;
}
