/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

#include "screen/command.h"

#define NARROW 60u

/* The widest list of keys, so that the words stand in a column. */
static unsigned keys_width(void)
{
    unsigned widest = 0;

    for (int command = 0; command < COMMANDS; command++) {
        struct buf keys = {0};
        unsigned width;

        command_keys((enum command)command, &keys);
        width = (unsigned)pen_width(buf_text(&keys));
        widest = width > widest ? width : widest;
        buf_release(&keys);
    }
    return widest;
}

/* Narrow screens have room for the word only. */
static void write_command(struct pen *pen, enum command command,
                          unsigned column)
{
    struct buf keys = {0};

    command_keys(command, &keys);
    pen_text(pen, ROLE_KEY, buf_text(&keys));
    pen_gap(pen, column);
    if (pen_line_width(pen) < NARROW) {
        pen_cut(pen, ROLE_PLAIN, command_word(command));
        pen_end(pen);
    } else {
        pen_words(pen, ROLE_PLAIN, column, command_help(command));
    }
    buf_release(&keys);
}

static void write_marks(struct pen *pen)
{
    static const struct {
        const char *mark;
        enum role role;
        const char *words;
    } marks[] = {
        {"[fc]", ROLE_BYTE_NEW, "stored by this event"},
        {"<c3>", ROLE_EXECUTED, "executed by this event"},
        {"(c3)", ROLE_NEXT, "executed next"},
        {"{c3}", ROLE_CURRENT, "the byte that w < > ask about"},
        {"··", ROLE_UNWRITTEN, "not written"},
        {"*", ROLE_CHANGED, "register changed"},
    };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        pen_item(pen, 0,
                 pen_width(marks[i].mark) + 1 + pen_width(marks[i].words));
        pen_text(pen, marks[i].role, marks[i].mark);
        pen_column(pen, pen->column + 1);
        pen_text(pen, ROLE_NOTE, marks[i].words);
    }
    pen_end(pen);
}

void pane_help(struct grid *grid)
{
    struct area area = {0, 0, grid->rows - 1, grid->columns};
    struct pen title = pane_pen(area), pen = pane_pen(area);
    unsigned column = keys_width() + 2;

    pen_text(&title, ROLE_HEADING, "keys");
    pane_rule(grid, area, &title, NULL);
    for (int command = 0; command < COMMANDS; command++)
        write_command(&pen, (enum command)command, column);
    pen_end(&pen);
    write_marks(&pen);
    if (grid_put_pen(grid, pane_body(area), &pen, 0) + 1 > area.rows)
        pane_ellipsis(grid, area);
    pen_release(&pen);
}
