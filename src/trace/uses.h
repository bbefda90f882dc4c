/* SPDX-License-Identifier: MIT */
/*
 * trace/uses.h - what is known of how each byte of memory for code was used: two
 * bits a byte, kept and copied as ranges, whole pages at a time.
 */
#ifndef JITTRACE_TRACE_USES_H
#define JITTRACE_TRACE_USES_H

#include "trace/ranges.h"

enum byte_use {
    USE_NONE,
    USE_RAN,     /* it was executed */
    USE_CHANGED, /* and has another value since, which was not */
    USE_DATA,    /* it was not, and generated code read it or wrote to it */
};

/* All zero is a valid one in which nothing was used. */
struct uses {
    struct ranges ranges; /* of addresses: that of a page has its bits */
};

/* Notes a use of [addr, addr + length). What ran is no data, and only what ran
 * is changed. */
void uses_add(struct uses *uses, uint64_t addr, uint64_t length,
              enum byte_use use);

enum byte_use uses_at(const struct uses *uses, uint64_t addr);

#endif
