/* SPDX-License-Identifier: MIT */
/*
 * Mappings of which nobody knows yet whether they will hold code.
 *
 * A program asks for memory for many reasons, and a buffer for its input is no
 * code. So what happens to a mapping that is not executable is held back, event
 * by event, neither told nor known to the view:
 *
 *     map, write, protect, ... ---> queue ---> told, in order, once it turns
 *                                     |        executable, is entered, or a
 *                                     |        fault lies in it
 *                                     '------> only counted, when it goes away
 *                                              or the program ends
 *
 * A mapping may be cut into pieces; the queue is that of all of them. What
 * becomes of one becomes of all. The same memory may be mapped a second time
 * and executed there: then it is told as well.
 *
 * The stores that an observer watches are limited, the bytes that a kernel
 * writes are not: of those no more than HELD_BYTES are kept for a mapping. The
 * snapshot that comes with the event that releases it has them all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "format/text_parts.h"

#define HELD_BYTES (4u << 20)

struct text_held {
    uint64_t start; /* of the mapping; its pieces have it, too */
    struct event **list;
    size_t count;
    size_t capacity;
    uint64_t stores;
    uint64_t bytes;
    uint64_t lost; /* stores that were not kept */
};

static struct text_held *queue_at(const struct text_hold *hold, uint64_t addr)
{
    const struct region *region = regions_at(&hold->mappings, addr);

    for (size_t i = hold->count; region && i-- > 0;)
        if (hold->list[i].start == region->start)
            return &hold->list[i];
    return NULL;
}

static void append(struct text_held *held, const struct event *event)
{
    if (event->kind == EVENT_WRITE) {
        held->stores++;
        if (held->bytes > HELD_BYTES) {
            held->lost++;
            return;
        }
        held->bytes += event->write.new.len;
    }
    held->list =
        mem_grow(held->list, held->count, &held->capacity, sizeof *held->list);
    held->list[held->count++] = event_keep(event);
}

static void release_queue(struct text_held *held)
{
    for (size_t i = 0; i < held->count; i++)
        event_free(held->list[i]);
    free(held->list);
}

void text_hold_release(struct text_hold *hold)
{
    for (size_t i = 0; i < hold->count; i++)
        release_queue(&hold->list[i]);
    free(hold->list);
    regions_release(&hold->mappings);
}

/* Takes the queue out of the list; the caller releases it. */
static struct text_held take(struct text_hold *hold, uint64_t start)
{
    struct text_held held = {0};
    size_t kept = 0;

    for (size_t i = 0; i < hold->count; i++) {
        if (hold->list[i].start == start)
            held = hold->list[i];
        else
            hold->list[kept++] = hold->list[i];
    }
    hold->count = kept;
    return held;
}

static void drop(struct text *text, uint64_t start)
{
    struct text_held held = take(&text->hold, start);

    text->telling.untold++;
    text->telling.untold_stores += held.stores;
    release_queue(&held);
}

static struct region *piece_of(const struct text_hold *hold, uint64_t start)
{
    for (size_t i = 0; i < hold->mappings.count; i++)
        if (hold->mappings.list[i].start == start)
            return &hold->mappings.list[i];
    return NULL;
}

/* Some piece in the range, or NULL. */
static struct region *piece_in(const struct text_hold *hold, uint64_t addr,
                               uint64_t length)
{
    struct region *region = regions_from(&hold->mappings, addr);

    return region && (region->addr <= addr || region->addr - addr < length)
               ? region
               : NULL;
}

/* What lies in the range is there no more. */
static void unmap(struct text *text, uint64_t addr, uint64_t length)
{
    struct text_hold *hold = &text->hold;
    const struct region *region;

    regions_cut(&hold->mappings, addr, length);
    while ((region = piece_in(hold, addr, length))) {
        uint64_t start = region->start;

        regions_unmap(&hold->mappings, region->addr, region->length);
        if (!piece_of(hold, start))
            drop(text, start);
    }
}

/* The mappings in the range do hold code: tells what happened to them. */
static void release(struct text *text, uint64_t addr, uint64_t length)
{
    struct text_hold *hold = &text->hold;
    const struct region *region;

    while ((region = piece_in(hold, addr, length))) {
        struct text_held held = take(hold, region->start);

        while ((region = piece_of(hold, held.start)))
            regions_unmap(&hold->mappings, region->addr, region->length);
        for (size_t i = 0; i < held.count; i++)
            text_tell(text, held.list[i]);
        if (held.lost > 0)
            pen_line(&text->telling.pen, ROLE_NOTE,
                     "... and %llu later stores into it, not kept",
                     (unsigned long long)held.lost);
        text->telling.some_code = true;
        release_queue(&held);
    }
}

/* Whether two lines of maps are of the same file or shared memory: whether they
 * have the same device and inode, "00:01 4711". */
static bool is_same_object(const char *maps, const char *other)
{
    static const char format[] = "%*s %*s %*s %23s %23s";
    char device[2][24], inode[2][24];

    return sscanf(maps, format, device[0], inode[0]) == 2 &&
           sscanf(other, format, device[1], inode[1]) == 2 &&
           strcmp(device[0], device[1]) == 0 &&
           strcmp(inode[0], inode[1]) == 0 && strcmp(inode[0], "0") != 0;
}

/* What is mapped for execution may have been stored through other mappings. */
static void release_object(struct text *text, const char *maps)
{
    struct text_hold *hold = &text->hold;

    for (size_t i = 0; maps && i < hold->count;) {
        const struct text_held *held = &hold->list[i];
        const struct region *piece = piece_of(hold, held->start);
        const char *line = held->count ? held->list[0]->map.maps : NULL;

        if (!piece || !line || !is_same_object(maps, line))
            i++;
        else
            release(text, piece->addr, 1);
    }
}

static bool hold_map(struct text *text, const struct event *event)
{
    struct text_hold *hold = &text->hold;
    const struct event_map *map = &event->map;
    struct text_held *held;

    unmap(text, map->addr, map->length);
    if (map->prot & PROT_EXEC) {
        release_object(text, map->maps);
        text->telling.some_code = true;
        return false;
    }
    /* A piece of an older mapping may still have this start. */
    regions_map(&hold->mappings, map->addr, map->length, map->prot);
    held = queue_at(hold, map->addr);
    if (!held) {
        hold->list = mem_grow(hold->list, hold->count, &hold->capacity,
                              sizeof *hold->list);
        held = &hold->list[hold->count++];
        *held = (struct text_held){.start = map->addr};
    }
    append(held, event);
    return true;
}

static bool hold_at(struct text_hold *hold, uint64_t addr,
                    const struct event *event)
{
    struct text_held *held = queue_at(hold, addr);

    if (held)
        append(held, event);
    return held;
}

bool text_hold(struct text *text, const struct event *event)
{
    struct text_hold *hold = &text->hold;
    bool held;

    switch (event->kind) {
    case EVENT_MAP:
        return hold_map(text, event);
    case EVENT_WRITE:
        if (event->write.also.known) /* executed by another mapping */
            release(text, event->write.addr, 1);
        return hold_at(hold, event->write.addr, event);
    case EVENT_PROTECT:
        if (!(event->protect.prot & PROT_EXEC))
            return hold_at(hold, event->protect.addr, event);
        release(text, event->protect.addr, event->protect.length);
        return false;
    case EVENT_UNMAP:
        held = hold_at(hold, event->unmap.addr, event);
        unmap(text, event->unmap.addr, event->unmap.length);
        return held;
    case EVENT_LIMIT:
        return event->limit.addr.known &&
               hold_at(hold, event->limit.addr.value, event);
    case EVENT_NAME:
        return hold_at(hold, event->name.addr, event);
    case EVENT_ENTER:
        release(text, event->enter.addr, 1);
        return false;
    case EVENT_SIGNAL:
        if (event->signal.addr.known)
            release(text, event->signal.addr.value, 1);
        if (event->signal.addr.known && event->signal.pc.known)
            release(text, event->signal.pc.value, 1);
        return false;
    case EVENT_EXIT:
        while (hold->count > 0)
            drop(text, hold->list[0].start);
        return false;
    default:
        return false;
    }
}
