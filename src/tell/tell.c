/* SPDX-License-Identifier: MIT */
/*
 * An event by itself. Texts of the program (arguments, output, names of files)
 * may hold anything. What a terminal would not show is shown as \xNN at the
 * very end, in tell_event, which also cuts what is too long.
 */
#include "tell/tell.h"

#include "base/utf8.h"
#include "tell/tell_parts.h"

static const struct tell_kind *const kinds[EVENT_KINDS] = {
#define F(type, name)
#define EVENT(kind, name, fields) [EVENT_##kind] = &kind_##name,
#include "trace/event.def"
};

void say(struct story *story, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(story->out, format, args);
    va_end(args);
}

const struct view *story_view(const struct story *story)
{
    return history_view(story->history, story->seq);
}

const struct view *story_view_before(const struct story *story)
{
    return story->seq > 0 ? history_view_of(story->history, story->seq - 1,
                                            story->event->pid)
                          : NULL;
}

const char *story_where(struct story *story, uint64_t addr)
{
    const struct region *region = view_region_at(story_view(story), addr);

    return region ? phrase_place(&story->phrases, addr - region->start, 1)
                  : phrase_hex(&story->phrases, addr);
}

const char *story_label(struct story *story, uint64_t addr)
{
    const struct view *view = story_view(story);
    const char *label = phrase_label(&story->phrases, view, addr);
    const char *line = phrase_line(&story->phrases, view, addr);

    return !*label  ? ""
           : !*line ? phrase(&story->phrases, " %s", label)
                    : phrase(&story->phrases, " %s (%s)", label, line);
}

const char *story_length(struct story *story, uint64_t length)
{
    const struct event *start = history_event(story->history, 0);
    uint64_t size = start->kind == EVENT_START ? start->start.page_size : 0;

    if (size == 0 || length % size != 0 || length == 0)
        return phrase(&story->phrases, "%" PRIu64 " bytes", length);
    return length == size
               ? "one page"
               : phrase(&story->phrases, "%" PRIu64 " pages", length / size);
}

const char *story_register(struct story *story, uint64_t value)
{
    return story->decimal ? phrase(&story->phrases, "%" PRId64, (int64_t)value)
                          : phrase_value(&story->phrases, value);
}

const char *story_in_source(struct story *story)
{
    const char *place = phrase_source(&story->phrases, &story->event->source);

    return *place ? phrase(&story->phrases, " (%s)", place) : "";
}

static void set_event(struct story *story, uint64_t seq)
{
    event_free(story->event);
    story->seq = seq;
    story->event = event_keep(history_event(story->history, seq));
}

static void say_next(struct story *story)
{
    const struct view *view = story_view(story);
    const struct view_thread *thread = view_thread(view, story->event->tid);
    enum event_kind kind = story->event->kind;
    struct insn insn;
    uint64_t pc;

    if (kind == EVENT_EXIT || kind == EVENT_VERDICT) {
        say(story, "The program has ended.");
    } else if (thread && thread->inside && kind != EVENT_SIGNAL &&
               kind != EVENT_LIMIT) { /* the instruction that it is at */
        pc = thread->regs.value[REG_PC];
        if (!view_region_at(view, pc))
            say(story, "Next: control leaves the generated code for %s.",
                phrase_hex(&story->phrases, pc));
        else if (view_has_code(view, pc) && view_decode(view, pc, &insn))
            say(story, "Next: %s at %s%s.", insn.text, story_where(story, pc),
                story_label(story, pc));
        else
            say(story, "Next: an instruction at %s.", story_where(story, pc));
    } else if (story->seq + 1 < history_count(story->history)) {
        set_event(story, story->seq + 1);
        say(story, "Next: ");
        kinds[story->event->kind]->words(story, TELL_NEXT);
        say(story, " (event %" PRIu64 ").", story->seq);
    } /* else nobody knows */
}

void tell_event(struct history *history, uint64_t seq, enum tell_form form,
                bool decimal, struct buf *out)
{
    static const unsigned widths[] = {
        [TELL_TITLE] = 60, [TELL_SENTENCE] = 220, [TELL_NEXT] = 110};
    struct buf raw = {0};
    struct story story = {.history = history, .decimal = decimal, .out = &raw};
    int first = history_event(history, 0)->tid;
    unsigned columns = 0, more;
    size_t used, end = out->len;

    set_event(&story, seq);
    /* Whose event it is, where that is not the thread that began. */
    if (form != TELL_NEXT && story.event->pid &&
        story.event->pid != history_event(history, 0)->start.pid)
        say(&story, "[pid %d] ", story.event->pid);
    else if (form == TELL_SENTENCE && story.event->tid != first &&
             story.event->kind != EVENT_EXIT)
        say(&story, "Thread %d: ", story.event->tid);
    if (form == TELL_NEXT)
        say_next(&story);
    else
        kinds[story.event->kind]->words(&story, form);
    for (size_t i = 0; i < raw.len; i += used) {
        used = utf8_show(raw.data + i, raw.len - i, out, &more);
        columns += more;
        if (columns <= widths[form] - 3)
            end = out->len;
    }
    if (columns > widths[form]) {
        out->len = end;
        buf_append_text(out, "...");
    }
    buf_release(&raw);
    phrases_release(&story.phrases);
    event_free(story.event);
}

void telling_event(struct telling *telling, const struct event *event)
{
    kinds[event->kind]->paragraph(telling, event);
    phrases_release(&telling->phrases);
}

const char *tell_searched(const struct event *event)
{
    size_t at = kinds[event->kind]->searched;

    return at ? *(const char *const *)((const char *)event + at) : NULL;
}

static const struct event *past_event(void *from, uint64_t index)
{
    struct history *history = from;

    return index < history_count(history) ? history_event(history, index)
                                          : NULL;
}

struct past history_past(struct history *history, bool can_go)
{
    return (struct past){past_event,
                         history,
                         history_count(history),
                         can_go,
                         history_emissions(history),
                         false};
}

/* What happened in one of several processes. */
struct own_past {
    struct history *history;
    int pid;
};

static const struct event *own_event(void *from, uint64_t index)
{
    const struct own_past *own = from;
    const struct event *event = past_event(own->history, index);

    return event && event->pid == own->pid ? event : NULL;
}

bool tell_explain(struct history *history, uint64_t seq,
                  struct explanation *out)
{
    struct past past = history_past(history, true);
    struct own_past own = {history, history_event(history, seq)->pid};

    if (own.pid) {
        past.event = own_event;
        past.from = &own;
    }
    return explain_event(&past, history_view(history, seq), seq, out);
}
