/* SPDX-License-Identifier: MIT */
/*
 * tell/sweep.h - the instructions in a stretch of written bytes, one after
 * the other.
 *
 * A linear sweep takes what follows an instruction for the next one. Data
 * between instructions misleads it; it says where bytes are no instruction and
 * goes on behind the first of them. Bytes that were never written are skipped.
 */
#ifndef JITTRACE_TELL_SWEEP_H
#define JITTRACE_TELL_SWEEP_H

#include "trace/pages.h"
#include "cpu/insn.h"

struct sweep {
    const struct pages *pages;
    uint64_t at;
    uint64_t end;
    struct insn insn;    /* after SWEEP_INSN */
    uint64_t bad;        /* after SWEEP_BAD: where the bytes are */
    uint64_t bad_length; /* and how many */
};

enum sweep_found {
    SWEEP_END,
    SWEEP_INSN,
    SWEEP_BAD,
};

/*
 * A sweep over the instructions that begin before end. It starts at first or,
 * so as to meet whole instructions, earlier: where the written bytes before
 * first begin, but at most 8 KiB before it. That bounds the cost of a program
 * that changes a byte a thousand times. After a start in the middle of an
 * instruction a sweep is in step again soon, though not always.
 */
void sweep_init(struct sweep *sweep, const struct pages *pages, uint64_t first,
                uint64_t end);

/* Finds the next instruction, or the next bytes that are none. */
enum sweep_found sweep_next(struct sweep *sweep);

#endif
