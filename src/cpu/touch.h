/* SPDX-License-Identifier: MIT */
/*
 * cpu/touch.h - which registers an instruction reads and writes.
 */
#ifndef JITTRACE_CPU_TOUCH_H
#define JITTRACE_CPU_TOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/insn.h"

/* The registers that an instruction reads and writes: bit n is that of enum reg
 * n, or of vector register n. */
struct insn_touch {
    uint32_t read; /* those of addresses, too */
    uint32_t written;
    uint32_t vectors_read;
    uint32_t vectors_written;
    bool is_x87; /* some x87 or MMX register */
    bool moves;  /* it only brings a value elsewhere: mov, push */
};

/* What it touches, hidden operands, too. What a register is exclusive-ored with
 * itself for, or subtracted from itself, is no reading (SDM vol. 1,
 * 3.4.1.1 and "dependency-breaking idioms" of the optimization manual). */
void insn_touches(const struct insn *insn, struct insn_touch *out);

#endif
