/* SPDX-License-Identifier: MIT */
#include "screen/grid.h"

#include "base/mem.h"
#include "base/utf8.h"

#define BLANK       0x20u
#define REPLACEMENT ((uint32_t)'?')

void grid_init(struct grid *grid, unsigned rows, unsigned columns)
{
    size_t count = (size_t)rows * columns;

    BUG_UNLESS(rows > 0 && columns > 0);
    *grid = (struct grid){.rows = rows, .columns = columns};
    grid->cells = mem_resize(NULL, count, sizeof *grid->cells);
    grid_clear(grid);
}

void grid_clear(struct grid *grid)
{
    for (size_t i = 0; i < (size_t)grid->rows * grid->columns; i++)
        grid->cells[i] = (struct cell){BLANK, ROLE_PLAIN};
    grid->cursor_row = grid->cursor_column = 0;
    grid->bytes = (struct grid_bytes){0};
}

void grid_release(struct grid *grid)
{
    free(grid->cells);
    *grid = (struct grid){0};
}

struct cell *grid_cell(const struct grid *grid, unsigned row, unsigned column)
{
    BUG_UNLESS(row < grid->rows && column < grid->columns);
    return &grid->cells[(size_t)row * grid->columns + column];
}

bool grid_equal(const struct grid *a, const struct grid *b)
{
    size_t size = (size_t)a->rows * a->columns * sizeof *a->cells;

    return a->rows == b->rows && a->columns == b->columns &&
           a->cursor_row == b->cursor_row &&
           a->cursor_column == b->cursor_column &&
           !memcmp(a->cells, b->cells, size);
}

/* The first character of text, which is not empty, and how long it is; or '?'
 * unless a terminal shows it in exactly one column. wcwidth(3) knows that, but
 * only in a UTF-8 locale, and a grid must not depend on the locale. These are
 * the scripts and symbols of one column that a program for programmers meets
 * (Unicode Standard Annex 11: neither wide nor combining); all else counts as
 * unknown. */
static uint32_t decode(const uint8_t *text, size_t len, size_t *used)
{
    static const uint32_t ranges[][2] = {
        {0x20, 0x7e},     {0xa0, 0xac},     {0xae, 0x2ff},
        {0x370, 0x482},   {0x48a, 0x52f}, /* Greek, Cyrillic */
        {0x1e00, 0x1fff},                 /* more Latin and Greek */
        {0x2010, 0x2027}, {0x2030, 0x205e}, {0x2070, 0x20bf},
        {0x2100, 0x2319}, {0x232b, 0x23e8}, /* letterlike, arrows, maths */
        {0x2400, 0x25fc},                   /* box drawing, shapes */
    };
    uint32_t rune;

    *used = utf8_decode(text, len, &rune);
    for (size_t i = 0; *used && i < sizeof ranges / sizeof *ranges; i++)
        if (rune >= ranges[i][0] && rune <= ranges[i][1])
            return rune;
    *used += *used == 0;
    return REPLACEMENT;
}

unsigned grid_put(struct grid *grid, unsigned row, unsigned column,
                  unsigned end, enum role role, const char *text)
{
    const uint8_t *rest = (const uint8_t *)text;
    size_t len = strlen(text);

    if (end > grid->columns)
        end = grid->columns;
    while (len > 0 && column < end && row < grid->rows) {
        size_t used;
        uint32_t rune = decode(rest, len, &used);

        *grid_cell(grid, row, column++) = (struct cell){rune, role};
        rest += used;
        len -= used;
    }
    return column;
}

void grid_paint(struct grid *grid, unsigned row, unsigned column,
                enum role role)
{
    if (row < grid->rows && column < grid->columns)
        grid_cell(grid, row, column)->role = role;
}

unsigned grid_put_pen(struct grid *grid, struct area area,
                      const struct pen *pen, unsigned first)
{
    unsigned line = 0;

    for (size_t at = 0; at < pen->out.len; at++, line++) {
        unsigned column = area.column, row = line - first, end = 0;

        if (line >= first && row < area.rows && area.row + row < grid->rows)
            end = area.column + area.columns;
        while (at < pen->out.len && pen->out.data[at] != '\n') {
            size_t used = 1;

            if (column < end && column < grid->columns) {
                struct cell *cell = grid_cell(grid, area.row + row, column++);

                cell->role = at < pen->roles.len
                                 ? (enum role)pen->roles.data[at]
                                 : ROLE_PLAIN;
                cell->rune =
                    decode(pen->out.data + at, pen->out.len - at, &used);
            }
            at += used;
        }
    }
    return line;
}

void grid_row(const struct grid *grid, unsigned row, struct buf *out)
{
    unsigned end = grid->columns;

    while (end > 0 && grid_cell(grid, row, end - 1)->rune == BLANK)
        end--;
    for (unsigned column = 0; column < end; column++)
        utf8_append(grid_cell(grid, row, column)->rune, out);
}
