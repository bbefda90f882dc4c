/* SPDX-License-Identifier: MIT */
/*
 * trace/labels.h - the names that the program gave to stretches of its code.
 *
 * The latest name counts. They are released, copied, forgotten and looked for
 * as ranges of addresses.
 */
#ifndef JITTRACE_TRACE_LABELS_H
#define JITTRACE_TRACE_LABELS_H

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

/* Names [addr, addr + length), which is not empty and does not wrap around.
 * Returns false if exactly this stretch has this very name already. */
bool labels_add(struct labels *labels, uint64_t addr, uint64_t length,
                const char *name);

/* Forgets a label, whatever stretches it still has. */
void labels_drop(struct labels *labels, const struct label *label);

/* Appends "fib", or "fib+0x12" inside of it. The name is as the program wrote
 * it, whatever characters it has; of one longer than LABELS_SHOWN bytes the end
 * is "...". Returns false if addr has no name. */
#define LABELS_SHOWN 40u
bool labels_describe(const struct labels *labels, uint64_t addr,
                     struct buf *out);

#endif
