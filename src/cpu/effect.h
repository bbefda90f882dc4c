/* SPDX-License-Identifier: MIT */
/*
 * cpu/effect.h - one sentence on what an executed instruction did, with the
 * values it really had: "rax = -4 + 1 = -3".
 */
#ifndef JITTRACE_CPU_EFFECT_H
#define JITTRACE_CPU_EFFECT_H

#include "cpu/insn.h"
#include "cpu/regs.h"

/* Memory that an executed instruction accessed. A read has old only. A write
 * has new, and old where the bytes before are known. All borrowed. */
struct mem_access {
    uint64_t addr;
    struct bytes old_bytes;
    struct bytes new_bytes;
};

/* Appends a sentence (no full stop, no newline, ASCII) on what insn did, all
 * from these arguments: the registers before and after it, program counters
 * too, and the memory that it read and wrote. What has no sentence of its own
 * gets one that lists the changes. */
void effect_describe(const struct insn *insn, const struct regs *before,
                     const struct regs *after, const struct mem_access *reads,
                     size_t read_count, const struct mem_access *writes,
                     size_t write_count, struct buf *out);

/* Appends the value as a reader wants it: what lies in [-2^47, 2^32) when taken
 * as a signed number of that many bits (8, 16, 32, 64) in decimal, all else in
 * hex. An address of user space is positive and below 2^47, so that a negative
 * number is never one. */
void value_describe(uint64_t value, unsigned bits, struct buf *out);

#endif
