/* SPDX-License-Identifier: MIT */
/* Generated code calls a C function with a stack that is 8 bytes off. */
#include "bug.h"

HELPER int show(double number)
{
    return printf("%.1f\n", number);
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT_MOV_RAX(show);
    EMIT(0xff, 0xd0); /* call rax, where rsp is as it was at entry */
    EMIT(0xc3);       /* ret */
    finish(4096);
    FUNCTION(void (*)(double), code)(2.5);
    return 0;
}
