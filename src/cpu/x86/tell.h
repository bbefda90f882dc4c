/* SPDX-License-Identifier: MIT */
/*
 * cpu/x86/tell.h - the words and the sentences of effect.c, for this folder.
 *
 * A sentence is a tell_function: it appends to step->out what its instruction
 * did, or returns false when the arguments do not tell, and then effect.c
 * takes back what was appended.
 */
#ifndef JITTRACE_CPU_X86_TELL_H
#define JITTRACE_CPU_X86_TELL_H

#include "cpu/effect.h"

/* Everything that is known of one executed instruction. */
struct step {
    const struct insn *insn;
    const struct regs *before;
    const struct regs *after;
    const struct vregs *vregs_before; /* both, or NULL: not known */
    const struct vregs *vregs_after;
    const struct mem_access *reads;
    size_t read_count;
    const struct mem_access *writes;
    size_t write_count;
    struct buf *out;
    const char *detail; /* what the table in effect.c says of the mnemonic */
};

typedef bool tell_function(const struct step *step);

/* How the numbers of an equation are taken, and written so that they are. */
enum reading {
    READ_AS_SHOWN, /* by value_describe: signed in decimal, unsigned in hex */
    READ_SIGNED,   /* with a sign in hex too: "-0x8000000000000000" */
    READ_UNSIGNED,
    READING_COUNT,
};

/*
 * Appends a template. All between its conversions is taken as it is.
 *
 *   %v  uint64_t, unsigned bits: a value as value_describe has it
 *   %r  uint64_t, unsigned bits, enum reading: a value in that reading
 *   %w  unsigned __int128, unsigned bits, bool is_signed: as wide_describe
 *   %a  uint64_t: an address, "0x7fff0010"
 *   %n  size_t: a size, "8 bytes"
 *   %h  struct bytes: "00 00 80 3f"
 *   %f  uint64_t: flags, "CF ZF"
 *   %g  enum reg, unsigned bits: the name of that part, "eax"
 *   %s  const char *
 *   %u  unsigned
 *
 * Of an operand of the instruction, whose number follows:
 *
 *   %P0  its place, "eax" or "4 bytes at 0x1000"
 *   %O0  "of eax" or "at 0x1000"  %B0  how many bits it has
 *   %X0  of memory: "0x1000 (4 bytes)"
 *   %A0  of memory: "0x1000"
 *   %F0  ", loaded from 0x1000 (4 bytes)" if it is in memory, or nothing
 *   %W0  what it held before      %V0  what it holds after the instruction
 *
 * Of the instruction:
 *
 *   %C  where control is now      %N  the address behind it
 *   %D  by how much rsp is higher now, "8"
 *   %S  "; rsp goes down by 8 to 0x7ffe0008"
 *
 * Returns false where %W or %V is not known.
 */
bool tell(const struct step *step, const char *template, ...);

/* --- numbers -------------------------------------------------------------- */

/* The low bits of a value. */
uint64_t value_truncate(uint64_t value, unsigned bits);

/* The number that the value is in that reading. */
__int128 value_read(uint64_t value, unsigned bits, enum reading reading);

/* The number in the low bits (up to 128), with or without a sign; and appends
 * it: a large negative one with a sign, too. */
__int128 wide_extend(unsigned __int128 value, unsigned bits, bool is_signed);
void wide_describe(unsigned __int128 value, unsigned bits, bool is_signed,
                   struct buf *out);

/* The two halves of a product or dividend: ax, or rdx:rax. */
unsigned __int128 wide_value(const struct regs *regs, unsigned bits);

/* A number from little-endian bytes, if there are as many as bits says. */
bool bytes_number(struct bytes bytes, unsigned bits, uint64_t *value);

/* --- operands ------------------------------------------------------------- */

/* The access that begins at addr, or NULL. */
const struct mem_access *access_at(const struct mem_access *list, size_t count,
                                   uint64_t addr);

/* Whether its mnemonic is among these words. One that ends in "*" stands for
 * all that begin so. */
bool insn_is(const struct insn *insn, const char *mnemonics);

/* The counter of loop, jrcxz and rep is ecx under an address-size prefix. */
unsigned insn_counter_bits(const struct insn *insn);

/* How many operands are written in the text. They come first. */
unsigned insn_visible_operands(const struct insn *insn);

/* A register that an address is made of: rip is behind the instruction, and
 * REG_NONE is 0. */
uint64_t insn_register(const struct insn *insn, const struct regs *regs,
                       enum reg reg);

/* A register of regs.def: only of these are the values known. */
bool operand_is_register(const struct insn_operand *operand);
bool operand_is_same(const struct insn_operand *a,
                     const struct insn_operand *b);

/* The part of the register that the operand uses, as an unsigned number. */
uint64_t operand_part(const struct insn_operand *operand,
                      const struct regs *regs);

/* What a register, an immediate or a place in memory held before, or holds
 * after the instruction (no immediate). False when it is not known. */
enum moment { BEFORE, AFTER };
bool operand_value(const struct step *step, enum moment moment,
                   const struct insn_operand *operand, uint64_t *value);

/* --- equations ------------------------------------------------------------ */

/* a symbol b = result, of that many bits */
struct equation {
    const char *symbol; /* + - * & | ^ << or >>; a letter behind it is for the
                         * sentence: c of carry, s and u of sign */
    uint64_t a, b, result;
    unsigned bits;
    unsigned carry; /* 0 or 1, that is added or subtracted too */
};

/* "5 + 3 = 8", or "..., wrapped around at 32 bits". False when the result is
 * not that of a and b. */
bool tell_equation(const struct step *step, const struct equation *equation);

/* --- sentences ------------------------------------------------------------ */

/* tell_move.c */
tell_function tell_move, tell_cmpxchg, tell_push, tell_pop, tell_flags_moved,
    tell_leave, tell_string, tell_cpuid, tell_answer, tell_syscall,
    tell_condition, tell_counter, tell_near;

/* tell_math.c */
tell_function tell_binary, tell_xadd, tell_unary, tell_shift, tell_lea,
    tell_wide, tell_compare;

/* tell_vector.c, tell_lanes.c, tell_x87.c: where the registers of cpu/vregs.h
 * are known. These go by the mnemonic themselves. */
tell_function tell_vector, tell_convert, tell_vector_move, tell_shuffle,
    tell_x87;

/* vreg_changes.c: the changes of these registers, one after the other. Returns
 * whether there are any; *joint comes before the first one and is "; " then. */
bool tell_vreg_changes(const struct step *step, const char **joint);

#endif
