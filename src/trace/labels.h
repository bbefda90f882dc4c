/* SPDX-License-Identifier: MIT */
/*
 * trace/labels.h - the names that the program gave to stretches of its code.
 *
 * As in trace/ranges.h the latest name counts, and copies are cheap.
 */
#ifndef JITTRACE_TRACE_LABELS_H
#define JITTRACE_TRACE_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "trace/ranges.h"

struct label {
    struct range_value value;
    uint64_t order; /* counts what was added, from 0: later ones count more */
    uint64_t addr;
    uint64_t length; /* bytes, not 0 */
    char name[];
};

/* All zero is a valid empty one. */
struct labels {
    struct ranges ranges; /* of labels */
    uint64_t added;
};

void labels_release(struct labels *labels);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void labels_copy(struct labels *to, const struct labels *from);

/*
 * Names [addr, addr + length), which is not empty and does not wrap around.
 * Returns false if exactly this stretch has this very name already.
 */
bool labels_add(struct labels *labels, uint64_t addr, uint64_t length,
                const char *name);

/* Forgets the names of that range. */
void labels_forget(struct labels *labels, uint64_t addr, uint64_t length);

/* Forgets a label, whatever stretches it still has. */
void labels_drop(struct labels *labels, const struct label *label);

/* What addr is a part of, or NULL; valid until the next change. */
const struct label *labels_at(const struct labels *labels, uint64_t addr);

/*
 * The first stretch that ends above addr, or NULL: its name, and in *from and
 * *to where it begins and ends.
 */
struct label *labels_from(const struct labels *labels, uint64_t addr,
                          uint64_t *from, uint64_t *to);

/*
 * Appends "fib", or "fib+0x12" inside of it. The name is as the program wrote
 * it, whatever characters it has; of one longer than LABELS_SHOWN bytes the
 * end is "...". Returns false if addr has no name.
 */
#define LABELS_SHOWN 40u
bool labels_describe(const struct labels *labels, uint64_t addr,
                     struct buf *out);

/* What they take, in bytes; of what copies share, each its part. */
size_t labels_memory(const struct labels *labels);

#endif
