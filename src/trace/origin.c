/* SPDX-License-Identifier: MIT */
/*
 * What is a change of one byte, event by event.
 *
 * A store of generated code is told twice where it is watched: as a write, and
 * as what the step did that comes right after it. Where it is not watched (a
 * budget was spent) only the step has it.
 *
 * mremap(2) is an unmap and a map with the same call. If the mapping grew where
 * it is, that is no change; if it moved, what was before happened elsewhere.
 */
#include "trace/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cpu/arch.h"

void origins_release(struct origins *origins)
{
    free(origins->list);
    *origins = (struct origins){.addr = origins->addr};
}

/* Whether addr is in [start, start + length), and where. */
static bool covers(uint64_t start, uint64_t length, uint64_t addr, size_t *at)
{
    *at = addr - start;
    return addr - start < length;
}

static bool has_byte(uint64_t start, struct bytes bytes, uint64_t addr,
                     size_t *at)
{
    return bytes.data && covers(start, bytes.len, addr, at);
}

/* --- the list ------------------------------------------------------------ */

/* Adds a change by an event; what the byte was before is known from those
 * before it. Returns it to be completed. */
static struct origin *add(struct origins *origins, const struct event *event,
                          enum origin_kind kind)
{
    struct origin *origin;

    origins->list = mem_grow(origins->list, origins->count, &origins->capacity,
                             sizeof *origins->list);
    origin = &origins->list[origins->count++];
    *origin = (struct origin){
        .kind = kind,
        .seq = origins->applied,
        .event = event->kind,
        .tid = event->tid,
        .addr = origins->addr,
        .old_known = origins->known,
        .old_byte = origins->byte,
        .source = event->source,
    };
    return origin;
}

static void set(struct origins *origins, struct origin *origin, bool known,
                uint8_t byte)
{
    origin->new_known = origins->known = known;
    origin->new_byte = origins->byte = known ? byte : 0;
}

static struct origin *last(const struct origins *origins)
{
    return origins->count > 0 ? &origins->list[origins->count - 1] : NULL;
}

/* Whether nothing was seen there since the byte was mapped. */
static bool is_untouched(const struct origins *origins)
{
    return origins->count == 0 || last(origins)->kind == ORIGIN_MAPPED ||
           last(origins)->kind == ORIGIN_UNMAPPED;
}

/* An event shows the byte. */
static void show(struct origins *origins, const struct event *event,
                 uint8_t byte)
{
    if (!origins->known || origins->byte != byte)
        set(origins, add(origins, event, ORIGIN_FOUND), true, byte);
}

/* --- mappings ------------------------------------------------------------ */

/* Fresh memory is zero; what is found, or comes from a file, may be anything. */
static bool is_zero(const struct event_map *map)
{
    return map->call && word_is(map->backing, "anonymous");
}

/* The old address and length of an mremap; false if it is another call. */
static bool is_move(const char *call, uint64_t *addr, uint64_t *length)
{
    return call &&
           sscanf(call, "mremap(0x%" SCNx64 ", %" SCNu64, addr, length) == 2;
}

/* The mapping did not move: takes back that it was unmapped. */
static void stay(struct origins *origins, const char *call)
{
    const struct origin *gone = last(origins);

    if (!gone || gone->kind != ORIGIN_UNMAPPED || !call ||
        !word_is(gone->call, call))
        return;
    origins->known = gone->old_known;
    origins->byte = gone->old_byte;
    origins->count--;
}

/* The byte was at another address: what happened there comes first. */
static void move(struct origins *origins, const struct store *store,
                 const struct event *event, uint64_t from)
{
    struct origins before = {.addr = from};
    struct origin *moved;

    origins_update(&before, store, origins->applied);
    stay(&before, event->map.call);
    free(origins->list);
    origins->list = before.list;
    origins->count = before.count;
    origins->capacity = before.capacity;
    origins->known = before.known;
    origins->byte = before.byte;
    moved = add(origins, event, ORIGIN_MOVED);
    moved->call = event->map.call;
    set(origins, moved, before.known, before.byte);
}

static void apply_map(struct origins *origins, const struct store *store,
                      const struct event *event)
{
    const struct event_map *map = &event->map;
    uint64_t from, length;
    struct origin *origin;
    size_t at;

    if (!covers(map->addr, map->length, origins->addr, &at))
        return;
    /* The kernel moves whole pages; what is behind the old ones is fresh. */
    if (is_move(map->call, &from, &length) &&
        at < (length + ARCH_PAGE_SIZE - 1) / ARCH_PAGE_SIZE * ARCH_PAGE_SIZE) {
        if (from == map->addr)
            stay(origins, map->call);
        else
            move(origins, store, event, from + at);
        return;
    }
    origin = add(origins, event, ORIGIN_MAPPED);
    origin->call = map->call;
    set(origins, origin, is_zero(map), 0);
}

static void apply_unmap(struct origins *origins, const struct event *event)
{
    struct origin *origin;
    size_t at;

    if (!covers(event->unmap.addr, event->unmap.length, origins->addr, &at))
        return;
    origin = add(origins, event, ORIGIN_UNMAPPED);
    origin->call = event->unmap.call;
    set(origins, origin, false, 0);
}

/* --- bytes --------------------------------------------------------------- */

/* Memory that is mapped twice has its bytes at two addresses. */
static bool is_written(const struct event_write *write, uint64_t addr,
                       size_t *at)
{
    return has_byte(write->addr, write->new, addr, at) ||
           (write->also.known &&
            has_byte(write->also.value, write->new, addr, at));
}

static void apply_write(struct origins *origins, const struct event *event)
{
    const struct event_write *write = &event->write;
    struct origin *origin;
    size_t at;

    if (!is_written(write, origins->addr, &at))
        return;
    if (origins->known && write->old.data && at < write->old.len)
        show(origins, event, write->old.data[at]); /* unseen until now */
    origin = add(origins, event,
                 event_is_elsewhere(write) ? ORIGIN_FOUND
                 : write->by               ? ORIGIN_KERNEL
                                           : ORIGIN_STORE);
    if (write->old.data && at < write->old.len) {
        origin->old_known = true;
        origin->old_byte = write->old.data[at];
    }
    origin->call = write->by;
    if (origin->kind != ORIGIN_FOUND) { /* where the thread was is no matter */
        origin->pc = write->pc;
        origin->text = write->text;
        origin->symbol = write->symbol;
    }
    set(origins, origin, true, write->new.data[at]);
}

/* Whether the write before this step told of its store. */
static bool is_told(const struct origins *origins, const struct event *event)
{
    const struct origin *told = last(origins);

    return told && told->kind == ORIGIN_STORE && told->tid == event->tid &&
           told->pc == event->step.addr && told->seq >= origins->last_step;
}

static void apply_step(struct origins *origins, const struct event *event)
{
    const struct event_step *step = &event->step;
    struct origin *origin;
    size_t at;

    /* What it overwrote itself was told before. */
    if (is_untouched(origins) &&
        has_byte(step->addr, step->bytes, origins->addr, &at))
        show(origins, event, step->bytes.data[at]);
    for (size_t i = 0; i < step->writes.count; i++) {
        const struct mem_access *write = &step->writes.list[i];

        if (!has_byte(write->addr, write->new_bytes, origins->addr, &at) ||
            is_told(origins, event))
            continue;
        origin = add(origins, event, ORIGIN_STORE);
        origin->pc = step->addr;
        origin->text = step->text;
        set(origins, origin, true, write->new_bytes.data[at]);
    }
    origins->last_step = origins->applied + 1;
}

void origins_apply(struct origins *origins, const struct store *store,
                   const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    const struct event_enter *enter = &event->enter;
    size_t at;

    switch (event->kind) {
    case EVENT_MAP:
        apply_map(origins, store, event);
        break;
    case EVENT_UNMAP:
        apply_unmap(origins, event);
        break;
    case EVENT_WRITE:
        apply_write(origins, event);
        break;
    case EVENT_PROTECT:
        if (has_byte(protect->addr + protect->code_offset, protect->code,
                     origins->addr, &at))
            show(origins, event, protect->code.data[at]);
        break;
    case EVENT_ENTER:
        if (has_byte(enter->addr - enter->offset + enter->code_offset,
                     enter->code, origins->addr, &at))
            show(origins, event, enter->code.data[at]);
        break;
    case EVENT_STEP:
        apply_step(origins, event);
        break;
    default:
        break;
    }
    origins->applied++;
}

void origins_update(struct origins *origins, const struct store *store,
                    uint64_t count)
{
    struct unpacked unpacked = {0};

    while (origins->applied < count) {
        store_read(store, origins->applied, &unpacked);
        origins_apply(origins, store, &unpacked.event);
    }
    unpacked_release(&unpacked);
}

size_t origins_until(const struct origins *origins, uint64_t seq)
{
    size_t count = 0;

    while (count < origins->count && origins->list[count].seq <= seq)
        count++;
    return count;
}
