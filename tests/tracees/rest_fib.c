/* SPDX-License-Identifier: MIT */
/*
 * Generated code that calls itself; the steps of a call end deep in it. What is
 * waited for is the return to C, not one of those to the code itself.
 *
 * prints:  55 55
 * ends:    status 0
 * options: --max-call-steps=20
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: leave return 55
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: leave return 55
 * reports: exit status 0
 * never:   leave return 1
 * never:   leave return 2
 * never:   enter * return
 * never:   enter * jump
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x83, 0xff, 0x02,             /* cmp edi, 2 */
        0x7d, 0x03,                   /* jge +3 */
        0x89, 0xf8,                   /* mov eax, edi */
        0xc3,                         /* ret */
        0x57,                         /* 8: push rdi */
        0xff, 0xcf,                   /* dec edi */
        0xe8, 0xf0, 0xff, 0xff, 0xff, /* call 0 */
        0x5f,                         /* pop rdi */
        0x50,                         /* push rax */
        0x83, 0xef, 0x02,             /* sub edi, 2 */
        0xe8, 0xe6, 0xff, 0xff, 0xff, /* call 0 */
        0x5a,                         /* pop rdx */
        0x01, 0xd0,                   /* add eax, edx */
        0xc3,                         /* ret */
    };
    int (*fib)(int) = (int (*)(int))(uintptr_t)code_new(insns, sizeof insns);
    int first = fib(10), second = fib(10);

    printf("%d %d\n", first, second);
    return 0;
}
