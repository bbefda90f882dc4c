/* SPDX-License-Identifier: MIT */
/*
 * Code in two mappings, of which the first calls the second, with one step for
 * each stay: the rest of each runs at full speed, one within the other.
 *
 * prints:  41
 * ends:    status 0
 * options: --max-call-steps=1
 * reports: enter +0 call
 * reports: step +0 sub rsp, 8
 * reports: limit call-steps
 * reports: enter +0 call
 * reports: step +0 mov eax, 40
 * reports: limit call-steps
 * reports: leave return 40
 * reports: enter +6 return
 * reports: step +6 add eax, 1
 * reports: limit call-steps
 * reports: output 1 41\\n
 * reports: exit status 0
 * never:   enter * jump
 * never:   limit progress
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t first[] = {
        0x48, 0x83, 0xec, 0x08, /* sub rsp, 8 */
        0xff, 0xd7,             /* call rdi */
        0x83, 0xc0, 0x01,       /* add eax, 1 */
        0x48, 0x83, 0xc4, 0x08, /* add rsp, 8 */
        0xc3,                   /* ret */
    };
    static const uint8_t second[] = {
        0xb8, 40, 0, 0, 0, /* mov eax, 40 */
        0xc3,              /* ret */
    };
    uint8_t *caller = code_new(first, sizeof first);
    uint8_t *callee = code_new(second, sizeof second);

    printf("%d\n", ((int (*)(void *))(uintptr_t)caller)(callee));
    return 0;
}
