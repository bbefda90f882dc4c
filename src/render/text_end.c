/* SPDX-License-Identifier: MIT */
/*
 * What may happen at any time, and the end.
 */
#include "render/text_parts.h"

#include <string.h>

#define OUTPUT_LINES 8u

/* Output is told at the end; the program writes it itself when it does. */
void text_output(struct text *text, const struct event *event)
{
    (void)text;
    (void)event;
}

static void tell_fault(struct text *text, const struct event_signal *signal)
{
    const struct region *region;
    char prot[4];
    struct buf words = {0};

    buf_printf(&words, "it tried to %s at 0x%llx",
               signal->access ? signal->access : "access memory",
               (unsigned long long)signal->addr.value);
    region = view_region_at(&text->view, signal->addr.value);
    if (region) {
        prot_text(region->prot, prot);
        buf_printf(&words, ", but the page is %s", prot);
    }
    pen_column(&text->pen, 5);
    pen_words(&text->pen, ROLE_WARNING, 5, buf_text(&words));
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
    if (signal->addr.known)
        tell_fault(text, signal);
}

void text_limit(struct text *text, const struct event *event)
{
    struct pen *pen = &text->pen;

    pen_text(pen, ROLE_WARNING, "not watched: ");
    pen_words(pen, ROLE_WARNING, 5,
              event->limit.text ? event->limit.text : event->limit.budget);
}

static size_t line_length(struct bytes text)
{
    const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

    return end ? (size_t)(end - text.data) : text.len;
}

/* The first lines of the output, each cut to the width. */
static void tell_lines(struct pen *pen, struct bytes rest)
{
    for (unsigned lines = 0; rest.len > 0; lines++) {
        size_t len = line_length(rest);

        pen_column(pen, 4);
        if (lines == OUTPUT_LINES) {
            pen_print(pen, ROLE_NOTE, "... and %zu bytes more", rest.len);
            pen_end(pen);
            return;
        }
        pen_cut_bytes(pen, ROLE_RESULT, (struct bytes){rest.data, len});
        pen_end(pen);
        len += len < rest.len;
        rest.data += len;
        rest.len -= len;
    }
}

static void tell_output(struct text *text)
{
    const struct buf *output = &text->view.output;
    struct pen *pen = &text->pen;

    if (output->len == 0) {
        pen_text(pen, ROLE_NOTE, "The program printed nothing.");
        pen_end(pen);
        return;
    }
    pen_text(pen, ROLE_NOTE, "The program printed:");
    pen_end(pen);
    tell_lines(pen, (struct bytes){output->data, output->len});
}

void text_exit(struct text *text, const struct event *event)
{
    const struct event_exit *end = &event->exit;
    struct pen *pen = &text->pen;

    pen_blank(pen);
    if (text->entries == 0) {
        pen_text(pen, ROLE_NOTE, "No generated code was seen to run.");
        pen_end(pen);
    }
    tell_output(text);
    if (end->signal.known) {
        const char *name = sigabbrev_np((int)end->signal.value);

        pen_print(pen, ROLE_WARNING, "It was killed by signal %llu%s%s.",
                  (unsigned long long)end->signal.value, name ? " SIG" : "",
                  name ? name : "");
    } else {
        pen_print(pen, ROLE_NOTE, "It ended with status %llu.",
                  (unsigned long long)end->status.value);
    }
    pen_end(pen);
}
