/* SPDX-License-Identifier: MIT */
/*
 * trace/store.h - a trace in memory: every event, found by its number.
 *
 * Events are kept packed (trace/pack.h), a step of generated code in some 50
 * bytes, so that a million of them is no more than a program of today takes.
 */
#ifndef JITTRACE_TRACE_STORE_H
#define JITTRACE_TRACE_STORE_H

#include "trace/event.h"
#include "trace/pack.h"

struct store_chunk;

/* All zero is a valid empty one. */
struct store {
    size_t count; /* of events */
    int tid;      /* that of most events: of the first one */
    struct words words;
    struct store_chunk *chunks;
    size_t chunk_count;
    size_t chunk_capacity;
    size_t chunk_bytes;    /* all chunks together */
    struct buf packed;     /* the event that is being added */
    struct unpacked *last; /* what store_event returned; NULL while empty */
};

void store_release(struct store *store);

void store_append(struct store *store, const struct event *event);

/* Event number seq, below store->count. Its texts and bytes are valid until the
 * store is released, the event itself and its lists until the next call of
 * store_event. */
const struct event *store_event(const struct store *store, uint64_t seq);

/* The same, into memory of the caller's: valid until that is used again. */
void store_read(const struct store *store, uint64_t seq, struct unpacked *out);

/* What the store takes, in bytes. */
size_t store_memory(const struct store *store);

#endif
