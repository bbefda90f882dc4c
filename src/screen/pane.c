/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

const struct view *moment_view(const struct moment *moment)
{
    return history_view(moment->history, moment->seq);
}

struct pane pane_begin(struct area area)
{
    struct pen pen = {.keep_roles = true, .width = area.columns};
    struct area body = {area.row + 1, area.column, area.rows - 1, area.columns};

    return (struct pane){.area = area, .body = body, .title = pen, .pen = pen};
}

/* A title in the rule, with a blank at either side. */
static void put_title(struct grid *grid, unsigned row, unsigned column,
                      const struct pen *title)
{
    unsigned end = column + title->column + 2;

    grid_put(grid, row, column, end, ROLE_FRAME, " ");
    grid_put_pen(grid, (struct area){row, column + 1, 1, title->column}, title,
                 0);
    grid_put(grid, row, end - 1, end, ROLE_FRAME, " ");
}

void pane_end(struct pane *pane, struct grid *grid)
{
    struct area rule = pane->area;
    unsigned end = rule.column + rule.columns;
    struct pen right = {.keep_roles = true};

    rule.rows = 1;
    for (unsigned i = rule.column; !pane->bare && i < end; i++)
        grid_put(grid, rule.row, i, end, ROLE_FRAME, "─");
    pen_text(&right, ROLE_FRAME, buf_text(&pane->right));
    if (!pane->bare && pane->title.column + 4 <= rule.columns)
        put_title(grid, rule.row, rule.column + 2, &pane->title);
    else if (!pane->bare)
        grid_put_pen(grid, rule, &pane->title, 0);
    if (!pane->bare && pane->right.len > 0 &&
        pane->title.column + right.column + 9 <= rule.columns)
        put_title(grid, rule.row, end - right.column - 4, &right);
    grid_put_pen(grid, pane->body, &pane->pen, pane->from);
    if (pane->has_ellipsis)
        pane_ellipsis(grid, pane->body);
    pen_release(&right);
    pen_release(&pane->title);
    pen_release(&pane->pen);
    buf_release(&pane->right);
}

unsigned pane_lines(const struct pen *pen)
{
    return grid_put_pen(NULL, (struct area){0}, pen, 0);
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
