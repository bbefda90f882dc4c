/* SPDX-License-Identifier: MIT */
/*
 * trace/srcline.h - places in source: of the program, and of what it compiles.
 */
#ifndef JITTRACE_TRACE_SRCLINE_H
#define JITTRACE_TRACE_SRCLINE_H

#include <stddef.h>
#include <stdint.h>

/* A place in the program's source; file == NULL when it is not known. */
struct srcline {
    const char *file; /* as a reader would name it, without directories */
    int line;         /* from 1 */
    const char *text; /* the line without indentation, or NULL */
    /* Some lines around it as they are in the file, each with its newline, and
     * the number of the first of them; NULL when earlier events had them. */
    const char *excerpt;
    int excerpt_line;
};

/* A call that a store, or a fault, was made in: where it was made from. */
struct caller {
    struct srcline source; /* without an excerpt */
    const char *symbol;    /* of what called, as in a write; NULL: not known */
};

/* The innermost first. What is beyond the last one was not found out. */
struct callers {
    const struct caller *list;
    size_t count;
};
#define MAX_CALLERS 4

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
