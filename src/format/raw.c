/* SPDX-License-Identifier: MIT */
/*
 * raw.c - code as bytes, once per content.
 *
 * A program calls its code many times and every call is an enter event with
 * the code in it. So the sink remembers what it last wrote, by the address of
 * its first byte, until that mapping goes away or another takes its place.
 * Regions are searched one after the other: there are few.
 */
#include "format/format.h"

#include <sys/mman.h>

#include "base/mem.h"

/* A region's code as it was last written. */
struct shown {
    uint64_t addr; /* of its first byte */
    struct buf code;
};

struct raw_sink {
    struct sink sink;
    FILE *out;
    struct shown *list;
    size_t count;
    size_t capacity;
};

static int show(struct raw_sink *raw, uint64_t addr, struct bytes code,
                struct err *err)
{
    struct shown *shown;
    size_t i = 0;

    if (code.len == 0)
        return 0;
    while (i < raw->count && raw->list[i].addr != addr)
        i++;
    if (i == raw->count) {
        raw->list =
            mem_grow(raw->list, raw->count, &raw->capacity, sizeof *raw->list);
        raw->list[raw->count++] = (struct shown){.addr = addr};
    }
    shown = &raw->list[i];
    if (shown->code.len == code.len &&
        memcmp(shown->code.data, code.data, code.len) == 0)
        return 0;
    buf_clear(&shown->code);
    buf_append(&shown->code, code.data, code.len);
    return sink_write(raw->out, code.data, code.len, err);
}

static void forget(struct raw_sink *raw, uint64_t addr, uint64_t length)
{
    for (size_t i = raw->count; i-- > 0;) {
        if (raw->list[i].addr - addr >= length)
            continue;
        buf_release(&raw->list[i].code);
        raw->list[i] = raw->list[--raw->count];
    }
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct raw_sink *raw = (struct raw_sink *)sink;
    uint64_t addr;
    struct bytes code = event_bytes(event, &addr);

    switch (event->kind) {
    case EVENT_MAP:
        forget(raw, event->map.addr, event->map.length);
        return 0;
    case EVENT_UNMAP:
        forget(raw, event->unmap.addr, event->unmap.length);
        return 0;
    case EVENT_PROTECT:
        return event->protect.prot & PROT_EXEC ? show(raw, addr, code, err) : 0;
    case EVENT_ENTER:
        return show(raw, addr, code, err);
    default:
        return 0;
    }
}

static void raw_sink_free(struct sink *sink)
{
    struct raw_sink *raw = (struct raw_sink *)sink;

    forget(raw, 0, UINT64_MAX);
    free(raw->list);
    free(raw);
}

struct sink *raw_sink_new(FILE *out)
{
    struct raw_sink *raw = mem_alloc(sizeof *raw);

    raw->sink = (struct sink){.emit = emit, .free = raw_sink_free};
    raw->out = out;
    return &raw->sink;
}
