/* SPDX-License-Identifier: MIT */
/*
 * Generated code calls printf by the stub that the program has for it, with a
 * double in xmm0, and says in al that there is none.
 *
 * build:   -fno-pie -no-pie
 * prints:  called
 * ends:    status 0
 * reports: verdict variadic-al broken +29
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const char format[] = "called\n";
    uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08, /* sub rsp, 8 */
        0xf2, 0x0f, 0x58, 0xc0, /* 4: addsd xmm0, xmm0 */
        0x90,                   /* 8: nop */
        0x48, 0xbe, 0,    0,    0,    0,    0,
        0,    0,    0,                            /* 9: mov rsi, printf */
        0x31, 0xc0,                               /* 19: xor eax, eax */
        0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x90, /* 21: nop */
        0x90,                                     /* 28: nop */
        0xff, 0xd6,                               /* 29: call rsi */
        0x48, 0x83, 0xc4, 0x08,                   /* add rsp, 8 */
        0xc3,                                     /* ret */
    };
    int (*function)(const char *, ...) = printf;

    memcpy(insns + 11, &function, sizeof function);
    ((void (*)(const char *, double))(uintptr_t)code_new(insns, sizeof insns))(
        format, 1.5);
    return 0;
}
