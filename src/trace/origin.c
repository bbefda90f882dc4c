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
#include "cpu/regs.h"

void origins_release(struct origins *origins)
{
    free(origins->list);
    *origins = (struct origins){.addr = origins->addr,
                                .lineage = origins->lineage,
                                .life = origins->life};
}

/* Whether addr is that of one of the bytes, and of which. */
static bool has_byte(uint64_t start, struct bytes bytes, uint64_t addr,
                     size_t *at)
{
    *at = addr - start;
    return bytes.data && *at < bytes.len;
}

static struct origin *last(const struct origins *origins)
{
    return origins->count > 0 ? &origins->list[origins->count - 1] : NULL;
}

/* Adds a change by an event, after which the byte is this, if that is known.
 * Returns it to be completed. */
static struct origin *add(struct origins *origins, const struct event *event,
                          enum origin_kind kind, bool known, uint8_t byte)
{
    origins->list = mem_grow(origins->list, origins->count, &origins->capacity,
                             sizeof *origins->list);
    origins->list[origins->count++] = (struct origin){
        .kind = kind,
        .seq = origins->applied,
        .event = event->kind,
        .tid = event->tid,
        .process = event->pid,
        .addr = origins->addr,
        .old_known = origins->known,
        .old_byte = origins->byte,
        .new_known = known,
        .new_byte = known ? byte : 0,
        .source = event->source,
    };
    origins->known = known;
    origins->byte = known ? byte : 0;
    return &origins->list[origins->count - 1];
}

/* An event shows the byte. */
static void show(struct origins *origins, const struct event *event,
                 uint8_t byte)
{
    if (!origins->known || origins->byte != byte)
        add(origins, event, ORIGIN_FOUND, true, byte);
}

/* The mapping did not move: takes back that it was unmapped. */
static void stay(struct origins *origins, const char *call)
{
    const struct origin *gone = last(origins);

    if (!gone || gone->kind != ORIGIN_UNMAPPED || !word_is(gone->call, call))
        return;
    origins->known = gone->old_known;
    origins->byte = gone->old_byte;
    origins->count--;
}

static void apply_map(struct origins *origins, const struct store *store,
                      const struct event *event)
{
    const struct event_map *map = &event->map;
    uint64_t at = origins->addr - map->addr, from, length;
    struct origins before = {.lineage = origins->lineage,
                             .life = origins->life};

    if (at >= map->length)
        return;
    /* The kernel moves whole pages; what is behind the old ones is fresh, as
     * other memory is: zero, but for what was found, or comes from a file. */
    if (!map->call ||
        sscanf(map->call, "mremap(0x%" SCNx64 ", %" SCNu64, &from, &length) <
            2 ||
        at >= (length + ARCH_PAGE_SIZE - 1) / ARCH_PAGE_SIZE * ARCH_PAGE_SIZE) {
        add(origins, event, ORIGIN_MAPPED,
            map->call && word_is(map->backing, "anonymous"), 0)
            ->call = map->call;
    } else if (from == map->addr) {
        stay(origins, map->call);
    } else { /* what happened at its old address comes first */
        before.addr = from + at;
        origins_update(&before, store, origins->applied);
        stay(&before, map->call);
        free(origins->list);
        before.addr = origins->addr;
        *origins = before;
        add(origins, event, ORIGIN_MOVED, before.known, before.byte)->call =
            map->call;
    }
}

/* Memory that is mapped twice has its bytes at two addresses. */
static void apply_write(struct origins *origins, const struct event *event)
{
    const struct event_write *write = &event->write;
    struct origin *origin;
    bool old_known;
    size_t at;

    if (!has_byte(write->addr, write->new, origins->addr, &at) &&
        !(write->also.known &&
          has_byte(write->also.value, write->new, origins->addr, &at)))
        return;
    old_known = write->old.data && at < write->old.len;
    if (origins->known && old_known)
        show(origins, event, write->old.data[at]); /* unseen until now */
    origin = add(origins, event,
                 event_is_elsewhere(write) ? ORIGIN_FOUND
                 : write->by               ? ORIGIN_KERNEL
                                           : ORIGIN_STORE,
                 true, write->new.data[at]);
    if (old_known) {
        origin->old_known = true;
        origin->old_byte = write->old.data[at];
    }
    origin->call = write->by;
    if (write->process.known)
        origin->process = (int)write->process.value;
    if (origin->kind != ORIGIN_FOUND) { /* where the thread was is no matter */
        origin->pc = write->pc;
        origin->text = write->text;
        origin->symbol = write->symbol;
    }
    if (origin->kind == ORIGIN_STORE)
        chain_of(event, &origin->chain);
}

static void apply_step(struct origins *origins, const struct event *event)
{
    const struct event_step *step = &event->step;
    const struct origin *told = last(origins);
    struct origin *origin;
    size_t at;

    /* What it overwrote itself was told before. */
    if ((!told || told->kind == ORIGIN_MAPPED ||
         told->kind == ORIGIN_UNMAPPED) &&
        has_byte(step->addr, step->bytes, origins->addr, &at))
        show(origins, event, step->bytes.data[at]);
    for (size_t i = 0; i < step->writes.count; i++) {
        const struct mem_access *write = &step->writes.list[i];

        told = last(origins); /* by the write before this step */
        if (!has_byte(write->addr, write->new_bytes, origins->addr, &at) ||
            (told && told->kind == ORIGIN_STORE && told->tid == event->tid &&
             told->pc == step->addr && told->seq >= origins->last_step))
            continue;
        origin =
            add(origins, event, ORIGIN_STORE, true, write->new_bytes.data[at]);
        origin->pc = step->addr;
        origin->text = step->text;
    }
    origins->last_step = origins->applied + 1;
}

bool origins_concern(const struct origins *origins, uint64_t place,
                     const struct event *event)
{
    return !origins->lineage ||
           lineage_has(origins->lineage, origins->life, place, event);
}

void origins_apply(struct origins *origins, const struct store *store,
                   const struct event *event)
{
    uint64_t addr;
    struct bytes code = event_bytes(event, &addr);
    size_t at;

    if (!origins_concern(origins, origins->applied, event)) {
        origins->applied++;
        return;
    }
    switch (event->kind) {
    case EVENT_MAP:
        apply_map(origins, store, event);
        break;
    case EVENT_UNMAP:
        if (origins->addr - event->unmap.addr < event->unmap.length)
            add(origins, event, ORIGIN_UNMAPPED, false, 0)->call =
                event->unmap.call;
        break;
    case EVENT_WRITE:
        apply_write(origins, event);
        break;
    case EVENT_PROTECT:
    case EVENT_ENTER:
        if (has_byte(addr, code, origins->addr, &at))
            show(origins, event, code.data[at]);
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
