/* SPDX-License-Identifier: MIT */
/*
 * Tail calls are jumps: C ends by a jump into generated code, which ends by one
 * to C, which returns for all of them. On top of the stack is a return address
 * all the time, but of a call to something else.
 *
 * prints:  42
 * ends:    status 0
 * build:   -O2 -fno-inline -fcf-protection=none
 * reports: enter +0 jump
 * reports: step +0 add edi, 1
 * reports: step +3 jmp rsi
 * reports: leave jump
 * reports: exit status 0
 * never:   enter * call
 * never:   enter * return
 * never:   leave return *
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

typedef int function(int x, void *next);

static function *volatile code;

static int twice(int x)
{
    return 2 * x;
}

static int start(int x)
{
    return code(x, twice); /* a jump, with -O2 */
}

int main(void)
{
    static const uint8_t insns[] = {
        0x83, 0xc7, 0x01, /* add edi, 1 */
        0xff, 0xe6,       /* jmp rsi */
    };

    code = (function *)(uintptr_t)code_new(insns, sizeof insns);
    printf("%d\n", start(20));
    return 0;
}
