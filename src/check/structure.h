/* SPDX-License-Identifier: MIT */
/*
 * check/structure.h - the rules about instructions as bytes: they were written
 * before they ran, control came to where they begin, their prefixes do what
 * they are for. Looked at when an instruction first runs as it is.
 *
 * An instruction that faulted counts as run: the CPU has fetched and decoded it.
 */
#ifndef JITTRACE_CHECK_STRUCTURE_H
#define JITTRACE_CHECK_STRUCTURE_H

#include "check/address.h"
#include "check/emitted.h"
#include "check/layout.h"
#include "check/ledger.h"
#include "check/moment.h"
#include "check/rewrite.h"
#include "check/whole.h"
#include "cpu/insn.h"
#include "trace/ranges.h"

/* Where a thread is, as far as these rules ask. */
struct structure_thread {
    int tid;
    bool inside;        /* its last event was an enter or a step ... */
    bool called;        /* ... of a call from outside */
    bool astray;        /* what it runs was told to be wrong, until it leaves */
    bool ran;           /* a step: the one of `last` */
    struct insn last;   /* as it was decoded */
    struct place place; /* of it */
    uint16_t set;       /* the general registers that were set since the call */
    struct givens givens;
};

/* All zero is a valid one. */
struct structure {
    struct layout layout;
    struct moment moment;
    struct rewrite rewrite;
    struct emitted emitted;
    struct ranges unsure; /* of mappings: what is in them is not all known */
    bool all_unsure;      /* of no mapping any more */
    struct structure_thread *threads;
    size_t count;
    size_t capacity;
};

void structure_release(struct structure *structure);

/* Whether what the thread runs is the consequence of a wrong arrival. */
bool structure_is_astray(struct structure *structure, int tid);

/* Before the ledger takes the event. */
void structure_before(struct structure *structure, struct ledger *ledger,
                      const struct event *event);

/* After it. */
void structure_after(struct structure *structure, struct ledger *ledger,
                     const struct event *event);

#endif
