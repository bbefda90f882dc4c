/* SPDX-License-Identifier: MIT */
/* Wrong: mov eax, imm32 makes zeros of the upper half. */
#include <stddef.h>
#include <stdint.h>

size_t encode_adder(uint8_t *code, int32_t term)
{
    uint32_t imm = (uint32_t)term;

    code[0] = 0xb8;
    code[1] = (uint8_t)imm;
    code[2] = (uint8_t)(imm >> 8);
    code[3] = (uint8_t)(imm >> 16);
    code[4] = (uint8_t)(imm >> 24);
    code[5] = 0x48;
    code[6] = 0x01;
    code[7] = 0xf8;
    code[8] = 0xc3;

    return 9;
}
