/* SPDX-License-Identifier: MIT */
/*
 * Code in two mappings: the first calls the second, which returns to it.
 *
 * prints:  41
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +4 call rdi
 * reports: leave call
 * reports: enter +0 call
 * reports: step +5 ret
 * reports: leave return 40
 * reports: enter +6 return
 * reports: step +6 add eax, 1
 * reports: leave return 41
 * reports: exit status 0
 * never:   enter * jump
 * never:   limit *
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
