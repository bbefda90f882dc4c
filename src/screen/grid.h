/* SPDX-License-Identifier: MIT */
/*
 * screen/grid.h - a screen as data: rows of cells, each a character and a role.
 *
 * Drawing makes a grid and nothing else, so that it can be tested without a
 * terminal, and done again at any moment with the same result.
 */
#ifndef JITTRACE_SCREEN_GRID_H
#define JITTRACE_SCREEN_GRID_H

#include "tell/pen.h"

struct cell {
    uint32_t rune; /* a Unicode code point that is one column wide */
    enum role role;
};

/* A part of a grid. */
struct area {
    unsigned row;
    unsigned column;
    unsigned rows;
    unsigned columns;
};

/* Where a dump of memory stands, for who points at a byte of it: two digits for
 * each, three columns apart. per_row 0: there is none. */
struct grid_bytes {
    uint64_t base;   /* where the mapping began */
    uint64_t offset; /* of the first byte, in it */
    unsigned row;
    unsigned rows;
    unsigned column;
    unsigned per_row;
};

struct grid {
    unsigned rows;
    unsigned columns;
    struct cell *cells; /* rows * columns, row by row */
    /* Where the terminal's cursor is to stand: a screen reader reads there. */
    unsigned cursor_row;
    unsigned cursor_column;
    struct grid_bytes bytes;
    struct area fields; /* where an instruction's fields stand: no columns if */
    unsigned fields_from; /* nowhere; its first row is this line of them */
};

/* All blank; both sizes at least 1. */
void grid_init(struct grid *grid, unsigned rows, unsigned columns);
void grid_release(struct grid *grid);
void grid_clear(struct grid *grid); /* blank again */

struct cell *grid_cell(const struct grid *grid, unsigned row, unsigned column);
bool grid_equal(const struct grid *a, const struct grid *b);

/* Writes UTF-8 text on one row, from column on; what does not fit before `end`
 * (a column, at most grid->columns) is cut. What is not printable or not one
 * column wide becomes '?'. Returns the column behind it. */
unsigned grid_put(struct grid *grid, unsigned row, unsigned column,
                  unsigned end, enum role role, const char *text);

/* Gives what stands in a cell another role. */
void grid_paint(struct grid *grid, unsigned row, unsigned column,
                enum role role);

/* Copies the lines of a pen that keeps roles (pen->keep_roles) into an area,
 * from line `first` on. Returns how many lines the pen has. */
unsigned grid_put_pen(struct grid *grid, struct area area,
                      const struct pen *pen, unsigned first);

/* The text of a row in UTF-8 without the blanks at its end; for tests. */
void grid_row(const struct grid *grid, unsigned row, struct buf *out);

#endif
