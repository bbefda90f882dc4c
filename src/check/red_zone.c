/* SPDX-License-Identifier: MIT */
/*
 * red_zone.c - what is stored below rsp is remembered until rsp goes below it,
 * and then it is an ordinary part of the stack, or until it is stored anew. A
 * call or push that goes over it is remembered, too; but only reading it there,
 * still below rsp, is wrong.
 *
 * Only what is addressed by rsp or rbp is meant for the stack: Erlang has its
 * heap right below it. What lies far below is not looked at: compilers and virtual machines probe
 * there for the end of the stack, and other memory may begin.
 */
#include "check/red_zone.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cpu/calling.h"

#define NEAR 1024 /* bytes below the red zone */

void red_zone_release(struct red_zone *zone)
{
    free(zone->threads);
}

static struct red_thread *thread_of(struct red_zone *zone, int tid)
{
    for (size_t i = 0; i < zone->count; i++)
        if (zone->threads[i].tid == tid)
            return &zone->threads[i];
    zone->threads = mem_grow(zone->threads, zone->count, &zone->capacity,
                             sizeof *zone->threads);
    zone->threads[zone->count] = (struct red_thread){.tid = tid};
    return &zone->threads[zone->count++];
}

static bool overlaps(const struct red_store *store, uint64_t addr, size_t size)
{
    return addr < store->addr + store->size && store->addr < addr + size;
}

static void judge_read(struct red_thread *thread, struct ledger *ledger,
                       const struct place *place, uint64_t addr, size_t size)
{
    for (size_t i = 0; i < RED_ZONE_STORES; i++) {
        struct red_store *store = &thread->stores[i];

        if (!store->size || !overlaps(store, addr, size))
            continue;
        if (!store->lost_by.known) {
            ledger_held(ledger, RULE_RED_ZONE);
            continue;
        }
        ledger_found(ledger, RULE_RED_ZONE, &store->place, 0,
                     "it stores at 0x%" PRIx64 ", below rsp; code[%" PRIu64
                     "] goes over that, and code[%" PRIu64 "] reads it back",
                     store->addr, store->lost_by.offset, place->offset);
        ledger_found(ledger, RULE_RED_ZONE, &store->lost_by, 1,
                     "it pushes over what code[%" PRIu64 "] has stored below "
                     "rsp, at 0x%" PRIx64,
                     store->place.offset, store->addr);
        ledger_found(ledger, RULE_RED_ZONE, place, 2,
                     "it reads at 0x%" PRIx64 " what code[%" PRIu64 "] has "
                     "stored below rsp and code[%" PRIu64 "] has overwritten",
                     addr, store->place.offset, store->lost_by.offset);
        store->size = 0;
    }
}

static bool stores_in_frame(const struct ledger *ledger)
{
    for (uint8_t i = 0; ledger->decoded && i < ledger->insn.operand_count;
         i++) {
        const struct insn_operand *operand = &ledger->insn.operands[i];

        if (operand->kind == OPERAND_MEMORY && operand->written &&
            !operand->hidden && calling_is_frame(operand->base))
            return true;
    }
    return false;
}

/* A store at addr, while the stack pointer was and becomes this. */
static void take_store(struct red_thread *thread, struct ledger *ledger,
                       const struct place *place, uint64_t addr, size_t size,
                       uint64_t was, uint64_t now)
{
    const uint64_t lower = was < now ? was : now;

    for (size_t i = 0; i < RED_ZONE_STORES; i++) {
        struct red_store *store = &thread->stores[i];

        if (store->size && overlaps(store, addr, size)) {
            if (addr >= now && addr < was) /* a push, a call */
                store->lost_by = *place;
            else
                store->size = 0;
        }
    }
    if (addr >= lower || lower - addr > CALLING_RED_ZONE + NEAR ||
        !stores_in_frame(ledger))
        return;
    if (lower - addr > CALLING_RED_ZONE)
        ledger_found(ledger, RULE_RED_ZONE, place, 3,
                     "it stores %" PRIu64 " bytes below rsp, where any signal "
                     "goes over it; only %d are its own",
                     lower - addr, CALLING_RED_ZONE);
    thread->stores[thread->next++ % RED_ZONE_STORES] =
        (struct red_store){addr, size, *place, {0}};
}

void red_zone_look(struct red_zone *zone, struct ledger *ledger,
                   const struct event *event)
{
    const struct event_step *step = &event->step;
    const struct view_thread *was = view_thread(&ledger->view, event->tid);
    struct red_thread *thread;
    uint64_t before, after;
    struct place place;

    if (event->kind != EVENT_STEP || !was || !was->regs_known)
        return;
    thread = thread_of(zone, event->tid);
    before = after = was->regs.value[REG_STACK];
    for (size_t i = 0; i < step->regs.count; i++)
        if (step->regs.list[i].reg == REG_STACK)
            after = step->regs.list[i].new_value;
    place = ledger_place(event);
    for (size_t i = 0; i < step->reads.count; i++)
        if (step->reads.list[i].addr < before)
            judge_read(thread, ledger, &place, step->reads.list[i].addr,
                       step->reads.list[i].old_bytes.len);
    for (size_t i = 0; i < step->writes.count; i++)
        take_store(thread, ledger, &place, step->writes.list[i].addr,
                   step->writes.list[i].new_bytes.len, before, after);
    /* The stack has grown around it by other means than a push: it is a part of
     * a frame now. */
    for (size_t i = 0; after < before && i < RED_ZONE_STORES; i++)
        if (!thread->stores[i].lost_by.known && thread->stores[i].addr >= after)
            thread->stores[i].size = 0;
}
