/* SPDX-License-Identifier: MIT */
/*
 * chrome.c - calls on a timeline, as Chrome and Perfetto draw them: the "JSON
 * Array Format" of Google's document "Trace Event Format".
 *
 * A program that is stopped at every instruction does not take the time that it
 * would. So what is drawn is the order of events: one of them is a microsecond
 * long. An array that does not end is read, too, so a trace that was cut short
 * can be drawn.
 */
#include <jansson.h>

#include "base/mem.h"
#include "format/format.h"
#include "format/json_fields.h"
#include "trace/views.h"

/* A bar that is open in a thread's row. */
enum bar {
    BAR_CODE, /* generated code */
    BAR_OUT,  /* what it has called */
};

struct row {
    int tid;
    int pid;
    struct buf bars; /* a byte, an enum bar, for each; the innermost last */
};

struct chrome {
    struct sink sink;
    FILE *out;
    struct views views;
    struct row *rows;
    size_t count;
    size_t capacity;
    uint64_t stored; /* bytes so far */
    uint64_t seq;
    int root; /* the process that began */
    int pid;  /* that the event is of */
    bool begun;
    struct err *err; /* of the event that is being written */
    int result;
};

static struct row *row_of(struct chrome *chrome, int tid)
{
    for (size_t i = 0; i < chrome->count; i++)
        if (chrome->rows[i].tid == tid)
            return &chrome->rows[i];
    chrome->rows = mem_grow(chrome->rows, chrome->count, &chrome->capacity,
                            sizeof *chrome->rows);
    chrome->rows[chrome->count] = (struct row){.tid = tid, .pid = chrome->pid};
    return &chrome->rows[chrome->count++];
}

/* One element of the array: its phase, as the format calls it, and its name;
 * args becomes its own, or is NULL. */
static void put(struct chrome *chrome, const char *phase, int tid,
                const char *name, json_t *args)
{
    json_t *object = json_object();
    struct buf line = {0};

    json_put(object, "ph", json_string(phase));
    json_put(object, "name", json_of_text(name));
    json_put(object, "ts", json_of_number((int64_t)chrome->seq));
    json_put(object, "pid", json_of_number(chrome->pid));
    json_put(object, "tid", json_of_number(tid));
    if (*phase == 'i')
        json_put(object, "s", json_string("t")); /* a mark in its own row */
    if (args)
        json_put(object, "args", args);
    buf_append_text(&line, chrome->begun ? ",\n" : "[\n");
    json_append(object, 0, &line);
    chrome->begun = true;
    if (chrome->result == 0)
        chrome->result =
            sink_write(chrome->out, line.data, line.len, chrome->err);
    buf_release(&line);
}

static json_t *with(const char *key, json_t *value)
{
    json_t *args = json_object();

    json_put(args, key, value);
    return args;
}

static void open_bar(struct chrome *chrome, int tid, enum bar bar,
                     const char *name, uint64_t addr)
{
    const uint8_t kind = (uint8_t)bar;

    buf_append(&row_of(chrome, tid)->bars, &kind, 1);
    put(chrome, "B", tid, name, with("addr", json_of_addr(addr)));
}

/* Closes bars up to the innermost one of that kind, if there is one. */
static bool close_bar(struct chrome *chrome, int tid, enum bar bar)
{
    struct buf *bars = &row_of(chrome, tid)->bars;
    size_t left = bars->len;

    while (left > 0 && bars->data[left - 1] != bar)
        left--;
    if (left == 0)
        return false;
    for (; bars->len >= left; bars->len--)
        put(chrome, "E", tid, "", NULL);
    return true;
}

static void on_enter(struct chrome *chrome, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    const struct view *view = views_of(&chrome->views, event->pid);
    const struct region *region = view_region_at(view, enter->addr);
    struct buf name = {0};

    if (word_is(enter->how, "return") && close_bar(chrome, event->tid, BAR_OUT))
        return;
    if (!labels_describe(&view->labels, enter->addr, &name) && region)
        buf_printf(&name, "code at 0x%" PRIx64 "+0x%" PRIx64, region->start,
                   enter->addr - region->start);
    open_bar(chrome, event->tid, BAR_CODE, buf_text(&name), enter->addr);
    buf_release(&name);
}

static void on_leave(struct chrome *chrome, const struct event *event)
{
    const struct event_leave *leave = &event->leave;

    if (word_is(leave->how, "call") || word_is(leave->how, "signal"))
        open_bar(chrome, event->tid, BAR_OUT,
                 leave->callee.symbol ? leave->callee.symbol
                 : leave->to_symbol   ? leave->to_symbol
                                      : leave->how,
                 leave->to);
    else
        close_bar(chrome, event->tid, BAR_CODE);
}

/* What happened at a moment, which a recording may leave out, and what it is
 * called there. */
static void mark(struct chrome *chrome, const struct event *event,
                 const char *what, const char *detail)
{
    put(chrome, "i", event->tid, what ? what : event_name(event->kind),
        detail ? with("detail", json_of_text(detail)) : NULL);
}

static void name_process(struct chrome *chrome, int tid, const char *exe)
{
    put(chrome, "M", tid, "process_name",
        with("name", json_of_text(exe ? exe : "")));
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct chrome *chrome = (struct chrome *)sink;
    struct buf injected = {0};

    if (event->kind != EVENT_VERDICT) /* these come behind the end */
        chrome->seq = event->seq;
    chrome->err = err;
    chrome->result = 0;
    views_apply(&chrome->views, event);
    if (event->kind == EVENT_START)
        chrome->root = (int)event->start.pid;
    chrome->pid = event->pid ? event->pid : chrome->root;
    if (event_injected_by(event, &injected))
        mark(chrome, event, "injected", buf_text(&injected));
    buf_release(&injected);
    switch (event->kind) {
    case EVENT_START:
        name_process(chrome, event->tid, event->start.exe);
        break;
    case EVENT_EXEC:
        name_process(chrome, event->tid, event->exec.exe);
        break;
    case EVENT_FORK:
        mark(chrome, event, event->fork.call, NULL);
        break;
    case EVENT_MAP:
        mark(chrome, event, "map", event->map.call);
        break;
    case EVENT_PROTECT:
        mark(chrome, event, "protect", event->protect.call);
        break;
    case EVENT_UNMAP:
        mark(chrome, event, "unmap", event->unmap.call);
        break;
    case EVENT_REFUSED:
        mark(chrome, event, "refused", event->refused.call);
        break;
    case EVENT_SIGNAL:
        mark(chrome, event, event->signal.name, NULL);
        break;
    case EVENT_LIMIT:
        mark(chrome, event, "limit", event->limit.text);
        break;
    case EVENT_VERDICT:
        mark(chrome, event, event->verdict.rule, event->verdict.detail);
        break;
    case EVENT_OUTPUT:
        mark(chrome, event, "output", NULL);
        break;
    case EVENT_WRITE:
        chrome->stored += event->write.new.len;
        put(chrome, "C", event->tid, "bytes stored",
            with("bytes", json_of_number((int64_t)chrome->stored)));
        break;
    case EVENT_ENTER:
        on_enter(chrome, event);
        break;
    case EVENT_LEAVE:
        on_leave(chrome, event);
        break;
    default: /* steps are what bars are made of */
        break;
    }
    return chrome->result;
}

static int finish(struct sink *sink, struct err *err)
{
    struct chrome *chrome = (struct chrome *)sink;

    chrome->err = err;
    chrome->result = 0;
    chrome->seq++;
    for (size_t i = 0; i < chrome->count; i++)
        for (struct row *row = &chrome->rows[i]; row->bars.len > 0;
             row->bars.len--) {
            chrome->pid = row->pid;
            put(chrome, "E", row->tid, "", NULL);
        }
    return chrome->result < 0
               ? -1
               : sink_write(chrome->out, chrome->begun ? "\n]\n" : "[]\n", 3,
                            err);
}

static void chrome_sink_free(struct sink *sink)
{
    struct chrome *chrome = (struct chrome *)sink;

    for (size_t i = 0; i < chrome->count; i++)
        buf_release(&chrome->rows[i].bars);
    free(chrome->rows);
    views_release(&chrome->views);
    free(chrome);
}

struct sink *chrome_sink_new(FILE *out)
{
    struct chrome *chrome = mem_alloc(sizeof *chrome);

    chrome->sink = (struct sink){emit, finish, chrome_sink_free};
    chrome->out = out;
    return &chrome->sink;
}
