/* SPDX-License-Identifier: MIT */
/*
 * Generated code and C call each other, 3000 deep, from the same place, and
 * nothing is stepped. So many returns are not waited for: later calls are not
 * seen, and it is said.
 *
 * prints:  4501500 4501500
 * ends:    status 0
 * options: --max-steps=0
 * reports: limit steps
 * reports: enter +0 call
 * reports: limit steps
 * reports: exit status 0
 * never:   leave return *
 */
#include <stdio.h>

#include "code.h"

typedef int function(int x, void *again);

static function *code;

static int again(int x)
{
    return code(x, again);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x53,             /* push rbx */
        0x89, 0xfb,       /* mov ebx, edi */
        0x31, 0xc0,       /* xor eax, eax */
        0x85, 0xff,       /* test edi, edi */
        0x74, 0x06,       /* jz +6 */
        0x8d, 0x7f, 0xff, /* lea edi, [rdi-1] */
        0xff, 0xd6,       /* call rsi */
        0x90,             /* nop */
        0x01, 0xd8,       /* add eax, ebx */
        0x5b,             /* pop rbx */
        0xc3,             /* ret */
    };
    int first, second;

    code = (function *)(uintptr_t)code_new(insns, sizeof insns);
    first = again(3000);
    second = again(3000);
    printf("%d %d\n", first, second);
    return 0;
}
