/* SPDX-License-Identifier: MIT */
/*
 * cpu/effect.h - one sentence on what an executed instruction did, with the
 * values it really had: "rax = -4 + 1 = -3".
 */
#ifndef JITTRACE_CPU_EFFECT_H
#define JITTRACE_CPU_EFFECT_H

#include "cpu/insn.h"
#include "cpu/regs.h"
#include "cpu/vregs.h"

/* Memory that an executed instruction accessed. A read has old only. A write
 * has new, and old where the bytes before are known. All borrowed. */
struct mem_access {
    uint64_t addr;
    struct bytes old_bytes;
    struct bytes new_bytes;
};

/* All that is known of one executed instruction: the registers before and after
 * it, program counters too, and the memory that it read and wrote. Those of
 * cpu/vregs.h may be NULL: they are not known. All borrowed. */
struct executed {
    const struct insn *insn;
    const struct regs *before, *after;
    const struct vregs *vregs_before, *vregs_after;
    const struct mem_access *reads;
    size_t read_count;
    const struct mem_access *writes;
    size_t write_count;
};

/* Appends a sentence (no full stop, no newline, ASCII) on what it did, all from
 * what is known of it. What has no sentence of its own gets one that lists the
 * changes. */
void effect_describe(const struct executed *executed, struct buf *out);

/* Appends what of a register of cpu/vregs.h insn (or NULL) has changed, old ->
 * new: of a vector the lanes that did, as numbers if insn has such. "xmm7 2.5
 * -> 6.25", "xmm0[1] 2 -> 3, [3] 0 -> 1". Returns false, and appends nothing,
 * where that needs no word: of the x87 what is not in use (by the tags after
 * it), and its tags. */
bool effect_change(const struct insn *insn, const struct vreg_change *change,
                   const struct vregs *after, struct buf *out);

/* Appends the value that a vector register of so many bytes, the lowest first,
 * holds for an instruction of that mnemonic (or NULL): "2.5". */
void effect_value(const char *mnemonic, struct bytes value, struct buf *out);

/* Appends a register and its value, or returns false where it holds nothing: 0,
 * or is not in use. as_doubles: vectors as numbers of 64 bits, else in hex. */
bool effect_register(const struct vregs *vregs, enum vreg reg, bool as_doubles,
                     struct buf *out);

/* Appends the value as a reader wants it: what lies in [-2^47, 2^32) when taken
 * as a signed number of that many bits (8, 16, 32, 64) in decimal, all else in
 * hex. An address of user space is positive and below 2^47, so that a negative
 * number is never one. */
void value_describe(uint64_t value, unsigned bits, struct buf *out);

#endif
