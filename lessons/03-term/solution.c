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

    uint32_t imm = (uint32_t)term;

    code[3] = (uint8_t)imm;
    code[4] = (uint8_t)(imm >> 8);
    code[5] = (uint8_t)(imm >> 16);
    code[6] = (uint8_t)(imm >> 24);

    code[7] = 0xc3;
}
