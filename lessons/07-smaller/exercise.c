/* SPDX-License-Identifier: MIT */
/*
 * The encoder of a JIT for x + TERM, 64 bits wide, with two encodings:
 *
 *     lea rax, [rdi+disp32]   ret     8 bytes, for every TERM
 *     lea rax, [rdi+disp8]    ret     5 bytes, where 8 bits are enough for TERM
 */
#include <stddef.h>
#include <stdint.h>

/* Stores the function in code, which has room for 8 bytes. Takes the shorter
 * encoding where it can, and returns its length. */
size_t encode(uint8_t *code, int32_t term)
{
    uint32_t disp = (uint32_t)term;

    /* Your turn: where 8 bits are enough, store 5 bytes and return 5. */

    code[0] = 0x48; /* REX.W: 64 bits */
    code[1] = 0x8d; /* lea r64, m */
    code[2] = 0x87; /* ModRM: rax, [rdi+disp32] */
    code[3] = (uint8_t)disp;
    code[4] = (uint8_t)(disp >> 8);
    code[5] = (uint8_t)(disp >> 16);
    code[6] = (uint8_t)(disp >> 24);
    code[7] = 0xc3; /* ret */
    return 8;
}
