/* SPDX-License-Identifier: MIT */
/*
 * A trace in brief: the verdicts, and of a crash the last events before it and
 * what caused it. That is known at the end, so all events are kept.
 */
#include "format/format.h"

#include "base/mem.h"
#include "tell/paragraph.h"
#include "tell/tell.h"

#define LAST    6u /* events that are told before a crash */
#define HANDLED 3u /* crashes, at most, that the program handled */
#define INDENT  5u

struct brief {
    struct sink sink;
    FILE *out;
    struct telling telling; /* of verdicts; its pen is that of all */
    struct history *history;
    uint64_t faults[HANDLED]; /* the first ones */
    unsigned fault_count;
    struct buf injected; /* what --inject did, as far as it is told */
};

static int flush(struct brief *brief, struct err *err)
{
    struct buf *out = &brief->telling.pen.out;
    int result = sink_write(brief->out, out->data, out->len, err);

    buf_clear(out);
    return result;
}

/* Says what --inject did: each thing once, however often it was. */
static void tell_injected(struct brief *brief, const struct event *event)
{
    struct buf text = {0};

    if (event_injected_by(event, &text) &&
        !strstr(buf_text(&brief->injected), buf_text(&text))) {
        buf_append_text(&brief->injected, buf_text(&text));
        pen_line(&brief->telling.pen, ROLE_WARNING, "%s", buf_text(&text));
    }
    buf_release(&text);
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct brief *brief = (struct brief *)sink;
    struct pen *pen = &brief->telling.pen;

    if (event->kind == EVENT_VERDICT) {
        telling_event(&brief->telling, event);
        return flush(brief, err);
    }
    if (event->kind == EVENT_SIGNAL && brief->fault_count < HANDLED &&
        (explain_is_fault(&event->signal) ||
         explain_ends_child(&event->signal)))
        brief->faults[brief->fault_count++] = history_count(brief->history);
    history_append(brief->history, event);
    tell_injected(brief, event);
    if (event->kind != EVENT_LIMIT || !event_ends_watching(&event->limit))
        return flush(brief, err);
    pen_text(pen, ROLE_WARNING, "not watched: ");
    pen_words(pen, ROLE_WARNING, INDENT,
              event->limit.text ? event->limit.text : event->limit.budget);
    return flush(brief, err);
}

/* The events up to number seq, in a sentence each. */
static void write_last(struct brief *brief, uint64_t seq)
{
    struct pen *pen = &brief->telling.pen;
    struct buf text = {0};

    if (seq > 1)
        pen_line(pen, ROLE_NOTE, "The last events before the end:");
    for (uint64_t i = seq > LAST ? seq - LAST : 1; i < seq; i++) {
        pen_print(pen, ROLE_NOTE, "%*" PRIu64, (int)INDENT,
                  history_event(brief->history, i)->seq);
        pen_gap(pen, 0);
        buf_clear(&text);
        tell_event(brief->history, i, TELL_SENTENCE, false, &text);
        pen_words(pen, ROLE_PLAIN, INDENT + 2, buf_text(&text));
    }
    buf_release(&text);
}

/* Explains event seq. Returns false if it does not need that. */
static bool write_why(struct brief *brief, uint64_t seq)
{
    struct past past = history_past(brief->history, false);
    struct explanation explanation = {0};
    bool found = explain_event(&past, history_view(brief->history, seq), seq,
                               &explanation);

    if (found)
        explanation_write(&explanation, &brief->telling.pen, 0);
    explanation_release(&explanation);
    return found;
}

/* The signal that the exit, event number seq, was by; or seq. */
static uint64_t find_death(struct brief *brief, uint64_t seq)
{
    struct opt_u64 number = history_event(brief->history, seq)->exit.signal;

    for (uint64_t i = seq; number.known && i-- > 0 && seq - i < PAST_EVENTS;) {
        const struct event *event = history_event(brief->history, i);

        if (event->kind == EVENT_SIGNAL &&
            (uint64_t)event->signal.number == number.value)
            return i;
    }
    return seq;
}

static int finish(struct sink *sink, struct err *err)
{
    struct brief *brief = (struct brief *)sink;
    struct history *history = brief->history;
    uint64_t count = history_count(history), death;
    struct pen *pen = &brief->telling.pen;
    struct event *end = NULL;
    struct phrases phrases = {0};

    if (count > 0)
        end = event_keep(history_event(history, count - 1));
    if (end && end->kind == EVENT_EXIT) {
        death = find_death(brief, count - 1);
        for (unsigned i = 0; i < brief->fault_count; i++) {
            if (brief->faults[i] == death)
                continue;
            if (brief->telling.judged)
                pen_blank(pen);
            if (write_why(brief, brief->faults[i]))
                pen_blank(pen);
        }
        if (brief->telling.judged)
            pen_blank(pen);
        if (end->exit.signal.known)
            write_last(brief, death);
        pen_line(pen, end->exit.signal.known ? ROLE_WARNING : ROLE_NOTE,
                 "It %s%s.", end->exit.signal.known ? "was " : "",
                 phrase_end(&phrases, &end->exit));
        write_why(brief, count - 1);
    }
    phrases_release(&phrases);
    event_free(end);
    return flush(brief, err);
}

static void free_brief(struct sink *sink)
{
    struct brief *brief = (struct brief *)sink;

    telling_release(&brief->telling);
    history_free(brief->history);
    buf_release(&brief->injected);
    free(brief);
}

struct sink *brief_sink_new(FILE *out, bool color)
{
    struct brief *brief = mem_alloc(sizeof *brief);

    telling_init(&brief->telling);
    brief->telling.pen.color = color;
    brief->history = history_new();
    brief->sink.emit = emit;
    brief->sink.finish = finish;
    brief->sink.free = free_brief;
    brief->out = out;
    return &brief->sink;
}
