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

static void output_title(struct story *story)
{
    say(story, "output %s",
        story_quoted(story, story->event->output.bytes, OUTPUT_TITLE));
}

static void output_coming(struct story *story)
{
    say(story, "output of the program");
}

static void output_sentence(struct story *story)
{
    const struct event_output *output = &story->event->output;

    say(story, "The program printed %s: %zu byte%s to ",
        story_quoted(story, output->bytes, OUTPUT_SENTENCE), output->bytes.len,
        output->bytes.len == 1 ? "" : "s");
    if (output->fd == 1 || output->fd == 2)
        say(story, "standard %s.", output->fd == 1 ? "output" : "error");
    else
        say(story, "descriptor %lld.", (long long)output->fd);
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

const struct tell_kind kind_output = {output_title, output_sentence,
                                      output_coming, output_paragraph, 0};

/* --- signal -------------------------------------------------------------- */

static const char *story_signal(struct story *story)
{
    const struct event_signal *signal = &story->event->signal;

    return phrase_signal(&story->phrases, signal->number, signal->name);
}

static void signal_title(struct story *story)
{
    say(story, "signal %s", story_signal(story));
}

static void signal_sentence(struct story *story)
{
    const struct event_signal *signal = &story->event->signal;
    bool is_fault = explain_is_fault(signal);
    struct focus focus = {0};

    if (signal->pc.known && is_fault)
        focus_find(story->history, story->seq, &focus);
    say(story, "Signal %s", story_signal(story));
    if (signal->pc.known)
        say(story, " at %s", story_where(story, signal->pc.value));
    if (focus.state == INSN_DECODED &&
        signal->pc.value - focus.addr <= (signal->number == SIGTRAP))
        say(story, ", %s", focus.insn.text);
    say(story, is_fault ? ": " : " was delivered to the program");
    explain_fault(story_view(story), signal, story->out);
    say(story, ".");
}

/* The instruction that did not run, in the form of a step. */
static void tell_guilty(struct telling *telling,
                        const struct event_signal *signal)
{
    const char *verdict = word_is(signal->access, "execute")
                              ? "is not fetched"
                              : "does not complete";
    struct insn insn;

    if (!signal->pc.known || signal->number == SIGTRAP ||
        !view_region_at(&telling->view, signal->pc.value) ||
        !telling_decode(telling, signal->pc.value, &insn))
        return;
    telling_insn(telling, insn.addr - telling_base(telling, insn.addr, 0),
                 (struct bytes){insn.bytes, insn.length}, insn.text);
    pen_item(&telling->pen, 5, strlen(verdict));
    pen_line(&telling->pen, ROLE_WARNING, "%s", verdict);
}

static void signal_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_signal *signal = &event->signal;
    struct pen *pen = &telling->pen;
    struct buf words = {0};

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
    tell_guilty(telling, signal);
    explain_fault(&telling->view, signal, &words);
    pen_column(pen, 5);
    pen_words(pen, ROLE_WARNING, 5, phrase_of(&telling->phrases, &words));
}

const struct tell_kind kind_signal = {signal_title, signal_sentence,
                                      signal_title, signal_paragraph,
                                      TELL_SEARCHED(signal, name)};

/* --- limit --------------------------------------------------------------- */

/* The reader's leaving is no limit of ours; its sentence says all. */
static bool is_quit(const struct event_limit *limit)
{
    return word_is(limit->budget, "quit");
}

static void limit_title(struct story *story)
{
    const struct event_limit *limit = &story->event->limit;

    if (is_quit(limit))
        say(story, "ended by jittrace");
    else
        say(story, "not watched: %s",
            limit->budget ? limit->budget : "something");
}

static void limit_coming(struct story *story)
{
    say(story, "a note on what is not watched");
}

static void limit_sentence(struct story *story)
{
    const struct event_limit *limit = &story->event->limit;
    const char *text = limit->text ? limit->text : limit->budget;
    size_t len = text ? strlen(text) : 0;

    say(story, "%s%s%s",
        is_quit(limit) ? "" : "Not watched: ", len ? text : "something",
        len && text[len - 1] == '.' ? "" : ".");
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

    if (!is_quit(limit))
        pen_text(&telling->pen, ROLE_WARNING, "not watched: ");
    pen_words(&telling->pen, ROLE_WARNING, 5, why ? why : "something");
    telling->unwatched |= event_ends_watching(limit);
    tell_explanation(telling, explain_loop);
}

const struct tell_kind kind_limit = {limit_title, limit_sentence, limit_coming,
                                     limit_paragraph, 0};

/* --- exit ---------------------------------------------------------------- */

static void exit_title(struct story *story)
{
    say(story, "%s", phrase_end(&story->phrases, &story->event->exit));
}

static void exit_coming(struct story *story)
{
    say(story, "the program ends");
}

static void exit_sentence(struct story *story)
{
    const struct event_exit *end = &story->event->exit;
    uint64_t calls = story_view(story)->calls;

    say(story, "The program %s%s.", end->signal.known ? "was " : "",
        phrase_end(&story->phrases, end));
    if (calls > 0)
        say(story, " %llu call%s into generated code %s seen.",
            (unsigned long long)calls, calls == 1 ? "" : "s",
            calls == 1 ? "was" : "were");
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

const struct tell_kind kind_exit = {exit_title, exit_sentence, exit_coming,
                                    exit_paragraph, 0};
