/* SPDX-License-Identifier: MIT */
/*
 * cpu/x86/lanes.h - the numbers that lie in a vector register, for the sentences
 * of this folder.
 *
 * What they are is told by the name of the instruction (SDM vol. 1, 4.6 and
 * 4.2): ss, sd one floating-point number, ps, pd as many as there is room for;
 * b, w, d, q integers.
 */
#ifndef JITTRACE_CPU_X86_LANES_H
#define JITTRACE_CPU_X86_LANES_H

#include "cpu/vregs.h"
#include "cpu/x86/tell.h"

struct lane_type {
    unsigned bits; /* 0: none, what is there are only bits */
    bool is_real;
    bool is_one; /* of the register only the lowest counts */
};

/* What the name of that instruction says, or that of its type alone ("sd"). */
struct lane_type lane_type_of(const char *name);
struct lane_type lane_type_named(const char *name);

/* The mnemonic without the v of VEX and EVEX. */
const char *vector_name(const struct insn *insn);

/* A lane from the bytes of a register, as a number of 64 bits; and puts it. */
uint64_t lane_get(const uint8_t *bytes, unsigned bits, unsigned index);
void lane_put(uint8_t *bytes, unsigned bits, unsigned index, uint64_t value);

/* A floating-point number from its bits, 32 or 64; and the bits of one. */
double real_of(uint64_t value, unsigned bits);
uint64_t real_bits(double number, unsigned bits);
bool real_is_nan(uint64_t value, unsigned bits);

/* Whether a lane holds that: all that are not a number are equal. */
bool lane_is(uint64_t value, uint64_t wanted, struct lane_type type);

/* Appends a lane: "2.5", "-0", "inf", "NaN"; as few digits as tell it from all
 * other numbers of its size. Integers as value_describe has them. */
void lane_describe(uint64_t value, struct lane_type type, struct buf *out);

/* Appends a value that has no type: "0x" and digits. */
void wide_bytes_describe(struct bytes bytes, struct buf *out);

/* A number of the x87 from its 10 bytes; and appends it. */
long double extended_of(const uint8_t bytes[10]);
void extended_describe(long double number, struct buf *out);

/* Appends "xmm1", the name of a vector operand. */
void operand_name(const struct step *step, const struct insn_operand *operand);

/* The bytes of a vector register before or after, or of memory that was read;
 * len may be less than VREG_BYTES. data == NULL: they are not known. */
struct bytes operand_bytes(const struct step *step, enum moment moment,
                           const struct insn_operand *operand);

/* Rounds as MXCSR (bits 13 and 14) or that field of the x87 control word says,
 * from 0 to 3 (SDM vol. 1, table 4-8), until rounding_end. */
int rounding_begin(unsigned mode);
void rounding_end(int saved);
unsigned mxcsr_rounding(const struct vregs *vregs);

#endif
