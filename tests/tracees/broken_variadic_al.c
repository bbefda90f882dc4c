/* SPDX-License-Identifier: MIT */
/*
 * Generated code calls a variadic function with a double in xmm0, and says in
 * al that there is none. What it looks at is another argument.
 *
 * prints:  3
 * ends:    status 0
 * reports: step +8 xor eax, eax
 * reports: verdict variadic-al broken +10
 */
#include <stdarg.h>
#include <stdio.h>

#include "code.h"

static int first(int count, ...)
{
    va_list args;

    va_start(args, count);
    va_end(args);
    return count;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08, /* sub rsp, 8 */
        0x66, 0x0f, 0x57, 0xc0, /* 4: xorpd xmm0, xmm0 */
        0x31, 0xc0,             /* 8: xor eax, eax */
        0xff, 0xd6,             /* 10: call rsi */
        0x48, 0x83, 0xc4, 0x08, /* add rsp, 8 */
        0xc3,                   /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int (*call)(int, int (*)(int, ...)) =
        (int (*)(int, int (*)(int, ...)))(uintptr_t)code;

    printf("%d\n", call(3, first));
    return 0;
}
