/* SPDX-License-Identifier: MIT */
/*
 * trace/symbols.h - the names that the program gave to stretches of its code.
 *
 * The latest name counts: it replaces what it overlaps, and of a longer stretch
 * that was named before, what lies beside it keeps its name. Copies are cheap:
 * they share everything until one of them learns a new name.
 */
#ifndef JITTRACE_TRACE_SYMBOLS_H
#define JITTRACE_TRACE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct symbol {
    size_t uses;    /* by stretches */
    uint64_t order; /* counts what was added, from 0: later ones count more */
    uint64_t addr;
    uint64_t length; /* bytes, not 0 */
    char name[];
};

struct symbols_table;

/* All zero is a valid empty one. */
struct symbols {
    struct symbols_table *table; /* shared, and never changed while it is */
};

void symbols_release(struct symbols *symbols);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void symbols_copy(struct symbols *to, const struct symbols *from);

/*
 * Names [addr, addr + length), which is not empty and does not wrap around.
 * Returns false if exactly this stretch has this very name already.
 */
bool symbols_add(struct symbols *symbols, uint64_t addr, uint64_t length,
                 const char *name);

/* Forgets the names of that range. */
void symbols_forget(struct symbols *symbols, uint64_t addr, uint64_t length);

/* Forgets a symbol, whatever stretches it still has. */
void symbols_drop(struct symbols *symbols, struct symbol *symbol);

/* What addr is a part of, or NULL; valid until the next change. */
const struct symbol *symbols_at(const struct symbols *symbols, uint64_t addr);

/*
 * The first stretch that ends above addr, or NULL: its name, and in *from and
 * *to where it begins and ends.
 */
struct symbol *symbols_from(const struct symbols *symbols, uint64_t addr,
                            uint64_t *from, uint64_t *to);

/*
 * Appends "fib", or "fib+0x12" inside of it. The name is as the program wrote
 * it, whatever characters it has; of one longer than SYMBOLS_SHOWN bytes the
 * end is "...". Returns false if addr has no name.
 */
#define SYMBOLS_SHOWN 40u
bool symbols_describe(const struct symbols *symbols, uint64_t addr,
                      struct buf *out);

/* What they take, in bytes; of what copies share, each its part. */
size_t symbols_memory(const struct symbols *symbols);

#endif
