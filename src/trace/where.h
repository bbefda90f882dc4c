/* SPDX-License-Identifier: MIT */
/*
 * trace/where.h - which bytes a reader means by a number.
 *
 * A number of 64 KiB or more that lies in a mapping of the trace is the address
 * of a byte (no mapping is below: vm.mmap_min_addr of proc_sys_vm(5)). Any
 * other is an offset, counted from the start of a mapping as in the events, and
 * stands for that byte of all mappings with code: those that were ever
 * executable, or, if none was, those that were written to.
 */
#ifndef JITTRACE_TRACE_WHERE_H
#define JITTRACE_TRACE_WHERE_H

#include "trace/event.h"

/* The mappings that began at an address, one after the other. */
struct where_mapping {
    uint64_t start;
    uint64_t length; /* the longest of them, in bytes */
    bool executable; /* ever */
    bool written;    /* ever */
};

/* All zero is a valid one that has seen no event. */
struct where {
    struct where_mapping *list; /* in order of appearance */
    size_t count;
    size_t capacity;
};

void where_release(struct where *where);

/* Takes the next event into account. */
void where_apply(struct where *where, const struct event *event);

/* Reads a number, decimal or 0x and hex. Returns false for anything else. */
bool where_parse(const char *text, uint64_t *number);

/* The mapping that addr is in, the latest one; or NULL. */
struct where_mapping *where_mapping(const struct where *where, uint64_t addr);

/* The next byte that number stands for: fills *addr and returns true until
 * there is none. *state is 0 at first. */
bool where_next(const struct where *where, uint64_t number, size_t *state,
                uint64_t *addr);

/* Appends why number stands for no byte, and what there is: two sentences. */
void where_explain(const struct where *where, uint64_t number, struct buf *out);

#endif
