/* SPDX-License-Identifier: MIT */
/*
 * trace/line_row.h - which lines of source some code was made from.
 */
#ifndef JITTRACE_TRACE_LINE_ROW_H
#define JITTRACE_TRACE_LINE_ROW_H

#include <stddef.h>
#include <stdint.h>

/* From an offset in some code on it was made from that line of the source that
 * the program compiles: a row of a line table. */
struct line_row {
    uint64_t offset;
    const char *file; /* as the program names it, with or without directories */
    int line;         /* from 1 */
};

/* By offset, none twice. */
struct line_rows {
    const struct line_row *list;
    size_t count;
};
#define MAX_ROWS 65536u

#endif
