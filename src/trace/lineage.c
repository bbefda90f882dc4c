/* SPDX-License-Identifier: MIT */
#include "trace/lineage.h"

#include <stdlib.h>

#include "base/mem.h"

void lineage_release(struct lineage *lineage)
{
    store_release(&lineage->kept);
    free(lineage->births);
    *lineage = (struct lineage){0};
}

static struct birth *find(const struct lineage *lineage, int pid)
{
    for (size_t i = 0; i < lineage->count; i++)
        if (lineage->births[i].pid == pid)
            return &lineage->births[i];
    return NULL;
}

int lineage_pid(const struct lineage *lineage, const struct event *event)
{
    return event->kind == EVENT_START ? (int)event->start.pid
           : event->pid               ? event->pid
                                      : lineage->root;
}

bool lineage_needs_past(const struct event *event)
{
    switch (event->kind) {
    case EVENT_OUTPUT:
    case EVENT_EXIT:
    case EVENT_FORK:
    case EVENT_VERDICT:
        return false;
    default:
        return true;
    }
}

static void set_birth(struct lineage *lineage, struct birth birth)
{
    struct birth *known = find(lineage, birth.pid);

    birth.at = lineage->kept.count;
    birth.place = lineage->taken;
    if (!known) {
        lineage->births = mem_grow(lineage->births, lineage->count,
                                   &lineage->capacity, sizeof *known);
        known = &lineage->births[lineage->count++];
    }
    *known = birth;
}

void lineage_take(struct lineage *lineage, const struct event *event)
{
    int pid = lineage_pid(lineage, event);

    if (event->kind == EVENT_START) {
        lineage->root = pid;
        set_birth(lineage, (struct birth){.pid = pid, .parent = -1});
    }
    if (event->kind == EVENT_EXEC)
        set_birth(lineage, (struct birth){.pid = pid, .parent = -1});
    if (event->kind == EVENT_FORK) {
        bool shares = word_is(event->fork.memory, "shared");

        lineage->has_children |= event->pid != 0; /* not one of -ff */
        set_birth(lineage, (struct birth){.pid = (int)event->fork.child,
                                          .parent = shares ? -1 : pid,
                                          .tid = event->tid});
    }
    lineage->taken++;
    if (lineage->keeps_nothing)
        return;
    if (event->kind == EVENT_START || (event->pid && lineage_needs_past(event)))
        store_append(&lineage->kept, event);
}

struct event lineage_own(const struct event *event, int pid)
{
    struct event own = *event;

    if (event->kind == EVENT_EXEC) {
        own.copy = NULL;
        event_start_of(&own, pid);
    }
    return own;
}

/* A recording may say that two processes have made each other. */
#define MOST_ANCESTORS 256

bool lineage_has(const struct lineage *lineage, int pid, uint64_t place,
                 const struct event *event)
{
    const struct birth *birth = find(lineage, pid);

    for (int i = 0; i < MOST_ANCESTORS && birth && place < birth->place; i++)
        birth = find(lineage, birth->parent);
    return birth && place >= birth->place &&
           lineage_pid(lineage, event) == birth->pid;
}

int lineage_replay(const struct lineage *lineage, int pid,
                   int (*take)(void *context, const struct event *event),
                   void *context)
{
    struct birth chain[MOST_ANCESTORS]; /* the youngest at first */
    const struct birth *birth = find(lineage, pid);
    struct unpacked unpacked = {0};
    size_t count = 0;
    int result = 0;

    for (; birth && count < MOST_ANCESTORS;
         birth = find(lineage, birth->parent))
        chain[count++] = *birth;
    for (size_t i = count; i-- > 1 && result == 0;) {
        for (uint64_t at = chain[i].at; at < chain[i - 1].at && result == 0;
             at++) {
            struct event event;

            store_read(&lineage->kept, at, &unpacked);
            if (lineage_pid(lineage, &unpacked.event) != chain[i].pid)
                continue;
            event = lineage_own(&unpacked.event, chain[i].pid);
            for (size_t child = i; child-- > 0;)
                if (event.tid == chain[child].tid)
                    event.tid = chain[child].pid;
            result = take(context, &event);
        }
    }
    unpacked_release(&unpacked);
    return result;
}
