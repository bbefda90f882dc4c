/* SPDX-License-Identifier: MIT */
/*
 * trace/lineage.h - the processes of a trace, and what made the memory that a
 * child began with: the events of its parent up to the fork, of that one's
 * parent up to its own, and so on.
 *
 *     process 1   start ── map ── write ──┬── write ...
 *     process 2                           └── write ──┬── ...
 *     process 3                                       └── enter ...
 *
 * The past of 3 is start, map, write of 1 and write of 2. There the thread that
 * forked has the number of the child, which goes on as that did. Whoever gives
 * the past of a child to something new, and then the child's own events, has a
 * trace that looks like one of a program alone. An exec begins a new past, as a
 * start does, and is told as one: a process has one life after the other, and a
 * child's past is that life of its parent in which it was made.
 */
#ifndef JITTRACE_TRACE_LINEAGE_H
#define JITTRACE_TRACE_LINEAGE_H

#include "trace/store.h"

#define LIFE_NONE SIZE_MAX

struct birth {
    int pid;
    int tid;        /* the thread of the parent that made it */
    size_t parent;  /* the life of the parent; LIFE_NONE: it has no past */
    uint64_t at;    /* how many events were kept when it began, */
    uint64_t place; /* and how many there were in all */
    uint64_t end;   /* the place where the process begins another life */
};

/* All zero is a valid one that has seen no event. */
struct lineage {
    struct store kept;
    int root;       /* the process of the start event */
    uint64_t taken; /* events, kept or not */
    bool has_children;
    bool keeps_nothing; /* but where processes began: there is another store */
    struct birth *births; /* of all lives, in order */
    size_t count;
    size_t capacity;
};

void lineage_release(struct lineage *lineage);

/* Takes the next event into account. Of a trace that follows no children
 * nothing but the start event is kept. */
void lineage_take(struct lineage *lineage, const struct event *event);

/* The process that the event is of, never 0. */
int lineage_pid(const struct lineage *lineage, const struct event *event);

/* Whether the event needs what is known of its process: not what it prints, nor
 * that it ends. */
bool lineage_needs_past(const struct event *event);

/* The life, an index of births, that a process (0: the first one) has at event
 * number `place`; or LIFE_NONE. */
size_t lineage_life(const struct lineage *lineage, int pid, uint64_t place);

/* Whether event number `place` of the trace is a part of what a process has
 * done in a life of its own, or of the past of that. */
bool lineage_has(const struct lineage *lineage, size_t life, uint64_t place,
                 const struct event *event);

/* Calls take for each event of the past of a process, as it is now, in order,
 * until that returns less than 0, which this returns then; else 0. */
int lineage_replay(const struct lineage *lineage, int pid,
                   int (*take)(void *context, const struct event *event),
                   void *context);

/* An exec event as the start event that it is for one process alone; any other
 * as it is. */
struct event lineage_own(const struct event *event, int pid);

#endif
