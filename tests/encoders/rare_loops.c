/* SPDX-License-Identifier: MIT */
/* Wrong: one term in a million never comes back. */
#include <stddef.h>
#include <stdint.h>

size_t encode_adder(uint8_t *code, int32_t term)
{
    uint32_t imm = (uint32_t)term;

    code[0] = 0x48;
    code[1] = 0xc7;
    code[2] = 0xc0;
    code[3] = (uint8_t)imm;
    code[4] = (uint8_t)(imm >> 8);
    code[5] = (uint8_t)(imm >> 16);
    code[6] = (uint8_t)(imm >> 24);
    code[7] = 0x48;
    code[8] = 0x01;
    code[9] = 0xf8;
    code[10] = 0xc3;
    while (imm % 1000003 == 78)
        continue;

    return 11;
}
