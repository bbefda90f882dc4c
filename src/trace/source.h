/* SPDX-License-Identifier: MIT */
/*
 * trace/source.h - where events come from: a running program, a recording.
 *
 * A source is a struct of its own that begins with a struct source.
 */
#ifndef JITTRACE_TRACE_SOURCE_H
#define JITTRACE_TRACE_SOURCE_H

#include "base/err.h"
#include "trace/event.h"

struct source {
    /* Gets the next event. Returns 1, 0 at the end, or -1 with err filled. What
     * the event points to is valid until the next call. */
    int (*next)(struct source *source, struct event *event, struct err *err);
    /* Whether next has something to return without waiting for anybody: 1, or
     * 0, or -1 with err filled. NULL: it always has. */
    int (*ready)(struct source *source, struct err *err);
    void (*free)(struct source *source);
};

static inline int source_next(struct source *source, struct event *event,
                              struct err *err)
{
    return source->next(source, event, err);
}

static inline int source_ready(struct source *source, struct err *err)
{
    return source->ready ? source->ready(source, err) : 1;
}

/* Accepts NULL. */
static inline void source_free(struct source *source)
{
    if (source)
        source->free(source);
}

#endif
