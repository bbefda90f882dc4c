/* SPDX-License-Identifier: MIT */
/*
 * Exercise 02: an instruction, bit by bit.
 *
 * The three bytes below are `add rax, rdi`, whatever registers are asked for.
 */
#include <stdint.h>

/* Stores the machine code of `add to, from`: REX, opcode, ModRM. The registers
 * are numbers from 0 to 15: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15.
 */
void encode_add(uint8_t *code, unsigned to, unsigned from)
{
    /* Your turn: put both numbers where they belong. */
    (void)to;
    (void)from;
    code[0] = 0x48;
    code[1] = 0x01;
    code[2] = 0xf8;
}
