/* SPDX-License-Identifier: MIT */
/*
 * cpu/fp.h - the state of floating-point arithmetic that a function hands back
 * as it found it, in one number: it is recorded where a call begins and ends.
 *
 *     bits 0..15    the x87 control word (Intel SDM vol. 1, 8.1.5)
 *     bits 16..23   one for each x87 register that is in use (the abridged tag
 *                   word of FXSAVE, 10.5.1.1)
 *     bits 32..63   MXCSR (10.2.3)
 */
#ifndef JITTRACE_CPU_FP_H
#define JITTRACE_CPU_FP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cpu/insn.h"
#include "cpu/vregs.h"

uint64_t fp_state(const struct vregs *vregs);

enum fp_difference {
    FP_SAME,
    FP_CONTROL, /* how numbers are rounded, what raises an exception */
    FP_IN_USE,  /* more registers than a result takes, so that there is no room:
                 * what MMX code leaves without emms (9.6.2) */
};

/* What a function has changed that it must not (psABI 3.2.1: the control bits
 * of MXCSR and the x87 control word are callee-saved), by the states at its
 * entry and its return. Appends what that is, but for FP_SAME. */
enum fp_difference fp_compare(uint64_t entry, uint64_t now, struct buf *out);

/* Whether an instruction may change the control bits. */
bool fp_sets_control(const struct insn *insn);

#endif
