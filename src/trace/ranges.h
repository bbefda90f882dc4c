/* SPDX-License-Identifier: MIT */
/*
 * trace/ranges.h - what is said of a range of numbers: of addresses, of lines.
 *
 * A sorted list of stretches that do not overlap, each with a value. What is
 * said last counts: it replaces what it overlaps, and what lies beside it
 * stays. Copies are cheap: they share everything until one of them changes.
 */
#ifndef JITTRACE_TRACE_RANGES_H
#define JITTRACE_TRACE_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* What every value begins with. */
struct range_value {
    size_t uses; /* by stretches, and by who has made it */
    size_t size; /* of the whole value, in bytes */
};

struct stretch {
    uint64_t from;
    uint64_t to; /* behind the last number */
    struct range_value *value;
};

struct ranges_table;

/* All zero is a valid empty one. */
struct ranges {
    struct ranges_table *table; /* shared, and never changed while it is */
};

/* A new value of size bytes, all zero but for what it begins with. */
void *range_value_new(size_t size);

/* Ends one use; who has made a value ends that when it is in its place. */
void range_value_drop(struct range_value *value);

void ranges_release(struct ranges *ranges);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void ranges_copy(struct ranges *to, const struct ranges *from);

/* Gives [from, to), which is not empty, that value. */
void ranges_set(struct ranges *ranges, uint64_t from, uint64_t to,
                struct range_value *value);

void ranges_forget(struct ranges *ranges, uint64_t from, uint64_t to);

/* The stretches that end above `at`, in order: an array of *count, which may be
 * 0. Valid until a change. */
const struct stretch *ranges_from(const struct ranges *ranges, uint64_t at,
                                  size_t *count);

/* The value that `at` has, or NULL. */
void *ranges_at(const struct ranges *ranges, uint64_t at);

/* The same to be changed: a copy, where copies of the ranges have it as well.
 * No other stretch may have it. */
void *ranges_change(struct ranges *ranges, uint64_t at);

#endif
