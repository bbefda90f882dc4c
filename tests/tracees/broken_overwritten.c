/* SPDX-License-Identifier: MIT */
/*
 * The number in a mov is to be filled in, and is stored one byte too early: over
 * the opcode and three bytes of the number. Its last byte is run as a part of
 * another instruction.
 *
 * prints:  8
 * ends:    status 0
 * reports: write +0 89f8903c
 * reports: step +0 mov eax, edi
 * reports: step +3 cmp al, 0
 * reports: exit status 0
 * reports: verdict overwritten broken +0
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0,    0, 0, 0, /* mov eax, ... */
        0x01, 0xf8,          /* add eax, edi */
        0xc3,                /* ret */
    };
    uint32_t number = 0x3c90f889;
    uint8_t *code = code_new(insns, sizeof insns);
    int (*f)(int);

    memcpy(&f, &code, sizeof f);
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    memcpy(code, &number, sizeof number); /* it begins at code + 1 */
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", f(4));
    return 0;
}
