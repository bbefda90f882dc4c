/* SPDX-License-Identifier: MIT */
/*
 * Exercise 03: the term, byte by byte.
 *
 * This works for a term from 0 to 255.
 */
#include <stdint.h>

/* Stores the 8 bytes of mov rax, TERM; ret. */
void encode_term(uint8_t *code, int32_t term)
{
    code[0] = 0x48;
    code[1] = 0xc7;
    code[2] = 0xc0;

    /* Your turn: all 32 bits of the term, in four bytes. */
    code[3] = (uint8_t)term;
    code[4] = 0;
    code[5] = 0;
    code[6] = 0;

    code[7] = 0xc3;
}
