/* SPDX-License-Identifier: MIT */
/*
 * Generated code calls C, which calls the code again, each time from the same
 * place, to add x, x - 1 and so on up.
 *
 * prints:  6
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +12 call rsi
 * reports: leave call
 * reports: enter +0 call
 * reports: leave call
 * reports: enter +0 call
 * reports: leave call
 * reports: enter +0 call
 * reports: step +8 jz *
 * reports: leave return 0
 * reports: enter +14 return
 * reports: leave return 1
 * reports: enter +14 return
 * reports: leave return 3
 * reports: enter +14 return
 * reports: leave return 6
 * reports: exit status 0
 * never:   enter * jump
 * never:   limit *
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
        0x53,       /* push rbx */
        0x89, 0xfb, /* mov ebx, edi */
        0x31, 0xc0, /* xor eax, eax */
        0x85, 0xff, /* test edi, edi */
        0x90,       /* nop */
        0x74, 0x07, /* jz +7 */
        0xff, 0xcf, /* dec edi */
        0xff, 0xd6, /* call rsi */
        0x01, 0xd8, /* add eax, ebx */
        0x90,       /* nop */
        0x5b,       /* pop rbx */
        0xc3,       /* ret */
    };

    code = (function *)(uintptr_t)code_new(insns, sizeof insns);
    printf("%d\n", again(3));
    return 0;
}
