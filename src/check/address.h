/* SPDX-License-Identifier: MIT */
/*
 * check/address.h - addresses of which the upper half was lost: by a mov that
 * holds 32 bits, a distance that does not fit a rel32, an absolute address in a
 * displacement that counts from rip.
 *
 * Numbers alone prove nothing. So a fault must come of it, at an address whose
 * lower half is that of something that is mapped (signal.twin), and the number
 * must stand in an instruction that ran: the jump, the one that faulted, or one
 * that loaded a register from its own bytes.
 */
#ifndef JITTRACE_CHECK_ADDRESS_H
#define JITTRACE_CHECK_ADDRESS_H

#include "check/ledger.h"
#include "cpu/insn.h"
#include "cpu/regs.h"

/* That a register holds what an instruction has in its own bytes. */
struct given {
    bool known;
    uint64_t value;
    struct place place; /* the instruction */
};

/* What the registers of a thread were given; all zero: nothing is known. */
struct givens {
    struct given list[REG_GENERAL];
};

/* A step, before the ledger takes it: insn ran at that place. */
void address_step(struct givens *givens, struct ledger *ledger,
                  const struct event *event, const struct insn *insn,
                  const struct place *place);

/* A function outside may have changed what it may change. */
void address_returned(struct givens *givens);

/* A fault; `last` ran last in this thread, at that place (length 0: none did).
 */
void address_fault(const struct givens *givens, struct ledger *ledger,
                   const struct event *event, const struct insn *last,
                   const struct place *place);

#endif
