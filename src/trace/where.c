/* SPDX-License-Identifier: MIT */
#include "trace/where.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define LOWEST_ADDRESS 0x10000u
#define EXPLAINED      4u /* mappings */

void where_release(struct where *where)
{
    free(where->list);
    *where = (struct where){0};
}

struct where_mapping *where_mapping(const struct where *where, uint64_t addr)
{
    for (size_t i = where->count; i-- > 0;)
        if (addr - where->list[i].start < where->list[i].length)
            return &where->list[i];
    return NULL;
}

/* Moves a mapping that is mapped again to the end: the latest comes last. */
static void take_map(struct where *where, const struct event_map *map)
{
    struct where_mapping mapping = {.start = map->addr};

    for (size_t i = 0; i < where->count; i++) {
        if (where->list[i].start != map->addr)
            continue;
        mapping = where->list[i];
        memmove(&where->list[i], &where->list[i + 1],
                (--where->count - i) * sizeof *where->list);
    }
    if (mapping.length < map->length)
        mapping.length = map->length;
    where->list = mem_grow(where->list, where->count, &where->capacity,
                           sizeof *where->list);
    where->list[where->count++] = mapping;
}

void where_apply(struct where *where, const struct event *event)
{
    uint64_t addr = event->kind == EVENT_MAP       ? event->map.addr
                    : event->kind == EVENT_WRITE   ? event->write.addr
                    : event->kind == EVENT_PROTECT ? event->protect.addr
                                                   : event->enter.addr;
    struct where_mapping *mapping;

    if (event->kind == EVENT_MAP)
        take_map(where, &event->map);
    else if (event->kind != EVENT_WRITE && event->kind != EVENT_PROTECT &&
             event->kind != EVENT_ENTER)
        return;
    mapping = where_mapping(where, addr);
    if (!mapping)
        return;
    mapping->written |= event->kind == EVENT_WRITE;
    mapping->executable |=
        event->kind == EVENT_ENTER ||
        (event->kind == EVENT_MAP && (event->map.prot & PROT_EXEC)) ||
        (event->kind == EVENT_PROTECT && (event->protect.prot & PROT_EXEC));
}

bool where_parse(const char *text, uint64_t *number)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;

    if (!isxdigit((unsigned char)text[hex ? 2 : 0]))
        return false;
    errno = 0;
    *number = strtoull(text, &end, hex ? 16 : 10);
    return end > text && !*end && errno == 0;
}

/* Whether offsets are counted in this one. */
static bool has_code(const struct where *where,
                     const struct where_mapping *mapping)
{
    for (size_t i = 0; i < where->count; i++)
        if (where->list[i].executable)
            return mapping->executable;
    return mapping->written;
}

bool where_next(const struct where *where, uint64_t number, size_t *state,
                uint64_t *addr)
{
    *addr = number;
    if (number >= LOWEST_ADDRESS && where_mapping(where, number))
        return (*state)++ == 0;
    while (*state < where->count) {
        const struct where_mapping *mapping = &where->list[(*state)++];

        *addr = mapping->start + number;
        if (number < mapping->length && has_code(where, mapping))
            return true;
    }
    return false;
}

void where_explain(const struct where *where, uint64_t number, struct buf *out)
{
    size_t count = 0;

    buf_printf(out, "no code of this trace has a byte 0x%" PRIx64 ". ", number);
    for (size_t i = 0; i < where->count; i++) {
        const struct where_mapping *mapping = &where->list[i];

        if (!has_code(where, mapping))
            continue;
        if (count < EXPLAINED)
            buf_printf(out, "%s0x%" PRIx64 " (offsets 0 to 0x%" PRIx64 ")",
                       count ? ", " : "Code was at ", mapping->start,
                       mapping->length - 1);
        count++;
    }
    if (count > EXPLAINED)
        buf_printf(out, " and in %zu places more", count - EXPLAINED);
    if (count == 0)
        buf_append_text(out, "It has no code at all");
    else if (number >= LOWEST_ADDRESS)
        buf_append_text(out, "; in another run it is at other addresses");
    buf_append_text(out, ".");
}
