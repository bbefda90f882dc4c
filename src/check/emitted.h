/* SPDX-License-Identifier: MIT */
/*
 * check/emitted.h - instructions that take bytes of what was emitted behind
 * them (whole-emissions).
 *
 * An instruction is often emitted by several calls, its opcode by one and its
 * immediate by another. So it is blamed only for bytes that were whole
 * instructions by themselves, and if it either took a part of them and left the
 * rest; or took them all and control then comes to what was never written; or
 * they make a displacement that counts from rip, and the access faults. Code
 * that is not emitted in the order of its addresses is not judged, nor what was
 * inlined into one function: its compiler says there where a store ends.
 */
#ifndef JITTRACE_CHECK_EMITTED_H
#define JITTRACE_CHECK_EMITTED_H

#include "check/ledger.h"
#include "trace/emission.h"

/* All zero is a valid one. */
struct emitted {
    struct emissions emissions;
};

void emitted_release(struct emitted *emitted);

/* Takes the next event into account. */
void emitted_before(struct emitted *emitted, const struct event *event);

/* Whether addr is in the middle of an instruction, of those that were emitted
 * together: fills *out. */
bool emitted_middle(struct emitted *emitted, const struct ledger *ledger,
                    uint64_t addr, struct insn *out);

/* An instruction runs for the first time since it was stored. */
void emitted_ran(struct emitted *emitted, struct ledger *ledger,
                 const struct place *place, const struct insn *insn,
                 bool faulted);

#endif
