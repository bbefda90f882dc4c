/* SPDX-License-Identifier: MIT */
/*
 * diff/walk.h - a pair of threads, from the first event to the last.
 *
 * The events of both threads are taken side by side. Stores between two other
 * events are compared as a group: which comes when, and where to. What they
 * made is compared when it is used (protect, enter) or goes away; so the same
 * code by other stores is only another order of stores.
 *
 *     A   write write write write   protect   enter step step leave
 *     B   write    write            protect   enter step step step leave
 *         '------ a group -----'     code            the branch: from here on
 *                                                    apart, to the next enter
 *
 * Where control goes apart, all is left out up to the next entry into generated
 * code that no other such code has led to: there they meet again.
 */
#ifndef JITTRACE_DIFF_WALK_H
#define JITTRACE_DIFF_WALK_H

#include "diff/diff.h"
#include "diff/flow.h"
#include "diff/same.h"
#include "trace/where.h"

struct walk_side {
    const struct store *store;
    struct view view;    /* before the event at: */
    uint64_t at;         /* which is one of the thread, if it is peeked at */
    struct unpacked now; /* and this */
    int tid;
    bool threads;              /* there are others */
    struct ranges others;      /* what these store, somewhen */
    bool limited;              /* not all was watched so far */
    const struct where *where; /* of the whole trace */
};

/* A mapping of the first side whose bytes may differ. */
struct walk_dirty {
    uint64_t mapping;
    bool dirty;
    bool pending;     /* a store of other bytes, told unless the code is: */
    uint64_t seq[2];  /* these events, at */
    uint64_t addr[2]; /* these addresses, of so many bytes: */
    size_t length;
    struct buf has[2];
};

/* Shared by the walks of all pairs: same, and diff, where it ends up. All zero
 * but for these and store, where and tid is one that has not begun. */
struct walk {
    struct flow_report report; /* the first member: this is one */
    struct same *same;
    struct diff *diff;
    struct walk_side side[2];
    struct flow flow;
    bool unaligned;         /* entries are of calls that may be other ones */
    bool lost;              /* control went apart */
    bool shifted;           /* the code of both has other lengths */
    uint64_t entered_steps; /* steps since the entry */
    struct walk_dirty *touched;
    size_t touched_count;
    size_t touched_capacity;
    struct ranges stored; /* addresses of the first side: what one store has
                           * put there is the same as there, but in number */
    uint64_t *told;       /* addresses whose code is told, of the first side */
    size_t told_count;
    size_t told_capacity;
};

void walk_run(struct walk *walk);
void walk_release(struct walk *walk);

/* --- for walk_stores.c and walk_memory.c ---------------------------------- */

/* The next event of the thread, or exit, or NULL: there is none. */
const struct event *walk_peek(struct walk_side *side);
/* Goes on behind it. */
void walk_take(struct walk_side *side);

/* A difference of that class at these events, of which at most one is NULL. */
void walk_say(struct walk *walk, enum diff_class class,
              const struct event *left, const struct event *right,
              const char *what, const char *has, const char *other);

/* These two are compared with each other. */
void walk_pair(struct walk *walk, uint64_t a, uint64_t b);

/* Says that it is about generated code there. */
void walk_place(struct walk *walk, struct difference *difference, int side,
                uint64_t addr, uint64_t byte);

/* --- walk_stores.c -------------------------------------------------------- */

/* Takes the writes that come next on either side. */
void walk_stores(struct walk *walk);

/* The bytes of the mapping that addr of the first side is in may differ. */
void walk_touch(struct walk *walk, uint64_t addr);

/* Compares the bytes of the mapping that addr of the first side is in, if they
 * may differ; or of all. */
void walk_compare(struct walk *walk, uint64_t addr);
void walk_compare_all(struct walk *walk);

/* Code at that address of the first side differs; says so once. */
bool walk_is_told(struct walk *walk, uint64_t addr);

/* --- walk_memory.c -------------------------------------------------------- */

/* A map, protect or unmap, or a call that was refused. */
bool walk_is_about_memory(const struct event *event);

/* Both have an event of that kind, or a signal. */
void walk_memory(struct walk *walk);

/* That side has one, and the other has not. */
void walk_one_has(struct walk *walk, bool which);

/* Whether the code that two events carry is the same to the byte. */
bool walk_same_found(struct bytes a, struct bytes b);

#endif
