/* SPDX-License-Identifier: MIT */
/*
 * As rest_regions, but the word on top of the stack is none that a function
 * returns to, though what is before that address would be a call: it is data.
 *
 * prints:  41
 * ends:    status 0
 * options: --max-call-steps=1
 * reports: enter +0 call
 * reports: step +0 push rsi
 * reports: limit call-steps
 * reports: enter +0 call
 * reports: step +0 mov eax, 40
 * reports: limit call-steps
 * reports: leave return 40
 * reports: enter +3 return
 * reports: step +3 add eax, 1
 * reports: limit call-steps
 * reports: output 1 41\\n
 * reports: exit status 0
 * never:   limit returns
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t first[] = {
        0x56,             /* push rsi */
        0xff, 0xd7,       /* call rdi */
        0x83, 0xc0, 0x01, /* add eax, 1 */
        0x59,             /* pop rcx */
        0xc3,             /* ret */
    };
    static const uint8_t second[] = {
        0xb8, 40, 0, 0, 0, /* mov eax, 40 */
        0xc3,              /* ret */
    };
    static uint8_t data[] = {0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0}; /* call rax */
    uint8_t *caller = code_new(first, sizeof first);
    uint8_t *callee = code_new(second, sizeof second);

    printf("%d\n",
           ((int (*)(void *, void *))(uintptr_t)caller)(callee, data + 8));
    return 0;
}
