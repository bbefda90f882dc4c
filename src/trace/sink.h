/* SPDX-License-Identifier: MIT */
/*
 * trace/sink.h - where events go: text, JSON Lines, raw bytes, a check.
 *
 * A sink is a struct of its own that begins with a struct sink. It is given
 * events, then finished, once, and freed. Sinks that write do so to a stream
 * that the caller opened and closes.
 */
#ifndef JITTRACE_TRACE_SINK_H
#define JITTRACE_TRACE_SINK_H

#include <stdio.h>

#include "base/err.h"
#include "trace/event.h"

struct sink {
    /* Takes one event. Returns 0, or -1 with err filled as by sink_write. */
    int (*emit)(struct sink *sink, const struct event *event, struct err *err);
    /* There are no more events: writes what had to wait for that. Returns as
     * emit does. NULL: nothing waits. */
    int (*finish)(struct sink *sink, struct err *err);
    /* Writes nothing. */
    void (*free)(struct sink *sink);
};

int sink_emit(struct sink *sink, const struct event *event, struct err *err);
int sink_finish(struct sink *sink, struct err *err);
void sink_free(struct sink *sink); /* accepts NULL */

/* Writes len bytes to out and flushes, so that a trace which is cut short ends
 * with a whole record and stays in step with what the program itself writes.
 * Returns 0, or -1 with err filled from errno (ERR_OUTPUT, or ERR_PIPE when
 * nobody reads). */
int sink_write(FILE *out, const void *data, size_t len, struct err *err);

/* One sink for several: each event goes to all of them. A sink that has failed
 * is given no more, and the others go on; so emit never fails. What failed is
 * told by finish, of several the one that was added last. That nobody reads any
 * more (ERR_PIPE) is no failure. */
struct sink *fan_new(void);

/* Adds a sink, which is the fan's from now on: to be finished and freed. */
void fan_add(struct sink *fan, struct sink *sink);

#endif
