/* SPDX-License-Identifier: MIT */
/*
 * tell/hexdump.h - bytes in exactly the layout of `xxd -g1`.
 */
#ifndef JITTRACE_TELL_HEXDUMP_H
#define JITTRACE_TELL_HEXDUMP_H

#include <stdint.h>

#include "base/buf.h"

/* Appends whole lines, 16 bytes each; the first offset shown is `offset`. */
void hexdump_append(struct bytes bytes, uint64_t offset, struct buf *out);

/*
 * Appends one line without its newline, as of `xxd -g1 -c per_row`. Returns the
 * column of its first byte; each byte takes three columns, the text begins one
 * behind the last.
 */
unsigned hexdump_row(struct bytes row, uint64_t offset, unsigned per_row,
                     struct buf *out);

#endif
