/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

#include <string.h>

#include "tell/story.h"

static void put_words(const struct moment *moment, struct area area,
                      const struct pen *pen)
{
    unsigned lines = grid_put_pen(moment->grid, area, pen, 0);

    if (lines > area.rows)
        pane_ellipsis(moment->grid, area);
}

/* Its first word, if it is "Next:", is marked. */
static void write_next(struct pen *pen, const char *text)
{
    static const char mark[] = "Next: ";
    size_t len = sizeof mark - 1;

    if (!strncmp(text, mark, len)) {
        pen_text(pen, ROLE_NEXT, "Next:");
        pen_column(pen, (unsigned)len);
        text += len;
    }
    pen_words(pen, ROLE_NOTE, 0, text);
}

/* An event that is explained needs no other words, but for what the four lines
 * do not say. */
static void write_happened(const struct moment *moment, struct pen *pen)
{
    struct explanation explanation = {0};
    bool is_explained =
        story_explain(moment->history, moment->seq, &explanation);
    struct buf text = {0};

    if (!is_explained || moment->event->kind != EVENT_SIGNAL) {
        story_happened(moment->history, moment->seq, moment->screen->decimal,
                       &text);
        pen_words(pen, ROLE_PLAIN, 0, buf_text(&text));
    }
    if (is_explained)
        explanation_write(&explanation, pen, 0);
    explanation_release(&explanation);
    buf_release(&text);
}

unsigned pane_story_rows(const struct moment *moment, unsigned columns)
{
    struct area area = {0, 0, 0, columns};
    struct explanation explanation = {0};
    struct pen pen = pane_pen(area);
    unsigned rows = 0;

    if (story_explain(moment->history, moment->seq, &explanation)) {
        write_happened(moment, &pen);
        rows = grid_put_pen(moment->grid, (struct area){0}, &pen, 0) + 2;
    }
    explanation_release(&explanation);
    pen_release(&pen);
    return rows;
}

/* What comes next stands at the bottom, with as many lines as it needs and
 * what happened leaves; it always has one. */
void pane_story(const struct moment *moment, struct area area)
{
    struct area body = pane_body(area), below = body;
    struct pen title = pane_pen(area), pen = pane_pen(body);
    struct pen next = pane_pen(body);
    struct buf text = {0};
    unsigned needed, wanted;

    if (area.rows == 0)
        return;
    pen_text(&title, ROLE_HEADING, "what happened");
    pane_rule(moment->grid, area, &title, NULL);
    write_happened(moment, &pen);
    story_next(moment->history, moment->seq, &text);
    write_next(&next, buf_text(&text));
    needed = grid_put_pen(moment->grid, (struct area){0}, &pen, 0);
    wanted = grid_put_pen(moment->grid, (struct area){0}, &next, 0);
    if (body.rows > 1) {
        below.rows = body.rows > needed ? body.rows - needed : 1;
        below.rows = wanted < below.rows ? wanted : below.rows;
        body.rows -= below.rows;
        below.row += body.rows;
        put_words(moment, below, &next);
    }
    put_words(moment, body, &pen);
    pen_release(&pen);
    pen_release(&next);
    buf_release(&text);
}

/* The last lines of the output: where the first of them begins. */
static size_t last_lines(const struct buf *output, unsigned lines)
{
    size_t at = output->len;

    if (at > 0 && output->data[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (output->data[at - 1] == '\n' && --lines == 0)
            break;
    return at;
}

static void write_output(struct pen *pen, const struct buf *output,
                         unsigned lines, unsigned indent)
{
    size_t at = last_lines(output, lines);

    while (at < output->len) {
        const uint8_t *start = output->data + at;
        const uint8_t *newline = memchr(start, '\n', output->len - at);
        size_t len = newline ? (size_t)(newline - start) : output->len - at;

        pen_column(pen, indent);
        pen_cut_bytes(pen, ROLE_PLAIN, (struct bytes){start, len});
        pen_end(pen);
        at += len + 1;
    }
    if (output->len == 0) {
        pen_column(pen, indent);
        pen_text(pen, ROLE_NOTE, "nothing yet");
    }
}

/* In one row there is no room for a rule. */
void pane_output(const struct moment *moment, struct area area)
{
    const struct buf *output = &moment_view(moment)->output;
    struct pen title = pane_pen(area), pen = pane_pen(area);

    if (area.rows == 0)
        return;
    if (area.rows == 1) {
        pen_text(&pen, ROLE_HEADING, "output:");
        write_output(&pen, output, 1, 8);
        grid_put_pen(moment->grid, area, &pen, 0);
        pen_release(&pen);
        return;
    }
    pen_text(&title, ROLE_HEADING, "output so far");
    pane_rule(moment->grid, area, &title, NULL);
    write_output(&pen, output, area.rows - 1, 0);
    pane_fill(moment->grid, area, &pen);
}
