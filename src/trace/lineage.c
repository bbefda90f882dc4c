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

size_t lineage_life(const struct lineage *lineage, int pid, uint64_t place)
{
    for (size_t i = lineage->count; i-- > 0;)
        if (lineage->births[i].pid == (pid ? pid : lineage->root) &&
            lineage->births[i].place <= place)
            return i;
    return LIFE_NONE;
}

static void begin_life(struct lineage *lineage, struct birth birth)
{
    size_t before = lineage_life(lineage, birth.pid, UINT64_MAX);

    birth.at = lineage->kept.count;
    birth.place = lineage->taken;
    birth.end = UINT64_MAX;
    if (before != LIFE_NONE)
        lineage->births[before].end = birth.place;
    lineage->births = mem_grow(lineage->births, lineage->count,
                               &lineage->capacity, sizeof *lineage->births);
    lineage->births[lineage->count++] = birth;
}

void lineage_take(struct lineage *lineage, const struct event *event)
{
    int pid = lineage_pid(lineage, event);

    if (event->kind == EVENT_START)
        lineage->root = pid;
    if (event->kind == EVENT_START || event->kind == EVENT_EXEC)
        begin_life(lineage, (struct birth){.pid = pid, .parent = LIFE_NONE});
    if (event->kind == EVENT_FORK) {
        bool shares = word_is(event->fork.memory, "shared");

        lineage->has_children |= event->pid != 0; /* not one of -ff */
        begin_life(lineage, (struct birth){
                                .pid = (int)event->fork.child,
                                .tid = event->tid,
                                .parent = shares ? LIFE_NONE
                                                 : lineage_life(lineage, pid,
                                                                UINT64_MAX),
                            });
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

bool lineage_has(const struct lineage *lineage, size_t life, uint64_t place,
                 const struct event *event)
{
    const struct birth *births = lineage->births;

    while (life != LIFE_NONE && place < births[life].place)
        life = births[life].parent;
    return life != LIFE_NONE && place < births[life].end &&
           lineage_pid(lineage, event) == births[life].pid;
}

/* Gives what a life has done before a child began, as that child's past. The
 * thread that has made one is the child's from then on, and so its number. */
static int replay_life(const struct lineage *lineage, const size_t *lives,
                       size_t older, int (*take)(void *, const struct event *),
                       void *context)
{
    const struct birth *births = lineage->births;
    const struct birth *birth = &births[lives[older]];
    struct unpacked unpacked = {0};
    int result = 0;

    for (uint64_t at = birth->at;
         at < births[lives[older - 1]].at && result == 0; at++) {
        struct event event;

        store_read(&lineage->kept, at, &unpacked);
        if (lineage_pid(lineage, &unpacked.event) != birth->pid)
            continue;
        event = lineage_own(&unpacked.event, birth->pid);
        for (size_t i = older; i-- > 0;)
            if (event.tid == births[lives[i]].tid)
                event.tid = births[lives[i]].pid;
        result = take(context, &event);
    }
    unpacked_release(&unpacked);
    return result;
}

int lineage_replay(const struct lineage *lineage, int pid,
                   int (*take)(void *context, const struct event *event),
                   void *context)
{
    size_t *lives = NULL, count = 0, capacity = 0; /* the youngest at first */
    int result = 0;

    for (size_t life = lineage_life(lineage, pid, UINT64_MAX);
         life != LIFE_NONE; life = lineage->births[life].parent) {
        lives = mem_grow(lives, count, &capacity, sizeof *lives);
        lives[count++] = life;
    }
    while (count > 1 && result == 0)
        result = replay_life(lineage, lives, --count, take, context);
    free(lives);
    return result;
}
