/* SPDX-License-Identifier: MIT */
/*
 * Code in two mappings: the first calls the second, which jumps back into the
 * first, which returns to itself; then C is returned to.
 *
 * prints:  42
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +4 call rdi
 * reports: leave call
 * reports: enter +0 call
 * reports: step +0 mov eax, 40
 * reports: leave jump
 * reports: enter +16 jump
 * reports: step +16 add eax, 1
 * reports: step +19 ret
 * reports: step +6 add eax, 1
 * reports: leave return 42
 * reports: exit status 0
 * never:   enter +6 *
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
        0x90, 0x90,             /* nop, nop */
        0x83, 0xc0, 0x01,       /* 16: add eax, 1 */
        0xc3,                   /* ret */
    };
    static const uint8_t second[] = {
        0xb8, 40,   0, 0, 0, /* mov eax, 40 */
        0xff, 0xe6,          /* jmp rsi */
    };
    uint8_t *caller = code_new(first, sizeof first);
    uint8_t *apart =
        mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *callee = code_new(second, sizeof second);

    printf("%d\n",
           ((int (*)(void *, void *))(uintptr_t)caller)(callee, caller + 16));
    return apart == MAP_FAILED;
}
