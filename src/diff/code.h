/* SPDX-License-Identifier: MIT */
/*
 * diff/code.h - whether code of two runs is the same but for addresses in it.
 *
 * Addresses stand in immediates and displacements. Which bytes these are is
 * known of what was decoded: of an instruction that runs, and else by reading
 * code from its beginning, which data in between may mislead. Words of data at
 * addresses that 8 divides may be addresses, too, and so may what one store has
 * put there.
 */
#ifndef JITTRACE_DIFF_CODE_H
#define JITTRACE_DIFF_CODE_H

#include "cpu/insn.h"
#include "diff/same.h"
#include "trace/ranges.h"

/* Whether two instructions are the same but for the addresses in them. */
bool code_same(struct same *same, const struct insn *a, const struct insn *b);

/* Code in a mapping of each side that differs. */
struct code_difference {
    uint64_t offset;     /* of the first instruction that does */
    uint64_t byte;       /* and of its first byte that does */
    struct insn insn[2]; /* of both; length 0: it is none */
    bool written[2];     /* whether a side has a byte there at all */
    uint64_t more;       /* further instructions that do */
};

/* Compares what was written of two mappings that began there, but for what
 * `stored`, of addresses of the first side, has, and `others` of either.
 * Returns whether it differs, and then fills *out. */
bool code_compare(struct same *same, const struct ranges *stored,
                  const struct ranges *const others[2], const uint64_t start[2],
                  const uint64_t length[2], struct code_difference *out);

#endif
