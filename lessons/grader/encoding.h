/* SPDX-License-Identifier: MIT */
/*
 * grader/encoding.h - two encodings compared, and the difference named in the
 * words of the instruction's fields.
 */
#ifndef JITTRACE_GRADER_ENCODING_H
#define JITTRACE_GRADER_ENCODING_H

#include <stdbool.h>

#include "base/buf.h"

struct difference {
    struct buf what;    /* a sentence without its full stop */
    struct buf details; /* lines: "expected  48 c7 ...", "actual    ..." */
    size_t offset;      /* where the instruction begins, in bytes */
    /* The instructions are the same but for the value of their immediate,
     * which begins at that offset, has that size (bytes) and this value. */
    bool in_immediate;
    size_t immediate_offset;
    size_t immediate_size;
    int64_t immediate;
};

void difference_release(struct difference *difference);

/*
 * Names the first difference between the code that is wanted, whole valid
 * instructions, and the code that was got. Returns false, with nothing in *out,
 * if there is none. *out, all zero, is released by its user.
 */
bool encoding_compare(struct bytes want, struct bytes got,
                      struct difference *out);

/* Appends bytes as "48 c7 c0". */
void encoding_hex(struct bytes bytes, struct buf *out);

#endif
