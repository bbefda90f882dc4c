/* SPDX-License-Identifier: MIT */
/*
 * diff/diff.h - where two runs of one program, or of two, first differ.
 *
 * Two recordings are gone through side by side, thread by thread (those that do
 * the same, and else those that were made in the same turn), and compared event
 * by event. Of each class of differences the first is kept, and the others are
 * counted.
 *
 * Two runs of one program have other addresses, so that an address is compared
 * by what it points into (diff/same.h). A register that differs at a call is
 * none of its arguments unless the code reads it; what is made of an address (a
 * hash of it) may be anything.
 */
#ifndef JITTRACE_DIFF_DIFF_H
#define JITTRACE_DIFF_DIFF_H

#include "trace/history.h"

/* The classes: DIFF(NAME, "name", "what they are"). */
#define DIFF_CLASSES(DIFF)                                                    \
    DIFF(CODE, "code bytes", "the bytes of an instruction")                   \
    DIFF(STORES, "order of stores", "which store comes when, and where to")   \
    DIFF(MAPPINGS, "mappings", "what mmap, mprotect and munmap were asked")   \
    DIFF(ARGUMENTS, "arguments", "what code came to work with at its entry")  \
    DIFF(REGISTERS, "registers", "what an instruction left in a register")    \
    DIFF(BRANCH, "branch taken", "where control went: branches, calls")       \
    DIFF(MEMORY, "memory written", "what an instruction wrote, and where to") \
    DIFF(OUTPUT, "output", "what the program printed")                        \
    DIFF(STATUS, "status", "signals, and how the program ended")

enum diff_class {
#define DIFF(NAME, name, about) DIFF_##NAME,
    DIFF_CLASSES(DIFF)
#undef DIFF
        DIFFS,
};

/* "code bytes", "order of stores" ... */
const char *diff_class_name(enum diff_class class);

/* One of the two, where they differ. */
struct diff_side {
    bool known;       /* it has such an event; else nothing is told of it */
    uint64_t seq;     /* of that, as its place in the history */
    bool has_code;    /* it is about generated code: an instruction at */
    uint64_t addr;    /* this address, and of that */
    uint64_t byte;    /* the byte at this one */
    uint64_t start;   /* where its mapping began */
    unsigned mapping; /* which one that is, from 1 */
    unsigned version; /* the generation of its code (trace/view.h) */
    struct buf has;   /* what it has there, in a few words */
};

struct difference {
    bool found;
    struct diff_side side[2];
    struct buf what;  /* what differs: "rax", "byte 3" */
    struct buf note;  /* what else is to be said; empty: nothing */
    bool meets;       /* both go on alike from an entry on: these events */
    uint64_t meet[2]; /* of both */
    uint64_t more;    /* further ones of this class */
};

/* Two events that were compared with each other. */
struct diff_pair {
    uint64_t seq[2]; /* of both */
};

/* All zero is a valid one that was not made yet. */
struct diff {
    struct difference first[DIFFS];
    bool limited[2]; /* not all was watched: that there is no difference is not
                      * known */
    uint64_t calls;  /* entries that were compared */
    uint64_t steps;  /* instructions that were */
    /* What goes with what, ascending on both sides: of the two threads that
     * have the most in common. */
    struct diff_pair *pairs;
    size_t pair_count;
    size_t pair_capacity;
};

void diff_release(struct diff *diff);

/* Compares two whole traces. */
void diff_make(struct history *a, struct history *b, struct diff *out);

/* Whether there is any. */
bool diff_any(const struct diff *diff);

/* Moves a moment, an event of each side, on along the pairs, or back. What
 * stands between two pairs was not compared: the first behind the pair is shown
 * with the first, and so on, and who has fewer waits. count: how many events
 * the sides have. Returns whether it moved. */
bool diff_move(const struct diff *diff, const uint64_t count[2], bool back,
               uint64_t seq[2]);

/* Whether these two were compared with each other. */
bool diff_is_pair(const struct diff *diff, const uint64_t seq[2]);

/* The event of the other side that goes with one of `side`, or the last one
 * that does before it. */
uint64_t diff_other(const struct diff *diff, int side, uint64_t seq);

/* The class of the one that comes first in the first trace, or DIFFS. */
enum diff_class diff_earliest(const struct diff *diff);

#endif
