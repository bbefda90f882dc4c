/* SPDX-License-Identifier: MIT */
#include "render/hexdump.h"

#include <stdbool.h>

#define ROW 16

static void append_row(struct bytes row, uint64_t offset, struct buf *out)
{
    buf_printf(out, "%08llx: ", (unsigned long long)offset);
    for (size_t i = 0; i < ROW; i++) {
        if (i < row.len)
            buf_printf(out, "%02x ", row.data[i]);
        else
            buf_append_text(out, "   ");
    }
    buf_append_text(out, " ");
    for (size_t i = 0; i < row.len; i++) {
        bool printable = row.data[i] >= 0x20 && row.data[i] < 0x7f;

        buf_printf(out, "%c", printable ? row.data[i] : '.');
    }
    buf_append_text(out, "\n");
}

void hexdump_append(struct bytes bytes, uint64_t offset, struct buf *out)
{
    for (size_t at = 0; at < bytes.len; at += ROW) {
        size_t len = bytes.len - at < ROW ? bytes.len - at : ROW;

        append_row((struct bytes){bytes.data + at, len}, offset + at, out);
    }
}
