/* SPDX-License-Identifier: MIT */
#include "screen/screen.h"

#include "tell/focus.h"
#include "trace/where.h"

/* Numbers below are no addresses (trace/where.h). */
#define LOWEST_ADDRESS 0x10000u

void cursor_release(struct cursor *cursor)
{
    origins_release(&cursor->origins);
    *cursor = (struct cursor){0};
}

/* Sets it to addr, which is in [low, end), in a mapping that began at base, of
 * the process of event seq. */
static void put(struct cursor *cursor, struct history *history, uint64_t seq,
                uint64_t addr, uint64_t base, uint64_t low, uint64_t end)
{
    struct origins byte = history_byte(history, seq, addr);

    if (cursor->origins.addr != addr)
        cursor->jumped = false;
    if (!cursor->on || cursor->origins.addr != addr ||
        cursor->origins.life != byte.life) {
        origins_release(&cursor->origins);
        cursor->origins = byte;
    }
    cursor->base = base;
    cursor->low = low;
    cursor->end = end;
    cursor->on = true;
    origins_update(&cursor->origins, history_store(history),
                   history_count(history));
}

/* The same, if it is mapped after event seq. Returns false if it is not. */
static bool put_mapped(struct cursor *cursor, struct history *history,
                       uint64_t seq, uint64_t addr)
{
    const struct region *region =
        view_region_at(history_view(history, seq), addr);

    if (region)
        put(cursor, history, seq, addr, region->start, region->addr,
            region->addr + region->length);
    return region;
}

void cursor_update(struct cursor *cursor, struct history *history, uint64_t seq)
{
    uint64_t addr = cursor->origins.addr;

    if (!cursor->on)
        return;
    if (cursor->origins.life == history_byte(history, seq, addr).life)
        origins_update(&cursor->origins, history_store(history),
                       history_count(history));
    else if (!put_mapped(cursor, history, seq, addr))
        put(cursor, history, seq, addr, cursor->base, cursor->low, cursor->end);
}

/* The byte that an event is about: the first one of what it stored, executed
 * or will execute; else of its mapping. */
static uint64_t byte_of(struct history *history, uint64_t seq)
{
    struct origins byte; /* any one of the process */
    struct focus focus;

    focus_find(history, seq, &focus);
    if (focus.kind == FOCUS_STORED)
        return focus.store_addr;
    if (focus.kind != FOCUS_NONE)
        return focus.addr;
    byte = history_byte(history, seq, 0);
    for (uint64_t i = seq + 1; i-- > 0;) {
        const struct event *event = history_event(history, i);

        if (event->kind == EVENT_MAP && origins_concern(&byte, i, event))
            return event->map.addr;
    }
    return 0;
}

void cursor_move(struct cursor *cursor, struct history *history, uint64_t seq,
                 int by, struct buf *message)
{
    uint64_t addr = cursor->origins.addr + (uint64_t)(int64_t)by;

    cursor_update(cursor, history, seq);
    if (cursor->on && addr - cursor->low < cursor->end - cursor->low)
        put(cursor, history, seq, addr, cursor->base, cursor->low, cursor->end);
    else if (cursor->on)
        buf_printf(message, "this is the %s byte of the mapping",
                   by < 0 ? "first" : "last");
    else if (!put_mapped(cursor, history, seq, byte_of(history, seq)))
        buf_append_text(message, "nothing is mapped for code here; w asks for "
                                 "a byte of the past");
    cursor->leads = cursor->on;
}

void cursor_set(struct cursor *cursor, struct history *history, uint64_t seq,
                const char *where, struct buf *message)
{
    const struct where_mapping *mapping;
    struct unpacked unpacked = {0};
    const struct region *region;
    struct where past = {0};
    struct origins byte = history_byte(history, seq, 0);
    uint64_t number, addr;
    size_t state = 0;

    if (!where || !*where) {
        cursor_release(cursor);
        return;
    }
    if (!where_parse(where, &number) &&
        !labels_find(&history_view(history, seq)->labels, where, &number)) {
        buf_printf(message,
                   "'%s' is no offset, no address and no name of code here",
                   where);
        return;
    }
    cursor->leads = true;
    if (number >= LOWEST_ADDRESS && put_mapped(cursor, history, seq, number))
        return;
    addr = cursor->on ? cursor->origins.addr : byte_of(history, seq);
    region = view_region_at(history_view(history, seq), addr);
    if (region && put_mapped(cursor, history, seq, region->start + number))
        return;
    /* A byte of what is not mapped any more. */
    for (uint64_t i = 0; i <= seq; i++) {
        store_read(history_store(history), i, &unpacked);
        if (origins_concern(&byte, i, &unpacked.event))
            where_apply(&past, &unpacked.event);
    }
    if (where_next(&past, number, &state, &addr)) {
        mapping = where_mapping(&past, addr);
        put(cursor, history, seq, addr, mapping->start, mapping->start,
            mapping->start + mapping->length);
    } else {
        buf_printf(message, "no code up to event %" PRIu64 " has that byte",
                   seq);
    }
    unpacked_release(&unpacked);
    where_release(&past);
}

bool cursor_jump(struct cursor *cursor, struct history *history, uint64_t seq,
                 uint64_t *to, struct buf *message)
{
    size_t count;

    if (!cursor->on) {
        buf_append_text(message, "which byte? w asks for one");
        return false;
    }
    cursor_update(cursor, history, seq);
    if (cursor->jumped && cursor->to == seq) {
        cursor->jumped = false;
        *to = cursor->from;
        return true;
    }
    count = origins_until(&cursor->origins, seq);
    while (count > 0 && cursor->origins.list[count - 1].kind == ORIGIN_UNMAPPED)
        count--;
    if (count == 0) {
        buf_append_text(message, "no event so far is about this byte");
        return false;
    }
    *to = cursor->origins.list[count - 1].seq;
    if (*to == seq) {
        buf_append_text(message, "this is the event that wrote it; before it: "
                                 "b, then again");
        return false;
    }
    cursor->jumped = true;
    cursor->from = seq;
    cursor->to = *to;
    return true;
}
