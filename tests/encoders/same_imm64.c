/* SPDX-License-Identifier: MIT */
/* Behaves the same: mov rax, imm64. */
#include <stddef.h>
#include <stdint.h>

size_t encode_adder(uint8_t *code, int32_t term)
{
    uint64_t imm = (uint64_t)(int64_t)term;

    code[0] = 0x48;
    code[1] = 0xb8;
    for (int i = 0; i < 8; i++)
        code[2 + i] = (uint8_t)(imm >> 8 * i);
    code[10] = 0x48;
    code[11] = 0x01;
    code[12] = 0xf8;
    code[13] = 0xc3;

    return 14;
}
