/* SPDX-License-Identifier: MIT */
/*
 * trace/origin.h - who wrote this byte: what became of one byte of memory.
 *
 * The history of a byte is derived from the events alone, so that a recording
 * and a running program give the same. It is a list of changes:
 *
 *   mapped    a mapping with the byte in it appeared. Fresh memory is zero;
 *             what else was there (a heap, a file) is not known then
 *   moved     the same by mremap(2): the byte is that of another address, and
 *             the changes before this one happened there
 *   store     an instruction stored it
 *   kernel    a system call wrote it
 *   found     an event shows a byte that nobody was seen storing: it was
 *             stored some time since the change before
 *   unmapped  the mapping went away, or this part of it
 */
#ifndef JITTRACE_TRACE_ORIGIN_H
#define JITTRACE_TRACE_ORIGIN_H

#include "trace/emission.h"
#include "trace/event.h"
#include "trace/lineage.h"
#include "trace/store.h"

enum origin_kind {
    ORIGIN_MAPPED,
    ORIGIN_MOVED,
    ORIGIN_STORE,
    ORIGIN_KERNEL,
    ORIGIN_FOUND,
    ORIGIN_UNMAPPED,
};

/* One change. Its texts are those of the event: they live as long as a store
 * that it was read from. */
struct origin {
    enum origin_kind kind;
    uint64_t seq; /* of the event, as its place in the trace */
    enum event_kind event;
    int tid;
    int process;    /* that the thread is of; 0: of the one there is */
    uint64_t addr;  /* of the byte at that time */
    bool old_known; /* else it is not known what was there before */
    bool new_known;
    uint8_t old_byte;
    uint8_t new_byte;
    struct srcline source;
    struct chain chain; /* store: by whom, nobody named yet; else of none */
    uint64_t pc;        /* store, kernel: the instruction */
    const char *text;   /* store: it, disassembled; or NULL */
    const char *symbol; /* store, kernel: its place; or NULL */
    const char *call;   /* the system call, if it was one; or NULL; found by a
                         * write: WRITTEN_ELSEWHERE, if that is all it says */
};

/* The history of the byte at an address. All zero but for addr is a valid one
 * that no event was taken into account for. Where a trace is of several
 * processes the address is that of one of them, in one of its lives. */
struct origins {
    uint64_t addr;
    const struct lineage *lineage; /* of the same events; NULL: one process */
    size_t life;
    uint64_t applied;    /* so many events were taken into account */
    struct origin *list; /* oldest first */
    size_t count;
    size_t capacity;
    bool known;         /* what the byte is, namely */
    uint8_t byte;       /* this; else 0 */
    uint64_t last_step; /* the last step, as 1 + its place; 0: none */
};

/* Forgets all but of which byte it is. */
void origins_release(struct origins *origins);

/* Whether event number `place` is one of the process that the byte is of, or of
 * what that began with. */
bool origins_concern(const struct origins *origins, uint64_t place,
                     const struct event *event);

/* Takes the next event of a store into account. */
void origins_apply(struct origins *origins, const struct store *store,
                   const struct event *event);

/* Takes the first `count` events of a store into account, those that were not
 * yet: one pass over them, and for a byte that was moved one more. */
void origins_update(struct origins *origins, const struct store *store,
                    uint64_t count);

/* How many changes there were up to event number seq. */
size_t origins_until(const struct origins *origins, uint64_t seq);

#endif
