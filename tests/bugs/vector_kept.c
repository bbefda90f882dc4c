/* SPDX-License-Identifier: MIT */
/* A double is kept in a vector register while a function runs. */
#include "bug.h"

static volatile double step = 2.5;

HELPER double more(void)
{
    double a = step, b = step * 2;

    return a * b - b;
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xec, 0x08); /* sub rsp, 8 */
    EMIT(0x66, 0x0f, 0x28, 0xc8); /* movapd xmm1, xmm0 */
    EMIT_MOV_RAX(more);
    EMIT(0xff, 0xd0);                   /* call rax */
    EMIT(0xf2, 0x0f, 0x59, 0xc1);       /* mulsd xmm0, xmm1 */
    EMIT(0x48, 0x83, 0xc4, 0x08, 0xc3); /* add rsp, 8; ret */
    finish(4096);
    printf("%g\n", FUNCTION(double (*)(double), code)(3));
    return 0;
}
