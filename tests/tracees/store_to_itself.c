/* SPDX-License-Identifier: MIT */
/*
 * Code in a page that can be written and executed: one of its instructions
 * stores into its own bytes, and a later one into the next. What the CPU
 * executes is what was there when it fetched it.
 *
 * prints:  7 9090909090
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 mov dword ptr *
 * reports: step +10 mov byte ptr *
 * reports: leave return 7
 * reports: exit status 0
 */
#include <stdio.h>

#include "code.h"

static const uint8_t insns[] = {
    0xc7, 0x05, 0xf6, 0xff, 0xff, 0xff, 0x90, 0x90, 0x90, 0x90, /* at +0 */
    0xc6, 0x05, 0xf3, 0xff, 0xff, 0xff, 0x90,                   /* at +4 */
    0xb8, 7,    0,    0,    0,                                  /* mov eax, 7 */
    0xc3,                                                       /* ret */
};

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*function)(void);

    memcpy(code, insns, sizeof insns);
    memcpy(&function, &code, sizeof function);
    printf("%d ", function());
    for (int i = 0; i < 5; i++)
        printf("%02x", code[i]);
    puts("");
    return 0;
}
