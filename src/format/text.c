/* SPDX-License-Identifier: MIT */
/*
 * Telling a trace to someone who sees it for the first time.
 *
 * What is told is tell/paragraph.h; here it gets headings, by the stage that
 * its view says the program is in, and the name of the thread where that
 * changes. An event may be held back before: text_hold.c waits for a mapping to
 * turn out to hold code, text_loop.c for a loop to end.
 *
 *     event ──▶ text_hold ──▶ telling_take ──▶ text_loop ──▶ telling_event
 *
 * Nothing here knows what program it is. All numbers come from the events.
 */
#include "format/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "format/text_parts.h"

static const char *const purpose[STAGES] = {
    [STAGE_PAGE_SIZE] = "Memory is protected page by page, so whoever makes "
                        "code must know how large a page is.",
    [STAGE_MAP] = "Code made at run time needs memory of its own, in whole "
                  "pages.",
    [STAGE_WRITE] = "Machine code is only bytes: the program stores them like "
                    "any other data.",
    [STAGE_PROTECT] = "The CPU fetches instructions only from pages that have "
                      "the x permission.",
    [STAGE_CALL] = "Now the CPU runs what the program wrote, one instruction "
                   "at a time.",
};

/*
 * A heading where another stage begins; they may go round and round. What
 * generated code itself stores is a part of running it, and gets none.
 */
static void tell_heading(struct text *text, const struct event *event)
{
    /* Memory that was there before is not asked for by a system call. */
    bool found = event->kind == EVENT_MAP && !event->map.call;
    enum stage stage = text->telling.view.stage;
    const char *name = found ? "memory" : stage_name(stage);
    struct pen *pen = &text->telling.pen;

    switch (event->kind) {
    case EVENT_WRITE:
        if (text->stage == STAGE_WRITE ||
            view_is_inside(&text->telling.view, event->tid))
            return;
        break;
    case EVENT_START:
    case EVENT_MAP:
    case EVENT_PROTECT:
    case EVENT_ENTER:
        if (text->started && stage == text->stage)
            return;
        break;
    default:
        return;
    }
    pen_blank(pen);
    pen_line(pen, ROLE_HEADING, "%d  %s", (int)stage + 1, name);
    for (size_t i = 0; i < strlen(name) + 3; i++)
        pen_text(pen, ROLE_HEADING, "-");
    pen_end(pen);
    if (!text->stage_told[stage] && !found) {
        pen_words(pen, ROLE_NOTE, 0, purpose[stage]);
        text->stage_told[stage] = true;
    }
    pen_blank(pen);
    text->stage = stage;
    text->started = true;
}

void text_name_thread(struct text *text, int tid)
{
    if (text->last_tid && text->last_tid != tid)
        pen_line(&text->telling.pen, ROLE_NOTE, "thread %d:", tid);
    text->last_tid = tid;
}

void text_tell_in_words(struct text *text, const struct event *event)
{
    tell_heading(text, event);
    if (event->tid && event->kind != EVENT_OUTPUT &&
        event->kind != EVENT_LIMIT && event->kind != EVENT_EXIT)
        text_name_thread(text, event->tid);
    telling_event(&text->telling, event);
}

void text_tell(struct text *text, const struct event *event)
{
    text_end_loops(text, event);
    telling_take(&text->telling, event);
    if (!text_loop_skips(text, event))
        text_tell_in_words(text, event);
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct text *text = (struct text *)sink;
    struct buf *out = &text->telling.pen.out;
    int status;

    recent_add(&text->telling.recent, event);
    if (!text_hold(text, event))
        text_tell(text, event);
    status = sink_write(text->out, out->data, out->len, err);
    buf_clear(out);
    return status;
}

static void free_text(struct sink *sink)
{
    struct text *text = (struct text *)sink;

    telling_release(&text->telling);
    text_hold_release(&text->hold);
    text_loops_release(text);
    free(text);
}

struct sink *text_sink_new(FILE *out, bool color)
{
    struct text *text = mem_alloc(sizeof *text);

    telling_init(&text->telling);
    text->telling.pen.color = color;
    text->sink.emit = emit;
    text->sink.free = free_text;
    text->out = out;
    return &text->sink;
}
