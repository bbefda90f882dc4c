/* SPDX-License-Identifier: MIT */
/*
 * The memory of two functions is used again for one, and the second of the two
 * is called by its old pointer. An instruction that is longer is there now.
 *
 * prints:  2
 * prints:  8
 * prints:  195
 * ends:    status 0
 * reports: step +6 mov eax, 2
 * reports: step +5 mov ecx, 12829616
 * reports: step +6 mov al, -61
 * reports: exit status 0
 * reports: verdict stale broken +6
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t two[] = {
        0xb8, 1, 0, 0, 0, 0xc3, /* mov eax, 1; ret */
        0xb8, 2, 0, 0, 0, 0xc3, /* mov eax, 2; ret */
    };
    static const uint8_t one[] = {
        0xb8, 8,    0,    0,    0,    /* mov eax, 8 */
        0xb9, 0xb0, 0xc3, 0xc3, 0x00, /* mov ecx, 0xc3c3b0 */
        0xc3,                         /* ret */
    };
    uint8_t *code = code_new(two, sizeof two), *second = code + 6;
    unsigned char (*f)(void), (*g)(void);

    memcpy(&f, &code, sizeof f);
    memcpy(&g, &second, sizeof g);
    printf("%d\n", g());
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    memcpy(code, one, sizeof one);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", f());
    printf("%d\n", g());
    return 0;
}
