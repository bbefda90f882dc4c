/* SPDX-License-Identifier: MIT */
/*
 * check/rewrite.h - code that was changed after it was emitted (overwritten).
 *
 * Programs that make code change it all the time, and rightly so: they fill in
 * what was not known, and use memory again. Three ways are wrong:
 *
 *   a store that does not fit the instructions that were there: what is left of
 *   one is run as a part of another
 *   a thread stores its code where another one has just stored its own, which
 *   never ran
 *   a child process changes what it shares with its parent
 *
 * Each is told when the code runs.
 */
#ifndef JITTRACE_CHECK_REWRITE_H
#define JITTRACE_CHECK_REWRITE_H

#include "check/layout.h"
#include "check/ledger.h"
#include "check/patching.h"
#include "trace/ranges.h"

/* What a thread was last seen doing: the bytes, if that was a store; or 0. */
struct actor {
    int tid;
    uint64_t from;
    uint64_t to;
};

/* All zero is a valid one. */
struct rewrite {
    struct ranges patches; /* of addresses: struct patch (rewrite.c) */
    struct ranges taken;   /* by another thread: struct taken */
    struct ranges foreign; /* by a child: struct foreign */
    struct ranges shared;  /* of mappings that a child has, too */
    struct patching patching;
    int child; /* a process that was forked, or 0 */
    struct actor *actors;
    size_t count;
    size_t capacity;
};

void rewrite_release(struct rewrite *rewrite);

/* Before the ledger, and the layout, take the event. */
void rewrite_before(struct rewrite *rewrite, struct ledger *ledger,
                    const struct layout *layout, const struct event *event);

/* The ledger has this mapping now. */
void rewrite_mapped(struct rewrite *rewrite, const struct ledger *ledger,
                    const struct event_map *map);

/* An instruction runs for the first time since it was stored. */
void rewrite_ran(struct rewrite *rewrite, struct ledger *ledger,
                 const struct place *place, const struct insn *insn);

#endif
