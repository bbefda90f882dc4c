/* SPDX-License-Identifier: MIT */
/*
 * trace/store.h - a trace in memory: every event, found by its number.
 */
#ifndef JITTRACE_TRACE_STORE_H
#define JITTRACE_TRACE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"
#include "trace/sink.h"

/* A store is a sink; all zero but for store_init is not valid. */
struct store {
    struct sink sink;
    struct event **events;
    size_t count;
    size_t capacity;
};

void store_init(struct store *store);
void store_release(struct store *store);

void store_append(struct store *store, const struct event *event);

/* Event number seq, below store->count; valid until the store is released. */
const struct event *store_event(const struct store *store, uint64_t seq);

#endif
