/* SPDX-License-Identifier: MIT */
/*
 * format/told.h - what a recording has told of each of its processes, so that it
 * is seen when it contradicts itself.
 */
#ifndef JITTRACE_FORMAT_TOLD_H
#define JITTRACE_FORMAT_TOLD_H

#include "cpu/insn.h"
#include "trace/view.h"

/* What is known of the bytes of a mapping. */
struct certainty {
    bool cleared;           /* those that no event tells of are zero */
    bool lost;              /* those that events tell of may be others by now */
    int writer;             /* the thread that wrote last */
    uint64_t written;       /* by the event of that number; 0: by none */
    uint64_t written_other; /* the last one of any other thread; or 0 */
};

/* What an instruction has stored over itself; its step is told afterwards. */
struct own_store {
    int tid;
    uint64_t pc;
    uint8_t old[INSN_MAX_LENGTH]; /* what the CPU has fetched */
    bool stored[INSN_MAX_LENGTH];
};

/* One process, as far as the recording has told of it. */
struct told {
    int pid;                    /* 0: that of the start event */
    struct view view;           /* after its event before */
    struct certainty *mappings; /* by the number of a mapping, from 1 */
    size_t mapping_count;
    size_t mapping_capacity;
    struct own_store own; /* the latest */
    bool all_lost;        /* the same of every mapping */
    bool steps_end;       /* from here on calls may pass without a step */
    uint64_t limited;     /* the number of the latest limit; 0: none */
};

/* All zero is a valid one of a recording that has told nothing. */
struct told_list {
    int root;          /* the process of the start event */
    struct told *list; /* it, and its children */
    size_t count;
    size_t capacity;
};

void told_release(struct told_list *told);

/* What was told of the process of the next event; by an exec it begins anew. A
 * process whose parent was killed before it told of it is told of by nobody.
 * Valid until the next such question. */
struct told *told_of(struct told_list *told, const struct event *event);

/* Takes a fork event, whose own process was asked for: the child has what its
 * parent has, or, of memory that it shares, gets something of its own by its
 * exec. */
void told_fork(struct told_list *told, const struct event *event);

/* What is known of the mapping of a region. */
struct certainty *told_certainty(struct told *told,
                                 const struct region *region);

#endif
