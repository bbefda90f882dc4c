/* SPDX-License-Identifier: MIT */
/*
 * check/whole.h - control comes to where instructions begin (whole-instructions),
 * by distances that fit (cut-address).
 */
#ifndef JITTRACE_CHECK_WHOLE_H
#define JITTRACE_CHECK_WHOLE_H

#include "check/layout.h"
#include "check/ledger.h"
#include "cpu/insn.h"

/* An instruction that runs, and how control came to it. */
struct run {
    const struct event *event;
    struct place place;
    struct insn insn; /* length 0: the bytes are none */
    enum arrival arrival;
    const struct insn *last; /* what ran before it in this thread */
    const struct place *from;
};

/* Its length, or 1. */
static inline unsigned run_length(const struct run *run)
{
    return run->insn.length ? run->insn.length : 1;
}

/* Judges the arrival of one that runs for the first time since it was stored.
 * Returns false if that is what is wrong. */
bool whole_judge(const struct layout *layout, struct ledger *ledger,
                 const struct run *run);

/* A jump at that place led to where it should not: judges whether it has a rel8
 * that is right but for 256. */
void whole_wrapped(const struct layout *layout, struct ledger *ledger,
                   const struct insn *jump, const struct place *place);

/* Control left after `last`, at that place. */
void whole_left(struct ledger *ledger, const struct insn *last,
                const struct place *place, const struct event_leave *leave);

#endif
