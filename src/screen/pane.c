/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

const struct view *moment_view(const struct moment *moment)
{
    return history_view(moment->history, moment->seq);
}

struct pen pane_pen(struct area area)
{
    return (struct pen){.keep_roles = true, .width = area.columns};
}

static void draw_line(struct grid *grid, struct area area)
{
    unsigned end = area.column + area.columns;

    for (unsigned column = area.column; column < end; column++)
        grid_put(grid, area.row, column, end, ROLE_FRAME, "─");
}

/* A title in the rule, with a blank at either side. */
static void put_title(struct grid *grid, unsigned row, unsigned column,
                      const struct pen *title)
{
    unsigned end = column + title->column + 2;
    struct area place = {row, column + 1, 1, title->column};

    grid_put(grid, row, column, end, ROLE_FRAME, " ");
    grid_put_pen(grid, place, title, 0);
    grid_put(grid, row, end - 1, end, ROLE_FRAME, " ");
}

void pane_rule(struct grid *grid, struct area area, struct pen *title,
               const char *right)
{
    unsigned end = area.column + area.columns;
    struct pen last = {.keep_roles = true};

    draw_line(grid, area);
    if (title->column + 4 <= area.columns)
        put_title(grid, area.row, area.column + 2, title);
    else
        grid_put_pen(grid,
                     (struct area){area.row, area.column, 1, area.columns},
                     title, 0);
    if (right)
        pen_text(&last, ROLE_FRAME, right);
    if (right && title->column + last.column + 9 <= area.columns)
        put_title(grid, area.row, end - last.column - 4, &last);
    pen_release(&last);
    pen_release(title);
}

struct area pane_body(struct area area)
{
    return (struct area){area.row + 1, area.column,
                         area.rows > 0 ? area.rows - 1 : 0, area.columns};
}

void pane_fill(struct grid *grid, struct area area, struct pen *pen)
{
    grid_put_pen(grid, pane_body(area), pen, 0);
    pen_release(pen);
}

void pane_ellipsis(struct grid *grid, struct area area)
{
    unsigned row = area.row + area.rows - 1;
    unsigned end = area.column + area.columns, column = end - 2;

    if (area.rows == 0 || area.columns < 3 || row >= grid->rows)
        return;
    while (column > area.column &&
           grid_cell(grid, row, column - 1)->rune == ' ')
        column--;
    grid_put(grid, row, column, end, ROLE_NOTE, " …");
}

void pane_cursor(struct grid *grid, unsigned row, unsigned column)
{
    if (row < grid->rows && column < grid->columns) {
        grid->cursor_row = row;
        grid->cursor_column = column;
    }
}
