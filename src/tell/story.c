/* SPDX-License-Identifier: MIT */
/*
 * An event in words. Every number comes from the event or from the view around
 * it, and what a field does not tell is left out. Nothing here depends on what
 * was told before: any event may be the first one that a reader looks at.
 *
 * Texts of the program itself (arguments, output, names of files) may hold
 * anything. What a terminal would not show is shown as \xNN at the very end, in
 * `finish`, which also cuts what is too long.
 */
#include "tell/story.h"

#include <string.h>

#include "base/utf8.h"
#include "tell/story_parts.h"

#define HAPPENED_WIDTH 220u
#define NEXT_WIDTH     110u
#define TITLE_WIDTH    60u

/* --- what comes next ----------------------------------------------------- */

/* The instruction that the event's thread is at. Returns false if it is not in
 * generated code, or if something else than an instruction is to come. */
static bool next_instruction(const struct story *story)
{
    const struct view *view = story_view(story);
    const struct view_thread *thread = view_thread(view, story->event->tid);
    enum event_kind kind = story->event->kind;
    struct insn insn;
    uint64_t pc;

    if (!thread || !thread->inside || kind == EVENT_SIGNAL ||
        kind == EVENT_LIMIT)
        return false;
    pc = thread->regs.value[REG_PC];
    if (!view_region_at(view, pc)) {
        say(story, "Next: control leaves the generated code for ");
        say_address(story, pc);
    } else if (story_decode(view, pc, &insn)) {
        say(story, "Next: %s at ", insn.text);
        say_where(story, pc);
        say_label(story, pc);
    } else {
        say(story, "Next: an instruction at ");
        say_where(story, pc);
    }
    say(story, ".");
    return true;
}

/* A recorded event, as what is to come. */
static void say_coming(const struct story *story)
{
    const struct event *event = story->event;

    switch (event->kind) {
    case EVENT_START:
        say(story, "the program starts");
        break;
    case EVENT_MAP:
    case EVENT_PROTECT:
    case EVENT_UNMAP:
        say_call_name(story,
                      event->kind == EVENT_MAP       ? event->map.call
                      : event->kind == EVENT_PROTECT ? event->protect.call
                                                     : event->unmap.call,
                      "a change of its memory");
        break;
    case EVENT_WRITE:
        say(story, event_is_elsewhere(&event->write) ? "found changed: "
                   : event->write.by                 ? "the kernel stores to "
                                                     : "a store to ");
        say_place(story, event->write.offset, event->write.new.len);
        break;
    case EVENT_ENTER:
        say(story, "a %s to ", event->enter.how ? event->enter.how : "way");
        say_place(story, event->enter.offset, 1);
        say_label(story, event->enter.addr);
        break;
    case EVENT_STEP:
        say(story, "%s", event->step.text ? event->step.text : "a step");
        break;
    case EVENT_LEAVE:
        say(story, "control leaves the generated code");
        break;
    case EVENT_NAME:
        say(story, "a name for ");
        say_where(story, event->name.addr);
        break;
    case EVENT_OUTPUT:
        say(story, "output of the program");
        break;
    case EVENT_SIGNAL:
        say_signal_name(story, "signal");
        break;
    case EVENT_LIMIT:
        say(story, "a note on what is not watched");
        break;
    default:
        say(story, "the program ends");
        break;
    }
}

/* --- all of it ----------------------------------------------------------- */

static const struct {
    void (*happened)(const struct story *story);
    void (*title)(const struct story *story);
} kinds[EVENT_KINDS] = {
#define EVENT(kind, name, fields) \
    [EVENT_##kind] = {story_happened_##name, story_title_##name},
#define F(type, name)
#include "trace/event.def"
};

static void begin(struct story *story, struct history *history, uint64_t seq,
                  struct buf *out)
{
    *story = (struct story){
        .history = history,
        .seq = seq,
        .event = event_copy(history_event(history, seq)),
        .out = out,
    };
}

/* Makes what was said from `start` on fit to show, and not wider than limit. */
static void finish(struct story *story, size_t start, unsigned limit)
{
    struct buf raw = {0};
    size_t used, end = start;
    unsigned columns = 0, more;

    buf_append(&raw, story->out->data + start, story->out->len - start);
    story->out->len = start;
    for (size_t i = 0; i < raw.len; i += used) {
        used = utf8_show(raw.data + i, raw.len - i, story->out, &more);
        columns += more;
        if (columns <= limit - 3)
            end = story->out->len;
    }
    if (columns > limit) {
        story->out->len = end;
        say(story, "...");
    }
    buf_release(&raw);
    event_free(story->event);
}

/* Whose event it is, where that is not the thread that began. */
static void say_thread(const struct story *story)
{
    int first = history_event(story->history, 0)->tid;

    if (story->event->tid != first && story->event->kind != EVENT_EXIT)
        say(story, "Thread %d: ", story->event->tid);
}

void story_happened(struct history *history, uint64_t seq, bool decimal,
                    struct buf *out)
{
    size_t start = out->len;
    struct story story;

    begin(&story, history, seq, out);
    story.decimal = decimal;
    say_thread(&story);
    kinds[story.event->kind].happened(&story);
    finish(&story, start, HAPPENED_WIDTH);
}

void story_title(struct history *history, uint64_t seq, struct buf *out)
{
    size_t start = out->len;
    struct story story;

    begin(&story, history, seq, out);
    kinds[story.event->kind].title(&story);
    finish(&story, start, TITLE_WIDTH);
}

void story_next(struct history *history, uint64_t seq, struct buf *out)
{
    size_t start = out->len;
    struct story story;

    begin(&story, history, seq, out);
    if (story.event->kind == EVENT_EXIT) {
        say(&story, "The program has ended.");
    } else if (next_instruction(&story)) {
        ;
    } else if (seq + 1 < history_count(history)) {
        event_free(story.event);
        begin(&story, history, seq + 1, out);
        say(&story, "Next: ");
        say_coming(&story);
        say(&story, " (event %llu).", (unsigned long long)seq + 1);
    } else {
        say(&story, "Next: the program runs on to its next event.");
    }
    finish(&story, start, NEXT_WIDTH);
}

static const struct event *past_event(void *from, uint64_t index)
{
    struct history *history = from;

    return index < history_count(history) ? history_event(history, index)
                                          : NULL;
}

bool story_explain(struct history *history, uint64_t seq,
                   struct explanation *out)
{
    struct past past = {past_event, history, history_count(history), true};
    const struct view *view = history_view(history, seq);

    return history_event(history, seq)->kind == EVENT_LIMIT
               ? explain_loop(&past, view, seq, out)
               : explain_death(&past, view, seq, out);
}
