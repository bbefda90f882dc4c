/* SPDX-License-Identifier: MIT */
/*
 * trace/views.h - the state at a moment of a trace that may be of several
 * processes: a view of each.
 *
 * A child that has a copy of the memory begins with a copy of its parent's
 * view. One that shares it has a view of its own from its exec on. Copies of
 * views share what is the same in them.
 */
#ifndef JITTRACE_TRACE_VIEWS_H
#define JITTRACE_TRACE_VIEWS_H

#include "trace/view.h"

struct view_shared {
    size_t uses;
    struct view view;
};

struct view_process {
    int pid; /* 0: that of the start event, where children are not followed */
    struct view_shared *shared;
};

/* All zero is a valid one that has seen no event. */
struct views {
    uint64_t applied; /* how many events have been */
    int root;         /* the process of the start event */
    bool keeps_uses;  /* as its views */
    struct view_process *list;
    size_t count;
    size_t capacity;
};

void views_release(struct views *views);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void views_copy(struct views *to, const struct views *from);

/* Takes the next event into account; the events of a store up to the first
 * `count`. */
void views_apply(struct views *views, const struct event *event);
void views_advance(struct views *views, const struct store *store,
                   uint64_t count);

/* The view of a process, or of the first one for 0 and for a process of which
 * no event has told. Valid until the views change. At least one event must have
 * been taken into account. */
const struct view *views_of(const struct views *views, int pid);

#endif
