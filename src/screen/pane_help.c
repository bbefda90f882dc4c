/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

#include "screen/command.h"

#define NARROW 60u /* below, there is room for the word of a command only */

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

void pane_help(struct grid *grid)
{
    struct pane pane =
        pane_begin((struct area){0, 0, grid->rows - 1, grid->columns});
    struct buf keys[COMMANDS] = {0};
    unsigned widest = 0;

    pen_text(&pane.title, ROLE_HEADING, "keys");
    for (int i = 0; i < COMMANDS; i++) {
        unsigned width;

        command_keys((enum command)i, &keys[i]);
        width = (unsigned)pen_width(buf_text(&keys[i]));
        widest = width > widest ? width : widest;
    }
    for (int i = 0; i < COMMANDS; i++) {
        pen_text(&pane.pen, ROLE_KEY, buf_text(&keys[i]));
        buf_release(&keys[i]);
        pen_gap(&pane.pen, widest + 2);
        if (grid->columns < NARROW) {
            pen_cut(&pane.pen, ROLE_PLAIN, command_table[i].word);
            pen_end(&pane.pen);
        } else {
            pen_words(&pane.pen, ROLE_PLAIN, widest + 2, command_table[i].help);
        }
    }

    pen_end(&pane.pen);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        pen_item(&pane.pen, 0,
                 pen_width(marks[i].mark) + 1 + pen_width(marks[i].words));
        pen_text(&pane.pen, marks[i].role, marks[i].mark);
        pen_column(&pane.pen, pane.pen.column + 1);
        pen_text(&pane.pen, ROLE_NOTE, marks[i].words);
    }
    pen_end(&pane.pen);
    pane.has_ellipsis = pane_lines(&pane.pen) > pane.body.rows;
    pane_end(&pane, grid);
}
