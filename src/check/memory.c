/* SPDX-License-Identifier: MIT */
/*
 * memory.c - a program may handle the fault of a fetch, turn the page executable
 * and go on: that is a way of making code. So a fetch that failed is judged at
 * the end only, if control never came in there.
 */
#include "check/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

#define BOTH (PROT_WRITE | PROT_EXEC)

void memory_release(struct memory *memory)
{
    free(memory->fetches);
}

static void judge_prot(struct ledger *ledger, const struct event *event,
                       uint64_t addr, unsigned prot)
{
    struct place place = {.known = true,
                          .seq = event->seq,
                          .addr = addr,
                          .source = &event->source};
    const struct region *region = view_region_at(&ledger->view, addr);
    char text[4];

    if (!(prot & PROT_EXEC))
        return;
    if (region && event->kind == EVENT_PROTECT)
        place.offset = addr - region->start;
    prot_text(prot, text);
    if ((prot & BOTH) == BOTH)
        ledger_found(ledger, RULE_W_XOR_X, &place, 0, "the page is %s", text);
    else
        ledger_held(ledger, RULE_W_XOR_X);
}

static void take_fetch(struct memory *memory, struct ledger *ledger,
                       const struct event *event)
{
    const struct event_signal *signal = &event->signal;
    const struct region *region;

    if (!signal->pc.known || !word_is(signal->access, "execute"))
        return;
    region = view_region_at(&ledger->view, signal->pc.value);
    if (!region || region->prot & PROT_EXEC)
        return;
    memory->fetches = mem_grow(memory->fetches, memory->count,
                               &memory->capacity, sizeof *memory->fetches);
    memory->fetches[memory->count++] = (struct memory_fetch){
        event->tid, ledger_place_at(ledger, event->seq, signal->pc.value),
        region->prot};
}

static void take_enter(struct memory *memory, struct ledger *ledger,
                       uint64_t addr)
{
    ledger_held(ledger, RULE_EXECUTABLE);
    for (size_t i = 0; i < memory->count; i++)
        if (memory->fetches[i].place.addr == addr)
            memory->fetches[i--] = memory->fetches[--memory->count];
}

/* Whatever is still mapped of code; by a signal a program ends as it is. */
static void judge_left(struct ledger *ledger, const struct event *event)
{
    const struct regions *regions = &ledger->view.regions;

    for (size_t i = 0; i < regions->count; i++) {
        const struct region *region = &regions->list[i];
        const struct protection *made =
            view_protection(&ledger->view, region->addr);
        struct srcline source = {0};
        struct place place = {.known = true,
                              .seq = event->seq,
                              .addr = region->addr,
                              .offset = region->addr - region->start,
                              .source = &source};

        if (!(region->prot & PROT_EXEC) || !made || !made->call)
            continue;
        source = (struct srcline){.file = made->file, .line = made->line};
        ledger_found(ledger, RULE_UNMAPPED_AT_EXIT, &place, 0,
                     "0x%" PRIx64 ", %" PRIu64 " bytes, is still mapped",
                     region->addr, region->length);
    }
}

static void take_exit(struct memory *memory, struct ledger *ledger,
                      const struct event *event)
{
    char prot[4];

    for (size_t i = 0; i < memory->count; i++) {
        prot_text(memory->fetches[i].prot, prot);
        ledger_found(ledger, RULE_EXECUTABLE, &memory->fetches[i].place, 0,
                     "control came there, and the page is %s", prot);
    }
    if (event->exit.signal.known)
        ledger_missed(ledger, RULE_UNMAPPED_AT_EXIT,
                      "the program was killed before it could unmap anything");
    else
        judge_left(ledger, event);
}

void memory_look(struct memory *memory, struct ledger *ledger,
                 const struct event *event)
{
    switch (event->kind) {
    case EVENT_MAP:
        judge_prot(ledger, event, event->map.addr, event->map.prot);
        break;
    case EVENT_PROTECT:
        judge_prot(ledger, event, event->protect.addr, event->protect.prot);
        break;
    case EVENT_UNMAP:
        ledger_held(ledger, RULE_UNMAPPED_AT_EXIT);
        break;
    case EVENT_SIGNAL:
        take_fetch(memory, ledger, event);
        break;
    case EVENT_ENTER:
        take_enter(memory, ledger, event->enter.addr);
        break;
    case EVENT_EXIT:
        take_exit(memory, ledger, event);
        break;
    default:
        break;
    }
}
