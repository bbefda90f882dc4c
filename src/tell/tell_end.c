/* SPDX-License-Identifier: MIT */
/*
 * What may happen at any time, and the end.
 */
#include <signal.h>
#include <string.h>

#include "base/utf8.h"
#include "tell/tell_parts.h"
#include "trace/signal_name.h"

#define OUTPUT_SENTENCE 80u /* bytes */
#define OUTPUT_TITLE    40u
#define OUTPUT_LINES    8u

/* --- output -------------------------------------------------------------- */

/* Text of the program between quotes, as in C, up to so many bytes. */
static const char *story_quoted(struct story *story, struct bytes text,
                                unsigned limit)
{
    struct buf out = {0};
    size_t used = 1;
    unsigned columns;

    buf_append_text(&out, "\"");
    for (size_t i = 0; i < text.len; i += used, used = 1) {
        if (out.len > limit) {
            buf_append_text(&out, "...");
            break;
        }
        if (text.data[i] == '\n' || text.data[i] == '\t')
            buf_append_text(&out, text.data[i] == '\n' ? "\\n" : "\\t");
        else if (text.data[i] == '"' || text.data[i] == '\\')
            buf_printf(&out, "\\%c", text.data[i]);
        else
            used = utf8_show(text.data + i, text.len - i, &out, &columns);
    }
    buf_append_text(&out, "\"");
    return phrase_of(&story->phrases, &out);
}

static void output_words(struct story *story, enum tell_form form)
{
    const struct event_output *output = &story->event->output;
    struct bytes bytes = output->bytes;

    switch (form) {
    case TELL_TITLE:
        say(story, "output %s", story_quoted(story, bytes, OUTPUT_TITLE));
        break;
    case TELL_SENTENCE:
        say(story, "The program printed %s: %zu byte%s to ",
            story_quoted(story, bytes, OUTPUT_SENTENCE), bytes.len,
            bytes.len == 1 ? "" : "s");
        if (output->fd == 1 || output->fd == 2)
            say(story, "standard %s.", output->fd == 1 ? "output" : "error");
        else
            say(story, "descriptor %lld.", (long long)output->fd);
        break;
    case TELL_NEXT:
        say(story, "output of the program");
        break;
    }
}

/* The first line of a text, with its newline if that is there. */
static size_t line_length(struct bytes text)
{
    const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

    return end ? (size_t)(end - text.data) + 1 : text.len;
}

/*
 * Output is told at the end; the program writes it itself when it does. Only
 * so much of it is kept as will be told: the first lines.
 */
static void output_paragraph(struct telling *telling, const struct event *event)
{
    struct bytes rest = event->output.bytes;

    telling->output_total += rest.len;
    while (rest.len > 0 && telling->output_lines < OUTPUT_LINES) {
        size_t len = line_length(rest);

        telling->output_lines += rest.data[len - 1] == '\n';
        buf_append(&telling->output, rest.data, len);
        rest.data += len;
        rest.len -= len;
    }
}

const struct tell_kind kind_output = {output_words, output_paragraph, 0};

/* --- signal -------------------------------------------------------------- */

static void signal_sentence(struct story *story, const char *name)
{
    const struct event_signal *signal = &story->event->signal;
    bool is_fault = explain_is_fault(signal);
    struct focus focus = {0};

    if (signal->pc.known && is_fault)
        focus_find(story->history, story->seq, &focus);
    say(story, "Signal %s", name);
    if (signal->pc.known)
        say(story, " at %s", story_where(story, signal->pc.value));
    if (focus.state == INSN_DECODED &&
        signal->pc.value - focus.addr <= (signal->number == SIGTRAP))
        say(story, ", %s", focus.insn.text);
    say(story, is_fault ? ": " : " was delivered to the program");
    explain_fault(story_view(story), signal, story->out);
    say(story, ".");
}

static void signal_words(struct story *story, enum tell_form form)
{
    const struct event_signal *signal = &story->event->signal;
    const char *name =
        phrase_signal(&story->phrases, signal->number, signal->name);

    if (form == TELL_SENTENCE)
        signal_sentence(story, name);
    else
        say(story, "signal %s", name);
}

static void signal_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_signal *signal = &event->signal;
    const char *verdict = word_is(signal->access, "execute")
                              ? "is not fetched"
                              : "does not complete";
    struct pen *pen = &telling->pen;
    struct buf words = {0};
    struct insn insn;

    pen_print(pen, ROLE_WARNING, "signal %s",
              phrase_signal(&telling->phrases, signal->number, signal->name));
    if (signal->pc.known)
        pen_print(pen, ROLE_NOTE, " at 0x%llx",
                  (unsigned long long)signal->pc.value);
    pen_gap(pen, 0);
    telling_source(telling, event);
    pen_end(pen);
    if (!explain_is_fault(signal))
        return;
    if (signal->pc.known && signal->number != SIGTRAP &&
        view_region_at(&telling->view, signal->pc.value) &&
        telling_decode(telling, signal->pc.value, &insn)) {
        /* What did not run, in the form of a step. */
        telling_insn(telling, insn.addr - telling_base(telling, insn.addr, 0),
                     (struct bytes){insn.bytes, insn.length}, insn.text);
        pen_item(pen, 5, strlen(verdict));
        pen_line(pen, ROLE_WARNING, "%s", verdict);
    }
    explain_fault(&telling->view, signal, &words);
    pen_column(pen, 5);
    pen_words(pen, ROLE_WARNING, 5, phrase_of(&telling->phrases, &words));
}

const struct tell_kind kind_signal = {signal_words, signal_paragraph,
                                      TELL_SEARCHED(signal, name)};

/* --- limit --------------------------------------------------------------- */

static void limit_words(struct story *story, enum tell_form form)
{
    const struct event_limit *limit = &story->event->limit;
    /* The reader's leaving is no limit of ours; its sentence says all. */
    bool is_quit = word_is(limit->budget, "quit");
    const char *text = limit->text ? limit->text : limit->budget;
    size_t len = text ? strlen(text) : 0;

    switch (form) {
    case TELL_TITLE:
        if (is_quit)
            say(story, "ended by jittrace");
        else
            say(story, "not watched: %s",
                limit->budget ? limit->budget : "something");
        break;
    case TELL_SENTENCE:
        say(story, "%s%s%s",
            is_quit ? "" : "Not watched: ", len ? text : "something",
            len && text[len - 1] == '.' ? "" : ".");
        break;
    case TELL_NEXT:
        say(story, "a note on what is not watched");
        break;
    }
}

/* Explains the event that came last. */
static void tell_explanation(struct telling *telling,
                             bool (*explain)(const struct past *,
                                             const struct view *, uint64_t,
                                             struct explanation *))
{
    struct past past = recent_past(&telling->recent);
    struct explanation explanation = {0};

    if (explain(&past, &telling->view, past.count - 1, &explanation))
        explanation_write(&explanation, &telling->pen, 0);
    explanation_release(&explanation);
}

static void limit_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_limit *limit = &event->limit;
    const char *why = limit->text ? limit->text : limit->budget;

    if (!word_is(limit->budget, "quit"))
        pen_text(&telling->pen, ROLE_WARNING, "not watched: ");
    pen_words(&telling->pen, ROLE_WARNING, 5, why ? why : "something");
    telling->unwatched |= event_ends_watching(limit);
    tell_explanation(telling, explain_loop);
}

const struct tell_kind kind_limit = {limit_words, limit_paragraph, 0};

/* --- exit ---------------------------------------------------------------- */

static void exit_words(struct story *story, enum tell_form form)
{
    const struct event_exit *end = &story->event->exit;
    unsigned long long calls = story_view(story)->calls;
    const char *how = phrase_end(&story->phrases, end);

    switch (form) {
    case TELL_TITLE:
        say(story, "%s", how);
        break;
    case TELL_SENTENCE:
        say(story, "The program %s%s.", end->signal.known ? "was " : "", how);
        if (calls > 0)
            say(story, " %llu call%s into generated code %s seen.", calls,
                calls == 1 ? "" : "s", calls == 1 ? "was" : "were");
        break;
    case TELL_NEXT:
        say(story, "the program ends");
        break;
    }
}

static void tell_untold(struct telling *telling)
{
    unsigned long long stores = telling->untold_stores;
    bool one = telling->untold == 1;
    const char *what;

    if (telling->untold == 0)
        return;
    what = phrase(&telling->phrases, "%llu %smapping%s never held code",
                  (unsigned long long)telling->untold,
                  telling->some_code ? "other " : "", one ? "" : "s");
    if (stores > 0)
        what = phrase(&telling->phrases, "%s: %llu store%s into %s", what,
                      stores, stores == 1 ? "" : "s", one ? "it" : "them");
    else
        what = phrase(&telling->phrases, "%s and", what);
    if (stores > 0)
        one = stores == 1;
    pen_words(&telling->pen, ROLE_NOTE, 0,
              phrase(&telling->phrases,
                     "%s %s not shown here (--format=json has %s).", what,
                     one ? "is" : "are", one ? "it" : "them"));
}

/* The first lines of the output, each cut to the width. */
static void tell_output_lines(struct telling *telling)
{
    struct bytes rest = {telling->output.data, telling->output.len};
    struct pen *pen = &telling->pen;

    if (telling->output_total == 0) {
        if (!telling->unwatched)
            pen_line(pen, ROLE_NOTE, "The program itself printed nothing.");
        return;
    }
    pen_line(pen, ROLE_NOTE, "What the program printed, all together:");
    while (rest.len > 0) {
        size_t len = line_length(rest);

        pen_column(pen, 4);
        pen_cut_bytes(
            pen, ROLE_RESULT,
            (struct bytes){rest.data, len - (rest.data[len - 1] == '\n')});
        pen_end(pen);
        rest.data += len;
        rest.len -= len;
    }
    if (telling->output_total > telling->output.len) {
        pen_column(pen, 4);
        pen_line(
            pen, ROLE_NOTE, "... and %llu bytes more",
            (unsigned long long)(telling->output_total - telling->output.len));
    }
}

static void exit_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_exit *end = &event->exit;
    struct pen *pen = &telling->pen;

    pen_blank(pen);
    if (telling->unwatched)
        pen_words(pen, ROLE_WARNING, 0,
                  "The program was not watched to its end, for the reason "
                  "given above: it may have done more than is shown here.");
    else if (telling->entries == 0)
        pen_line(pen, ROLE_NOTE, "No generated code was seen to run.");
    tell_untold(telling);
    tell_output_lines(telling);
    pen_line(pen, end->signal.known ? ROLE_WARNING : ROLE_NOTE, "It %s%s.",
             end->signal.known ? "was " : "",
             phrase_end(&telling->phrases, end));
    tell_explanation(telling, explain_death);
}

const struct tell_kind kind_exit = {exit_words, exit_paragraph, 0};
