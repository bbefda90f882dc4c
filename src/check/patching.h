/* SPDX-License-Identifier: MIT */
/*
 * check/patching.h - whether a patch is as large as the operand that it is for,
 * and whether all were made: a jump whose distance is still 0, or an address
 * still the placeholder, while others that were emitted like it were patched.
 *
 * Only what one store does to an instruction that was emitted forwards, and
 * that then runs as it is, is judged. What is aligned to its size may be stored
 * as a whole because another thread runs it.
 */
#ifndef JITTRACE_CHECK_PATCHING_H
#define JITTRACE_CHECK_PATCHING_H

#include "check/layout.h"
#include "check/ledger.h"

/* A value that was in an operand until that was patched, before it ran. */
struct placeholder {
    uint8_t size; /* bytes */
    bool is_relative;
    int64_t value;
    uint64_t seq;  /* of the patch */
    uint64_t addr; /* of the instruction */
};
#define PLACEHOLDERS 8

/* All zero is a valid one. */
struct patching {
    struct ranges misfits; /* of addresses: struct misfit (patching.c) */
    struct placeholder list[PLACEHOLDERS];
    size_t count;
};

void patching_release(struct patching *patching);

/* A store that the ledger has not taken, to an instruction that begins at base
 * (0: that is not known). */
void patching_write(struct patching *patching, const struct ledger *ledger,
                    const struct layout *layout, const struct event *event,
                    uint64_t base);

/* An instruction runs for the first time since it was stored. */
void patching_ran(struct patching *patching, struct ledger *ledger,
                  const struct place *place, const struct insn *insn);

#endif
