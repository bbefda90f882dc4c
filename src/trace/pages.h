/* SPDX-License-Identifier: MIT */
/*
 * trace/pages.h - what was written where: a sparse copy of the watched memory.
 *
 * Only pages that were written are kept, each with its bytes and a mark for
 * every byte that a write has reached. A zero stored over a zero is a write.
 * They are released, copied and forgotten as ranges, whole pages at a time.
 */
#ifndef JITTRACE_TRACE_PAGES_H
#define JITTRACE_TRACE_PAGES_H

#include "base/buf.h"
#include "trace/ranges.h"

/* All zero is a valid empty one. */
struct pages {
    struct ranges ranges; /* of addresses: that of a page has its bytes */
};

/* Stores bytes at addr and marks them as written. */
void pages_write(struct pages *pages, uint64_t addr, struct bytes bytes);

/* Takes note of bytes that were found at addr. From the first to the last of
 * them that is news they count as written: nobody saw these being stored, so
 * nobody can say that a zero among them was not. */
void pages_learn(struct pages *pages, uint64_t addr, struct bytes bytes);

/* Copies len bytes from addr to out; what was never written reads as zero. */
void pages_read(const struct pages *pages, uint64_t addr, size_t len,
                uint8_t *out);

/* The same of what is in one page with addr, at most len bytes; written gets
 * whether each was. Returns how many these are. */
size_t pages_read_marks(const struct pages *pages, uint64_t addr, size_t len,
                        uint8_t *out, bool *written);

/* Whether reading at addr would give these bytes. */
bool pages_hold(const struct pages *pages, uint64_t addr, struct bytes bytes);

bool pages_written(const struct pages *pages, uint64_t addr);

/* Whether all of [addr, addr + length) was written. */
bool pages_all_written(const struct pages *pages, uint64_t addr,
                       uint64_t length);

/* The first written byte of [addr, end), or end. */
uint64_t pages_next(const struct pages *pages, uint64_t addr, uint64_t end);

/* Finds the first and the last written byte of [addr, addr + length). Returns
 * false when there is none. */
bool pages_extent(const struct pages *pages, uint64_t addr, uint64_t length,
                  uint64_t *first, uint64_t *last);

/* Pages of [addr, addr + length) that other holds alike are shared with it from
 * then on. */
void pages_share(struct pages *pages, const struct pages *other, uint64_t addr,
                 uint64_t length);

#endif
