/* SPDX-License-Identifier: MIT */
#include "screen/cursor.h"

#include <inttypes.h>
#include <string.h>

#include "tell/focus.h"
#include "trace/where.h"

/* Numbers below are no addresses (trace/where.h). */
#define LOWEST_ADDRESS 0x10000u

void cursor_release(struct cursor *cursor)
{
    origins_release(&cursor->origins);
    *cursor = (struct cursor){0};
}

void cursor_update(struct cursor *cursor, struct history *history)
{
    if (cursor->on)
        origins_update(&cursor->origins, history_store(history),
                       history_count(history));
}

/* Sets it to addr, which is in [low, end), in a mapping that began at base. */
static void put(struct cursor *cursor, struct history *history, uint64_t addr,
                uint64_t base, uint64_t low, uint64_t end)
{
    if (cursor->origins.addr != addr) {
        origins_release(&cursor->origins);
        cursor->origins.addr = addr;
        cursor->jumped = false;
    }
    cursor->base = base;
    cursor->low = low;
    cursor->end = end;
    cursor->on = cursor->leads = true;
    cursor_update(cursor, history);
}

/* The byte that an event is about: the first one of what it stored, executed
 * or will execute; else of its mapping. */
static uint64_t byte_of(struct history *history, uint64_t seq)
{
    const struct event *event;
    struct focus focus;

    focus_find(history, seq, &focus);
    if (focus.kind == FOCUS_STORED)
        return focus.store_addr;
    if (focus.kind != FOCUS_NONE)
        return focus.addr;
    for (uint64_t i = seq + 1; i-- > 0;) {
        event = history_event(history, i);
        if (event->kind == EVENT_MAP)
            return event->map.addr;
    }
    return 0;
}

/* What is mapped at addr after event seq, or NULL. */
static const struct region *mapped(struct history *history, uint64_t seq,
                                   uint64_t addr)
{
    return view_region_at(history_view(history, seq), addr);
}

void cursor_move(struct cursor *cursor, struct history *history, uint64_t seq,
                 int by, struct buf *message)
{
    uint64_t addr = cursor->origins.addr + (uint64_t)(int64_t)by;
    const struct region *region;

    if (cursor->on && addr - cursor->low < cursor->end - cursor->low) {
        put(cursor, history, addr, cursor->base, cursor->low, cursor->end);
    } else if (cursor->on) {
        buf_printf(message, "this is the %s byte of the mapping",
                   by < 0 ? "first" : "last");
    } else {
        addr = byte_of(history, seq);
        region = mapped(history, seq, addr);
        if (region)
            put(cursor, history, addr, region->start, region->addr,
                region->addr + region->length);
        else
            buf_append_text(message, "nothing is mapped for code here; w asks "
                                     "for a byte of the past");
    }
}

/* Sets it to a byte of what is not mapped any more. */
static bool set_in_past(struct cursor *cursor, struct history *history,
                        uint64_t seq, uint64_t number)
{
    const struct where_mapping *mapping;
    struct unpacked unpacked = {0};
    struct where where = {0};
    uint64_t addr = 0;
    size_t state = 0;
    bool found;

    for (uint64_t i = 0; i <= seq; i++) {
        store_read(history_store(history), i, &unpacked);
        where_apply(&where, &unpacked.event);
    }
    found = where_next(&where, number, &state, &addr);
    if (found) {
        mapping = where_mapping(&where, addr);
        put(cursor, history, addr, mapping->start, mapping->start,
            mapping->start + mapping->length);
    }
    unpacked_release(&unpacked);
    where_release(&where);
    return found;
}

void cursor_set(struct cursor *cursor, struct history *history, uint64_t seq,
                const char *where, struct buf *message)
{
    const struct region *region;
    uint64_t number, addr;

    if (!where || !*where) {
        cursor_release(cursor);
        return;
    }
    if (!where_parse(where, &number)) {
        buf_printf(message, "'%s' is no offset and no address of a byte",
                   where);
        return;
    }
    addr = number;
    region = number >= LOWEST_ADDRESS ? mapped(history, seq, addr) : NULL;
    if (!region) {
        region =
            mapped(history, seq,
                   cursor->on ? cursor->origins.addr : byte_of(history, seq));
        addr = region ? region->start + number : 0;
        region = region ? mapped(history, seq, addr) : NULL;
    }
    if (region)
        put(cursor, history, addr, region->start, region->addr,
            region->addr + region->length);
    else if (!set_in_past(cursor, history, seq, number))
        buf_printf(message, "no code up to event %" PRIu64 " has that byte",
                   seq);
}

bool cursor_jump(struct cursor *cursor, struct history *history, uint64_t seq,
                 uint64_t *to, struct buf *message)
{
    size_t count;

    if (!cursor->on) {
        buf_append_text(message, "which byte? w asks for one");
        return false;
    }
    cursor_update(cursor, history);
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
