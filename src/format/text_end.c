/* SPDX-License-Identifier: MIT */
/*
 * What may happen at any time, and the end.
 */
#include "format/text_parts.h"

#include <signal.h>
#include <string.h>

#include "tell/explain.h"
#include "trace/signal_name.h"

#define OUTPUT_LINES 8u
#define NAME_LINES   8u

static size_t line_length(struct bytes text)
{
    const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

    return end ? (size_t)(end - text.data) : text.len;
}

/*
 * Output is told at the end; the program writes it itself when it does. Only
 * so much of it is kept as will be told: the first lines.
 */
void text_output(struct text *text, const struct event *event)
{
    struct bytes rest = event->output.bytes;

    text->output_total += rest.len;
    while (rest.len > 0 && text->output_lines < OUTPUT_LINES) {
        size_t len = line_length(rest);
        bool ended = len < rest.len;

        len += ended;
        text->output_lines += ended;
        buf_append(&text->output, rest.data, len);
        rest.data += len;
        rest.len -= len;
    }
}

/* Of many names the rest is told where that code runs. */
void text_name(struct text *text, const struct event *event)
{
    const struct event_name *name = &event->name;
    const struct region *region = view_region_at(&text->view, name->addr);
    struct pen *pen = &text->pen;
    struct buf place = {0};

    if (++text->names_given > NAME_LINES)
        return;
    if (region)
        text_append_place(&place, name->addr - region->start, name->length);
    else
        buf_printf(&place, "0x%llx", (unsigned long long)name->addr);
    pen_print(pen, ROLE_NOTE, "%s is named ", buf_text(&place));
    pen_cut(pen, ROLE_HEADING, name->name ? name->name : "");
    pen_end(pen);
    if (text->names_given == NAME_LINES)
        pen_words(pen, ROLE_NOTE, 0,
                  "Further names are told where that code runs.");
    buf_release(&place);
}

static bool is_fetch(const struct event_signal *signal)
{
    return word_is(signal->access, "execute");
}

/* The instruction that the signal is about, if its bytes are known. */
static bool decode_guilty(struct text *text, const struct event_signal *signal,
                          struct insn *insn)
{
    const struct pages *pages = &text->view.pages;
    uint64_t pc = signal->pc.value;
    uint8_t byte;

    if (!signal->pc.known)
        return false;
    /* A breakpoint is a trap: it is reported behind its instruction. */
    if (signal->number == SIGTRAP && pages_written(pages, pc - 1)) {
        pages_read(pages, pc - 1, 1, &byte);
        pc -= byte == 0xcc;
    }
    return view_region_at(&text->view, pc) && text_decode(text, pc, insn);
}

/* In the form of a step, though it was none. */
static void tell_guilty(struct text *text, const struct insn *insn, bool fetch)
{
    struct pen *pen = &text->pen;
    const char *verdict = fetch ? "is not fetched" : "does not complete";
    uint64_t base = text_base(text, insn->addr, 0);

    text_tell_insn(pen, insn->addr - base,
                   (struct bytes){insn->bytes, insn->length}, insn->text);
    pen_item(pen, 5, strlen(verdict));
    pen_text(pen, ROLE_WARNING, verdict);
    pen_end(pen);
}

static void tell_fault(struct text *text, const struct event_signal *signal)
{
    struct insn insn;
    bool known = decode_guilty(text, signal, &insn);
    struct buf words = {0};

    if (known && signal->number != SIGTRAP)
        tell_guilty(text, &insn, is_fetch(signal));
    explain_fault(&text->view, signal, &words);
    if (words.len > 0) {
        pen_column(&text->pen, 5);
        pen_words(&text->pen, ROLE_WARNING, 5, buf_text(&words));
    }
    buf_release(&words);
}

void text_signal(struct text *text, const struct event *event)
{
    const struct event_signal *signal = &event->signal;
    struct pen *pen = &text->pen;

    pen_print(pen, ROLE_WARNING, "signal %lld", (long long)signal->number);
    if (signal->name)
        pen_print(pen, ROLE_WARNING, " %s", signal->name);
    if (signal->pc.known)
        pen_print(pen, ROLE_NOTE, " at 0x%llx",
                  (unsigned long long)signal->pc.value);
    pen_gap(pen, 0);
    text_source(text, event);
    pen_end(pen);
    if (explain_is_fault(signal))
        tell_fault(text, signal);
}

/* Explains the event that came last. */
static void tell_explanation(struct text *text,
                             bool (*explain)(const struct past *,
                                             const struct view *, uint64_t,
                                             struct explanation *))
{
    struct past past = recent_past(&text->recent);
    struct explanation explanation = {0};

    if (explain(&past, &text->view, past.count - 1, &explanation))
        explanation_write(&explanation, &text->pen, 0);
    explanation_release(&explanation);
}

void text_limit(struct text *text, const struct event *event)
{
    const char *why =
        event->limit.text ? event->limit.text : event->limit.budget;
    struct pen *pen = &text->pen;

    /* Its sentence says all. */
    if (!word_is(event->limit.budget, "quit"))
        pen_text(pen, ROLE_WARNING, "not watched: ");
    pen_words(pen, ROLE_WARNING, 5, why ? why : "something");
    text->unwatched |= event_ends_watching(&event->limit);
    tell_explanation(text, explain_loop);
}

/* The first lines of the output, each cut to the width. */
static void tell_lines(struct text *text)
{
    struct bytes rest = {text->output.data, text->output.len};
    struct pen *pen = &text->pen;

    while (rest.len > 0) {
        size_t len = line_length(rest);

        pen_column(pen, 4);
        pen_cut_bytes(pen, ROLE_RESULT, (struct bytes){rest.data, len});
        pen_end(pen);
        len += len < rest.len;
        rest.data += len;
        rest.len -= len;
    }
    if (text->output_total > text->output.len) {
        pen_column(pen, 4);
        pen_print(pen, ROLE_NOTE, "... and %llu bytes more",
                  (unsigned long long)(text->output_total - text->output.len));
        pen_end(pen);
    }
}

static void tell_output(struct text *text)
{
    struct pen *pen = &text->pen;

    if (text->output_total == 0 && text->unwatched)
        return;
    if (text->output_total == 0) {
        pen_text(pen, ROLE_NOTE, "The program itself printed nothing.");
        pen_end(pen);
        return;
    }
    pen_text(pen, ROLE_NOTE, "What the program printed, all together:");
    pen_end(pen);
    tell_lines(text);
}

void text_exit(struct text *text, const struct event *event)
{
    const struct event_exit *end = &event->exit;
    struct pen *pen = &text->pen;

    pen_blank(pen);
    if (text->unwatched) {
        pen_words(pen, ROLE_WARNING, 0,
                  "The program was not watched to its end, for the reason "
                  "given above: it may have done more than is shown here.");
    } else if (text->entries == 0) {
        pen_text(pen, ROLE_NOTE, "No generated code was seen to run.");
        pen_end(pen);
    }
    text_tell_held(text);
    tell_output(text);
    if (end->signal.known) {
        const char *name = signal_name((int)end->signal.value);

        pen_print(pen, ROLE_WARNING, "It was killed by signal %llu%s%s.",
                  (unsigned long long)end->signal.value, name ? " " : "",
                  name ? name : "");
    } else {
        pen_print(pen, ROLE_NOTE, "It ended with status %llu.",
                  (unsigned long long)end->status.value);
    }
    pen_end(pen);
    tell_explanation(text, explain_death);
}
