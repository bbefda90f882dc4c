/* SPDX-License-Identifier: MIT */
/*
 * trace/labels.h - the names that the program gave to stretches of its code,
 * and the lines of source that it made them from.
 *
 * The latest name counts. They are released, copied, forgotten and looked for
 * as ranges of addresses.
 */
#ifndef JITTRACE_TRACE_LABELS_H
#define JITTRACE_TRACE_LABELS_H

#include "base/buf.h"
#include "trace/event.h"
#include "trace/ranges.h"

/* What name.by says: where the program has named the code. */
#define NAMED_BY_PERF_MAP "perf map"
#define NAMED_BY_JITDUMP  "jitdump"
#define NAMED_BY_GDB      "gdb"

struct label {
    struct range_value value;
    uint64_t order; /* counts what was added, from 0: later ones count more */
    uint64_t addr;
    uint64_t length;       /* bytes, not 0 */
    const char *name;      /* "": it was taken back */
    const char *by;        /* as in a name event */
    struct bytes code;     /* the same */
    struct line_rows rows; /* the same */
    unsigned owner;        /* whatever whoever adds it wants; 0 at first */
    bool stored;           /* something was stored there since: see below */
    _Alignas(void *) char data[]; /* of all that it points to */
};

/* All zero is a valid empty one. */
struct labels {
    struct ranges ranges; /* of labels */
    uint64_t added;
};

/* Takes the name of a stretch that is not empty and does not wrap around; all
 * is copied. Returns its label, or NULL if exactly this stretch has this very
 * label already, and nothing was stored there since. */
struct label *labels_add(struct labels *labels, const struct event_name *name);

/* Notes a store into [addr, addr + length). */
void labels_stored(struct labels *labels, uint64_t addr, uint64_t length);

/* Forgets a label, whatever stretches it still has. */
void labels_drop(struct labels *labels, const struct label *label);

/* Appends "fib", or "fib+0x12" inside of it. The name is as the program wrote
 * it, whatever characters it has; of one longer than LABELS_SHOWN bytes the end
 * is "...". Returns false if addr has no name. */
#define LABELS_SHOWN 40u
bool labels_describe(const struct labels *labels, uint64_t addr,
                     struct buf *out);

/* Finds where code of that name begins: the lowest of what has it. Returns
 * false if none has. */
bool labels_find(const struct labels *labels, const char *name, uint64_t *addr);

/* The line that the code at addr was made from. Returns false if it is not
 * known. out->file is without directories; both it and *path, the name as the
 * program has it, live as long as the label. path may be NULL. */
bool labels_line(const struct labels *labels, uint64_t addr,
                 struct srcline *out, const char **path);

#endif
