/* SPDX-License-Identifier: MIT */
/*
 * render/hexdump.h - bytes in exactly the layout of `xxd -g1`.
 */
#ifndef JITTRACE_RENDER_HEXDUMP_H
#define JITTRACE_RENDER_HEXDUMP_H

#include <stdint.h>

#include "base/buf.h"

/* Appends whole lines, 16 bytes each; the first offset shown is `offset`. */
void hexdump_append(struct bytes bytes, uint64_t offset, struct buf *out);

#endif
