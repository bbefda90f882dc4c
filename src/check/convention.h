/* SPDX-License-Identifier: MIT */
/*
 * check/convention.h - the rules of the calling convention (System V AMD64
 * psABI, 3.2), looked at where a call begins and ends.
 *
 * Only a call from outside is judged that ends by a return to where it came
 * from: code that is entered or left by a jump has a convention of its own, and
 * so has what is called by other code than a C compiler's.
 */
#ifndef JITTRACE_CHECK_CONVENTION_H
#define JITTRACE_CHECK_CONVENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "check/ledger.h"
#include "cpu/calling.h"

/* What became of a register that a call must give back. */
struct kept {
    struct place first; /* what changed it first, and last */
    struct place last;
    bool loaded;  /* the last one took the value from memory */
    bool stored;  /* the caller's value was, before it was changed */
    bool outside; /* a function outside changed it */
};

/* A call from outside that has not ended. */
struct call {
    uint64_t seq; /* of its enter event: that of its frame */
    struct regs regs;
    bool blind; /* not all of its steps were seen */
    struct kept kept[CALLING_SAVED];
};

struct convention_thread {
    int tid;
    struct call *calls; /* the innermost one last */
    size_t count;
    size_t capacity;
};

/* All zero is a valid one. */
struct convention {
    struct convention_thread *threads;
    size_t count;
    size_t capacity;
};

void convention_release(struct convention *convention);

void convention_before(struct convention *convention, struct ledger *ledger,
                       const struct event *event);
void convention_after(struct convention *convention, struct ledger *ledger,
                      const struct event *event);

#endif
