/* SPDX-License-Identifier: MIT */
/*
 * What is said in words: what happened and what comes next; what the program
 * wrote; and which keys there are.
 */
#include "screen/pane.h"

#include "tell/tell.h"
#include "screen/command.h"

#define NARROW 60u /* below, there is room for the word of a command only */

/* An event that is explained needs no other words, but for what the four lines
 * do not say. */
static void write_happened(const struct moment *moment, struct pen *pen)
{
    struct buf text = {0};

    if (!moment->explanation || moment->event->kind != EVENT_SIGNAL) {
        tell_event(moment->history, moment->seq, TELL_SENTENCE,
                   moment->screen->decimal, &text);
        pen_words(pen, ROLE_PLAIN, 0, buf_text(&text));
        buf_release(&text);
    }
    if (moment->explanation)
        explanation_write(moment->explanation, pen, 0);
}

unsigned pane_story_rows(const struct moment *moment, unsigned columns)
{
    struct pen pen = {.keep_roles = true, .width = columns};
    struct pen title = {0};
    bool is_word = moment->screen->field || moment->screen->term;
    unsigned rows;

    if (is_word)
        pane_explain(moment, &title, &pen);
    else if (moment->explanation)
        write_happened(moment, &pen);
    else
        return 0;
    rows = pane_lines(&pen) + (is_word ? 1 : 2);
    pen_release(&pen);
    pen_release(&title);
    return rows;
}

/* What comes next stands at the bottom, with as many lines as it needs and
 * what happened leaves; it always has one, if anything is known of it. */
void pane_story(const struct moment *moment, struct pane *pane)
{
    struct pen next = {.keep_roles = true, .width = pane->body.columns};
    struct area below = pane->body;
    struct buf text = {0};
    const char *words;
    unsigned needed, wanted;

    if (moment->screen->field || moment->screen->term) {
        pane_explain(moment, &pane->title, &pane->pen);
        pane->has_ellipsis = pane_lines(&pane->pen) > pane->body.rows;
        return;
    }
    pen_text(&pane->title, ROLE_HEADING, "what happened");
    write_happened(moment, &pane->pen);
    needed = pane_lines(&pane->pen);

    screen_next(moment->screen, moment->history, moment->seq, &text);
    words = buf_text(&text);
    if (!strncmp(words, "Next: ", 6)) {
        pen_text(&next, ROLE_NEXT, "Next:");
        pen_column(&next, 6);
        words += 6;
    }
    pen_words(&next, ROLE_NOTE, 0, words);
    wanted = pane_lines(&next);
    if (below.rows > 1 && *words) {
        below.rows = below.rows > needed ? below.rows - needed : 1;
        below.rows = wanted < below.rows ? wanted : below.rows;
        pane->body.rows -= below.rows;
        below.row += pane->body.rows;
        grid_put_pen(moment->grid, below, &next, 0);
        if (wanted > below.rows)
            pane_ellipsis(moment->grid, below);
    }
    pane->has_ellipsis = needed > pane->body.rows;
    pen_release(&next);
    buf_release(&text);
}

/* The last lines of it. In one row there is no room for a rule. */
void pane_output(const struct moment *moment, struct pane *pane)
{
    const struct buf *output = &moment_view(moment)->output;
    unsigned lines = pane->body.rows, indent = 0;
    size_t at = output->len, len;

    if (lines == 0) {
        pane->bare = true;
        pane->body = pane->area;
        pen_text(&pane->pen, ROLE_HEADING, "output:");
        lines = 1;
        indent = 8;
    }
    pen_text(&pane->title, ROLE_HEADING, "output so far");
    if (at == 0) {
        pen_column(&pane->pen, indent);
        pen_text(&pane->pen, ROLE_NOTE, "nothing yet");
        return;
    }
    at -= output->data[at - 1] == '\n';
    while (at > 0 && (output->data[at - 1] != '\n' || --lines > 0))
        at--;
    for (; at < output->len; at += len + 1) {
        const uint8_t *start = output->data + at;
        const uint8_t *newline = memchr(start, '\n', output->len - at);

        len = newline ? (size_t)(newline - start) : output->len - at;
        pen_column(&pane->pen, indent);
        pen_cut_bytes(&pane->pen, ROLE_PLAIN, (struct bytes){start, len});
        pen_end(&pane->pen);
    }
}

/* The keys of a command, and of those that stand on its line: appends them, and
 * returns the last one. */
static int line_keys(int command, struct buf *keys)
{
    struct buf more = {0};

    command_keys((enum command)command, keys);
    while (command + 1 < COMMANDS &&
           command_table[command + 1].help[0] == ';') {
        buf_clear(&more);
        command_keys((enum command)++ command, &more);
        buf_printf(keys, ", %s", buf_text(&more));
    }
    buf_release(&more);
    return command;
}

/* What the keys do, a line for each or for some of them; where there is little
 * room, beneath them. */
static void list_commands(struct pen *pen, bool beside)
{
    struct buf text = {0};
    size_t widest = 0;
    unsigned column;

    for (int i = 0; i < COMMANDS; i++, buf_clear(&text)) {
        i = line_keys(i, &text);
        if (pen_width(buf_text(&text)) > widest)
            widest = pen_width(buf_text(&text));
    }
    column = beside ? (unsigned)widest + 2 : 2;
    for (int i = 0, first = 0; i < COMMANDS; first = ++i, buf_clear(&text)) {
        i = line_keys(i, &text);
        pen_text(pen, ROLE_KEY, buf_text(&text));
        if (beside)
            pen_gap(pen, column);
        else
            pen_end(pen);
        pen_column(pen, column);
        buf_clear(&text);
        for (int j = first; j <= i; j++)
            buf_append_text(&text, command_table[j].help);
        pen_words(pen, ROLE_PLAIN, column,
                  buf_text(&text) + strspn(buf_text(&text), "; "));
    }
    buf_release(&text);
}

/* The table, all of it, in a pane that is to be closed. */
static struct pane help_pane(const struct grid *grid)
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
    struct pane pane =
        pane_begin((struct area){0, 0, grid->rows - 1, grid->columns});
    struct pen *pen = &pane.pen;

    list_commands(pen, grid->columns >= NARROW);
    pen_end(pen);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        pen_item(pen, 0,
                 pen_width(marks[i].mark) + 1 + pen_width(marks[i].words));
        pen_text(pen, marks[i].role, marks[i].mark);
        pen_column(pen, pen->column + 1);
        pen_text(pen, ROLE_NOTE, marks[i].words);
    }
    pen_end(pen);
    return pane;
}

unsigned screen_help_end(const struct grid *grid)
{
    struct pane pane = help_pane(grid);
    const unsigned lines = pane_lines(&pane.pen), rows = pane.body.rows;

    pen_release(&pane.pen);
    pen_release(&pane.title);
    return lines > rows ? lines - rows : 0;
}

void pane_help(const struct screen *screen, struct grid *grid)
{
    const unsigned end = screen_help_end(grid);
    struct pane pane = help_pane(grid);

    pane.from = screen->help_from < end ? screen->help_from : end;
    pen_text(&pane.title, ROLE_HEADING, "keys");
    if (end > 0)
        pen_text(&pane.title, ROLE_NOTE, "  ↑ ↓ more of them");
    pane.has_ellipsis = pane.from < end;
    pane_end(&pane, grid);
}
