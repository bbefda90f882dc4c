/* SPDX-License-Identifier: MIT */
/*
 * check/doubts.h - what is most likely wrong in a call, and may be meant: all of
 * it is told as notes.
 *
 *   lost-value    a register that the code has set, and that nothing has read,
 *                 is written by an instruction that does not name it, and read
 *                 then
 *   operand-size  an operation of 32 bits on a register that has more, for a
 *                 result of which the caller takes 64; and a mask that keeps all
 *   shift-count   a shift by a count that is as the caller left it, in code that
 *                 does not take as many arguments
 *
 * A value is followed in its register alone.
 */
#ifndef JITTRACE_CHECK_DOUBTS_H
#define JITTRACE_CHECK_DOUBTS_H

#include "check/ledger.h"
#include "cpu/trait.h"

struct doubts {
    uint32_t ready; /* registers with a value that nothing has read, and */
    uint32_t lost; /* with what was written over such a one; bits of enum reg */
    uint32_t set;  /* that the code has set */
    uint32_t read; /* that it has read */
    uint64_t set_at[REG_GENERAL]; /* offsets */
    struct place lost_by[REG_GENERAL];
    struct place cut;   /* what has cut the value that the result is made of */
    uint64_t whole;     /* what it would have made of 64 bits */
    struct place count; /* the first shift by what the caller left */
    enum reg count_reg;
};

/* Looks at a step that the view has not taken. now: the registers before it. */
void doubts_step(struct doubts *doubts, struct ledger *ledger,
                 const struct place *place, const struct regs *now,
                 const struct insn_trait *trait);

/* What is in the registers is not known any more. */
void doubts_forget(struct doubts *doubts);

/* The call returns: judges what only its end tells. taken: as in the leave
 * event, or NULL. */
void doubts_returned(const struct doubts *doubts, struct ledger *ledger,
                     const char *taken, uint64_t result);

#endif
