/* SPDX-License-Identifier: MIT */
/*
 * Telling a trace to someone who sees it for the first time.
 *
 * The sink keeps a view, which says what stage the program is in; a heading is
 * printed when that changes. Each event becomes a few lines, made in a buffer
 * and written at once. The same idea is explained once: the second mapping,
 * the hundredth flip are told in fewer words.
 *
 * Nothing here knows what program it is. All numbers come from the events.
 */
#include "format/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* Memory that was there before is not asked for by a system call. */
static bool is_found(const struct event *event)
{
    return event->kind == EVENT_MAP && !event->map.call;
}

static void heading(struct text *text, const struct event *event)
{
    struct pen *pen = &text->pen;
    enum stage stage = text->view.stage;
    const char *name = is_found(event) ? "memory" : stage_name(stage);

    pen_blank(pen);
    pen_print(pen, ROLE_HEADING, "%d  %s", (int)stage + 1, name);
    pen_end(pen);
    for (size_t i = 0; i < strlen(name) + 3; i++)
        pen_text(pen, ROLE_HEADING, "-");
    pen_end(pen);
    if (!text->stage_told[stage] && !is_found(event)) {
        pen_words(pen, ROLE_NOTE, 0, purpose[stage]);
        text->stage_told[stage] = true;
    }
    pen_blank(pen);
    text->stage = stage;
    text->started = true;
}

bool text_first_time(struct text *text, enum topic topic)
{
    bool first = !text->topic_told[topic];

    text->topic_told[topic] = true;
    return first;
}

void text_source(struct text *text, const struct event *event)
{
    struct pen *pen = &text->pen;

    if (!event->source.file)
        return;
    pen_print(pen, ROLE_SOURCE, "%s:%d", event->source.file,
              event->source.line);
    if (event->source.text) {
        pen_gap(pen, 0);
        pen_cut(pen, ROLE_SOURCE, event->source.text);
    }
}

uint64_t text_base(const struct text *text, uint64_t addr, uint64_t offset)
{
    const struct region *region = view_region_at(&text->view, addr);

    return region ? region->start : addr - offset;
}

void text_name_code(struct text *text, uint64_t base)
{
    const struct region *region = view_region_at(&text->view, base);
    struct pen *pen = &text->pen;
    char prot[4];

    if (text->named && text->base == base)
        return;
    text->many |= text->base && text->base != base;
    text->named = true;
    text->base = base;
    pen_print(pen, ROLE_NOTE, "code[0] is the byte at ");
    pen_print(pen, ROLE_ADDRESS, "0x%llx", (unsigned long long)base);
    if (region) {
        prot_text(region->prot, prot);
        pen_print(pen, ROLE_NOTE, ", where %llu bytes are mapped ",
                  (unsigned long long)region->length);
        pen_text(pen, ROLE_PROTECTION, prot);
    }
    pen_text(pen, ROLE_NOTE, ":");
    pen_end(pen);
}

/* "reading, writing and executing": the rights in or not in prot. */
static unsigned append_rights(unsigned prot, bool allowed, struct buf *out)
{
    static const struct {
        unsigned bit;
        const char *name;
    } right[] = {
        {PROT_READ, "reading"},
        {PROT_WRITE, "writing"},
        {PROT_EXEC, "executing"},
    };
    unsigned listed = 0, due = 0;

    for (size_t i = 0; i < 3; i++)
        due += !!(prot & right[i].bit) == allowed;
    for (size_t i = 0; i < 3; i++) {
        if (!!(prot & right[i].bit) != allowed)
            continue;
        if (listed > 0)
            buf_append_text(out, listed + 1 == due ? " and " : ", ");
        buf_append_text(out, right[i].name);
        listed++;
    }
    return listed;
}

void text_rights(unsigned prot, struct buf *out)
{
    size_t start;

    if (append_rights(prot, true, out) > 0)
        buf_append_text(out, " allowed");
    else
        buf_append_text(out, "nothing allowed");
    start = out->len;
    buf_append_text(out, ", ");
    if (append_rights(prot, false, out) > 0)
        buf_append_text(out, " not");
    else
        out->len = start;
}

/*
 * Stages may go round and round. What generated code itself stores is a part
 * of running it, and gets no heading.
 */
static bool needs_heading(const struct text *text, const struct event *event)
{
    switch (event->kind) {
    case EVENT_WRITE:
        return !view_is_inside(&text->view, event->tid) &&
               text->stage != STAGE_WRITE;
    case EVENT_START:
    case EVENT_MAP:
    case EVENT_PROTECT:
    case EVENT_ENTER:
        return !text->started || text->view.stage != text->stage;
    default:
        return false;
    }
}

/* Notes what the view will no longer know once it has taken the event. */
static void look_before(struct text *text, const struct event *event)
{
    uint64_t addr =
        event->kind == EVENT_PROTECT ? event->protect.addr : event->enter.addr;
    const struct protection *protection;
    const struct region *region;

    if (event->kind != EVENT_PROTECT && event->kind != EVENT_ENTER)
        return;
    region = view_region_at(&text->view, addr);
    if (event->kind == EVENT_PROTECT) {
        free(text->maps_before);
        protection = view_protection(&text->view, addr);
        text->maps_before = mem_copy_text(protection ? protection->maps : NULL);
        if (event->protect.prot & PROT_EXEC)
            text_sum_up(text, addr, event->protect.length);
        text_compare_code(text, text_base(text, addr, 0),
                          addr + event->protect.code_offset,
                          event->protect.code);
    } else if (region) {
        text_sum_up(text, region->addr, region->length);
        text_compare_code(text, region->start,
                          region->addr + event->enter.code_offset,
                          event->enter.code);
    }
}

void text_name_thread(struct text *text, int tid)
{
    if (text->last_tid && text->last_tid != tid) {
        pen_print(&text->pen, ROLE_NOTE, "thread %d:", tid);
        pen_end(&text->pen);
    }
    text->last_tid = tid;
}

/* Whose event it is, where that matters. */
static void tell_thread(struct text *text, const struct event *event)
{
    if (event->tid && event->kind != EVENT_OUTPUT &&
        event->kind != EVENT_LIMIT && event->kind != EVENT_EXIT)
        text_name_thread(text, event->tid);
}

void text_tell_in_words(struct text *text, const struct event *event)
{
    static void (*const teller[EVENT_KINDS])(struct text *,
                                             const struct event *) = {
#define EVENT(kind, name, fields) [EVENT_##kind] = text_##name,
#include "trace/event.def"
    };

    if (needs_heading(text, event))
        heading(text, event);
    tell_thread(text, event);
    teller[event->kind](text, event);
}

void text_tell(struct text *text, const struct event *event)
{
    text_end_loops(text, event);
    look_before(text, event);
    view_apply(&text->view, event);
    if (!text_loop_skips(text, event))
        text_tell_in_words(text, event);
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct text *text = (struct text *)sink;
    struct buf *out = &text->pen.out;
    int status;

    recent_add(&text->recent, event);
    if (!text_hold(text, event))
        text_tell(text, event);
    status = sink_write(text->out, out->data, out->len, err);
    buf_clear(out);
    return status;
}

static void free_text(struct sink *sink)
{
    struct text *text = (struct text *)sink;

    pen_release(&text->pen);
    view_release(&text->view);
    buf_release(&text->output);
    pages_release(&text->stored);
    pages_release(&text->explained);
    pages_release(&text->listed);
    text_hold_release(&text->hold);
    recent_release(&text->recent);
    for (size_t i = 0; i < text->thread_count; i++)
        text_loop_release(&text->threads[i].loop);
    free(text->maps_before);
    free(text->areas);
    free(text->threads);
    free(text);
}

struct sink *text_sink_new(FILE *out, bool color)
{
    struct text *text = mem_alloc(sizeof *text);

    text->sink.emit = emit;
    text->sink.free = free_text;
    text->out = out;
    text->pen.color = color;
    view_init(&text->view);
    recent_init(&text->recent);
    return &text->sink;
}
