/* SPDX-License-Identifier: MIT */
/* Wrong: the loop over the bytes never ends, for twice 0 is 0. */
#include <stddef.h>
#include <stdint.h>

size_t encode_adder(uint8_t *code, int32_t term)
{
    uint32_t imm = (uint32_t)term;

    code[0] = 0x48;
    code[1] = 0xc7;
    code[2] = 0xc0;
    for (int i = 0; i < 4; i *= 2, imm >>= 8)
        code[3 + i] = (uint8_t)imm;
    code[7] = 0x48;
    code[8] = 0x01;
    code[9] = 0xf8;
    code[10] = 0xc3;

    return 11;
}
