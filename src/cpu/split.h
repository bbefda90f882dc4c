/* SPDX-License-Identifier: MIT */
/*
 * cpu/split.h - an instruction bit by bit.
 */
#ifndef JITTRACE_CPU_SPLIT_H
#define JITTRACE_CPU_SPLIT_H

#include "cpu/insn.h"

/* Some neighbouring bits of one byte that share a label. */
struct insn_bits {
    char label[24]; /* "W", "mod", "opcode", "imm 15..8", "0100" */
    uint8_t field;  /* index into insn->fields */
    uint8_t byte;   /* offset in the instruction */
    uint8_t high;   /* the highest bit, 7..0 */
    uint8_t width;  /* 1..8 */
    uint8_t value;
    /* What they say, as far as that is known from all of the instruction: the
     * name of a register, "/0", "register" or "memory+disp8" for mod; or "". */
    char meaning[16];
    enum insn_slot slot; /* of which register they are a part, if of one */
};
#define INSN_MAX_BITS (INSN_MAX_LENGTH * 8)

/*
 * Splits insn into its labelled bits, from the first byte's bit 7 on: every bit
 * has exactly one label. Fixed patterns (the 0100 of REX) are labelled with
 * themselves, immediates and displacements with the bits of the value that the
 * byte holds, "imm 7..0" first ("rel" where a jump counts from the next
 * instruction), a legacy prefix with what it means. "~R" is a bit that VEX
 * stores inverted. Fills out, INSN_MAX_BITS large; returns how many that were.
 */
size_t insn_split(const struct insn *insn, struct insn_bits *out);

#endif
