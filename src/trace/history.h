/* SPDX-License-Identifier: MIT */
/*
 * trace/history.h - a trace that a reader moves in, forwards and backwards.
 *
 * It keeps every event (trace/store.h) and, now and then, a view of that
 * moment. The view at any other moment is the nearest earlier one and the few
 * events since, so that going somewhere costs the same wherever it is.
 */
#ifndef JITTRACE_TRACE_HISTORY_H
#define JITTRACE_TRACE_HISTORY_H

#include "trace/emission.h"
#include "trace/event.h"
#include "trace/lineage.h"
#include "trace/origin.h"
#include "trace/store.h"
#include "trace/views.h"

struct history;

struct history *history_new(void);
void history_free(struct history *history); /* accepts NULL */

/* Adds the next event, as number history_count. Here and below seq is that
 * number: a recording may lack events (of kinds that its reader does not know),
 * so that event->seq may be larger. */
void history_append(struct history *history, const struct event *event);

uint64_t history_count(const struct history *history);

/* All events, for whoever goes through many of them. */
const struct store *history_store(const struct history *history);

/* Who calls whom in all of them, to name chains by. */
struct emissions *history_emissions(struct history *history);

/* Their processes, and which life of one an event is of. */
const struct lineage *history_lineage(const struct history *history);

/* The byte at an address in the process that event seq is of, in the life that
 * it has there; no event is taken into account yet. */
struct origins history_byte(const struct history *history, uint64_t seq,
                            uint64_t addr);

/* Event number seq, which must exist; valid until the next such question. */
const struct event *history_event(struct history *history, uint64_t seq);

/* The state after event seq, which must exist: that of the process which the
 * event is of, or of another one. Valid until the next such question and until
 * an event is added. The same whatever was asked before. */
const struct view *history_view(struct history *history, uint64_t seq);
const struct view *history_view_of(struct history *history, uint64_t seq,
                                   int pid);

/* What the code at addr was named after event seq, into out, which is empty:
 * programs name code late, often when they end. Returns false, and out stays
 * as it is, if it was never named, or other bytes are there by then: the name
 * is of these. Ends the life of views. */
bool history_named_later(struct history *history, uint64_t seq, uint64_t addr,
                         struct labels *out);

/* From now on views know how each byte was used (trace/uses.h): it costs memory,
 * and the first time a way through all events. Ends the life of views. */
void history_keep_uses(struct history *history);

/* The chapters: a run of events of one process in which its stage stays the
 * same. The first event of the chapter that seq is in, and the first one of the
 * next chapter, which is history_count if there is none yet. */
uint64_t history_chapter(const struct history *history, uint64_t seq);
uint64_t history_next_chapter(const struct history *history, uint64_t seq);

#endif
