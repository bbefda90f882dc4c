/* SPDX-License-Identifier: MIT */
#include "tell/hexdump.h"

#include <stdbool.h>

#define ROW 16u

unsigned hexdump_row(struct bytes row, uint64_t offset, unsigned per_row,
                     struct buf *out)
{
    size_t start = out->len, column;

    buf_printf(out, "%08llx: ", (unsigned long long)offset);
    column = out->len - start;
    for (size_t i = 0; i < per_row; i++) {
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
    return (unsigned)column;
}

void hexdump_append(struct bytes bytes, uint64_t offset, struct buf *out)
{
    for (size_t at = 0; at < bytes.len; at += ROW) {
        size_t len = bytes.len - at < ROW ? bytes.len - at : ROW;

        hexdump_row((struct bytes){bytes.data + at, len}, offset + at, ROW,
                    out);
        buf_append_text(out, "\n");
    }
}
