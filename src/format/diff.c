/* SPDX-License-Identifier: MIT */
/*
 * What differs between two traces, as a text: each class once, with what both
 * have there, who wrote the code that it is about, and what stood there before.
 */
#include "format/format.h"

#include "diff/diff.h"
#include "tell/pen.h"
#include "tell/phrase.h"
#include "tell/tell.h"

#define INDENT 5u /* columns, of what is said of one side */

/* Who wrote the code that a side is about. */
static void write_who(struct pen *pen, struct history *history,
                      const struct diff_side *side)
{
    const struct store *store = history_store(history);
    struct origins origins = history_byte(history, side->seq, side->byte);
    struct buf line = {0};
    struct chain chain;

    origins_update(&origins, store, side->seq + 1);
    who_line(history_emissions(history), &origins, side->seq, side->start,
             &line);
    pen_column(pen, INDENT);
    pen_words(pen, ROLE_SOURCE, INDENT + 2, buf_text(&line));
    buf_release(&line);
    if (origins.count > 0) {
        chain = origins.list[origins.count - 1].chain;
        emissions_name(history_emissions(history), &chain);
        if (chain.count > 0 && chain.list[chain.named_by].source.text) {
            pen_column(pen, INDENT + 2);
            pen_source(pen, &chain.list[chain.named_by].source);
            pen_end(pen);
        }
    }
    origins_release(&origins);
}

static void write_side(struct pen *pen, const char *name,
                       struct history *history, const struct diff_side *side)
{
    struct buf text = {0};
    struct diff_side of = *side;

    pen_column(pen, 2);
    pen_text(pen, ROLE_HEADING, name);
    pen_column(pen, INDENT);
    pen_words(pen, ROLE_RESULT, INDENT + 2, buf_text(&of.has));
    if (!side->known)
        return;
    buf_printf(&text, "event %" PRIu64 "  ", side->seq);
    tell_event(history, side->seq, TELL_TITLE, false, &text);
    if (side->has_code && (side->mapping > 1 || side->version > 1))
        buf_printf(&text, "  (mapping %u, generation %u)", side->mapping,
                   side->version);
    pen_column(pen, INDENT);
    pen_words(pen, ROLE_PLAIN, INDENT + 2, buf_text(&text));
    if (side->has_code)
        write_who(pen, history, side);
    buf_release(&text);
}

static void write_class(struct pen *pen, enum diff_class class,
                        struct history *const histories[2],
                        const struct difference *difference)
{
    struct difference of = *difference;

    pen_blank(pen);
    pen_print(pen, ROLE_WARNING, "%s", diff_class_name(class));
    pen_print(pen, ROLE_PLAIN, ": %s", buf_text(&of.what));
    pen_end(pen);
    for (int i = 0; i < 2; i++)
        write_side(pen, i ? "B" : "A", histories[i], &difference->side[i]);
    pen_column(pen, 2);
    if (of.note.len > 0) {
        pen_words(pen, ROLE_NOTE, 2, buf_text(&of.note));
        pen_column(pen, 2);
    }
    if (difference->more > 0)
        pen_print(pen, ROLE_NOTE, "%" PRIu64 " more of these. ",
                  difference->more);
    if (class == DIFF_OUTPUT || class == DIFF_STATUS)
        pen_end(pen);
    else if (difference->meets)
        pen_line(pen, ROLE_NOTE,
                 "They meet again: event %" PRIu64 " of A, %" PRIu64 " of B",
                 difference->meet[0], difference->meet[1]);
    else
        pen_line(pen, ROLE_NOTE, "No entry behind it is alike.");
}

static void write_name(struct pen *pen, const char *side, const char *name,
                       struct history *history)
{
    const struct event *start = history_event(history, 0);
    struct buf text = {0};

    buf_printf(&text, "%s: %" PRIu64 " events of", name,
               history_count(history));
    for (size_t i = 0; i < start->start.argv.count; i++)
        buf_printf(&text, " %s", start->start.argv.list[i]);
    pen_text(pen, ROLE_HEADING, side);
    pen_column(pen, INDENT);
    pen_words(pen, ROLE_PLAIN, INDENT, buf_text(&text));
    buf_release(&text);
}

static void write_limits(struct pen *pen, const struct diff *diff)
{
    static const char *const which[] = {"A", "B", "A and B"};
    int i = diff->limited[0] && diff->limited[1] ? 2 : diff->limited[1];

    if (!diff->limited[0] && !diff->limited[1])
        return;
    pen_blank(pen);
    pen_line(pen, ROLE_WARNING, "Of %s not all was watched%s", which[i],
             diff_any(diff) ? "; there may be more."
                            : ", so that nobody knows whether they are equal.");
}

int diff_write(FILE *out, bool color, const char *const names[2],
               struct history *const histories[2], const struct diff *diff,
               struct err *err)
{
    struct pen pen = {.color = color};
    int result;

    for (int i = 0; i < 2; i++)
        write_name(&pen, i ? "B" : "A", names[i], histories[i]);
    for (int class = 0; class < DIFFS; class ++)
        if (diff->first[class].found)
            write_class(&pen, (enum diff_class) class, histories,
                        &diff->first[class]);
    pen_blank(&pen);
    if (!diff_any(diff))
        pen_line(&pen, ROLE_RESULT, "No difference%s.",
                 diff->limited[0] || diff->limited[1] ? " was found" : "");
    else
        pen_line(&pen, ROLE_RESULT, "The first of these in A: %s.",
                 diff_class_name(diff_earliest(diff)));
    write_limits(&pen, diff);
    pen_line(&pen, ROLE_NOTE,
             "Compared: %" PRIu64 " entries, %" PRIu64 " instructions.",
             diff->calls, diff->steps);
    result = sink_write(out, pen.out.data, pen.out.len, err);
    pen_release(&pen);
    return result;
}
