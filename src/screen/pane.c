/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

const struct view *moment_view(const struct moment *moment)
{
    return history_view(moment->history, moment->seq);
}

/* Whether control comes back to generated code that was seen before. */
static bool comes_back(const struct moment *moment)
{
    const struct event *event = moment->event;

    return event->kind == EVENT_ENTER && moment->seq > 0 &&
           word_is(event->enter.how, "return");
}

struct reg_changes moment_changes(const struct moment *moment,
                                  struct reg_change *list)
{
    const struct view_thread *thread;
    size_t count;

    if (moment->event->kind == EVENT_STEP)
        return moment->event->step.regs;
    if (!comes_back(moment))
        return (struct reg_changes){NULL, 0};
    thread = view_thread(
        history_view_of(moment->history, moment->seq - 1, moment->event->pid),
        moment->event->tid);
    if (!thread || !thread->regs_known)
        return (struct reg_changes){NULL, 0};
    count = regs_diff(&thread->regs, &moment->event->enter.regs, list);
    return (struct reg_changes){list, count};
}

struct vreg_changes moment_vregs(const struct moment *moment,
                                 struct vregs *before, struct vregs *after,
                                 struct vreg_change *wide)
{
    const int tid = moment->event->tid;
    const struct vregs *known;
    size_t count;

    if (moment->event->kind == EVENT_STEP)
        return moment->event->step.vregs;
    if (!comes_back(moment))
        return (struct vreg_changes){NULL, 0};
    known = view_vregs(
        history_view_of(moment->history, moment->seq - 1, moment->event->pid),
        tid);
    if (!known)
        return (struct vreg_changes){NULL, 0};
    *before = *known;
    *after = *view_vregs(moment_view(moment), tid);
    count = vregs_diff(before, after, NULL, wide);
    return (struct vreg_changes){wide, count};
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
