/* SPDX-License-Identifier: MIT */
/*
 * What the program calls its code. Its perf map is looked at when generated
 * code is entered, when it goes away and at the end, and read on where it has
 * grown. A name is told when the region that it lies in comes up, so that
 * nothing is told of code that jittrace knows nothing of, and a program with
 * thousands of functions is not stopped to list those that never run.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "observe/state.h"

/* More names than this are not read: each costs a search and a copy. */
#define MOST_NAMES 30000u

void names_begin(struct thread *thread)
{
    struct names *names = &thread->space->names;

    names_release(names);
    names->watched = thread->space->watched;
    if (names->watched)
        perfmap_init(&names->map, thread->tracee.pid);
}

void names_release(struct names *names)
{
    if (names->watched)
        perfmap_release(&names->map);
    labels_release(&names->unsaid);
    labels_release(&names->said);
    *names = (struct names){0};
}

static void limit(struct thread *thread)
{
    thread->space->names.limited = true;
    report_limit(thread, "names", 0,
                 "/tmp/%s has more than %u names or %u MiB; the names behind "
                 "that are not read",
                 thread->space->names.map.name, MOST_NAMES,
                 PERFMAP_BYTES >> 20);
}

/* Takes what is new in the perf map. */
static void read_names(struct thread *thread)
{
    struct names *names = &thread->space->names;
    struct perfmap_line line;

    if (names->limited)
        return;
    perfmap_read(&names->map);
    while (names->count < MOST_NAMES && perfmap_next(&names->map, &line)) {
        labels_add(&names->unsaid, line.addr, line.length, line.name);
        names->count++;
    }
    if (names->map.full || names->count == MOST_NAMES)
        limit(thread);
}

static void tell(const struct thread *thread, const struct label *label)
{
    struct event event = {.kind = EVENT_NAME, .tid = thread->tracee.tid};

    event.name.addr = label->addr;
    event.name.length = label->length;
    event.name.name = label->name;
    report_event(thread->run, &event);
}

static int by_order(const void *a, const void *b)
{
    const struct label *one = *(struct label *const *)a;
    const struct label *other = *(struct label *const *)b;

    return one->order < other->order ? -1 : one->order > other->order;
}

/* Whatever has a part in the range, in the order in which it was named. */
static size_t find_unsaid(const struct labels *unsaid, uint64_t addr,
                          uint64_t length, struct label ***out)
{
    size_t count = 0, capacity = 0, kept = 0;
    struct label **list = NULL, *label;
    uint64_t at = addr, from, to;

    while ((label = labels_from(unsaid, at, &from, &to)) != NULL &&
           (from <= addr || from - addr < length)) {
        list = mem_grow(list, count, &capacity, sizeof(struct label *));
        list[count++] = label;
        at = to;
    }
    if (count > 0)
        qsort(list, count, sizeof(struct label *), by_order);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || list[i] != list[i - 1])
            list[kept++] = list[i];
    *out = list;
    return kept;
}

/* The order counts: whoever reads the events lets the later one win, too. */
static void tell_unsaid(struct thread *thread, uint64_t addr, uint64_t length)
{
    struct names *names = &thread->space->names;
    struct label **list;
    size_t count = find_unsaid(&names->unsaid, addr, length, &list);

    for (size_t i = 0; i < count; i++) {
        if (labels_add(&names->said, list[i]->addr, list[i]->length,
                       list[i]->name))
            tell(thread, list[i]);
        labels_drop(&names->unsaid, list[i]);
    }
    free(list);
}

void names_tell(struct thread *thread, uint64_t addr, uint64_t length)
{
    if (!thread->space->names.watched)
        return;
    read_names(thread);
    tell_unsaid(thread, addr, length);
}

void names_forget(struct thread *thread, uint64_t addr, uint64_t length)
{
    names_tell(thread, addr, length);
    labels_forget(&thread->space->names.said, addr, length);
}

void names_tell_all(struct thread *thread)
{
    const struct regions *regions = &thread->space->regions;

    if (!thread->space->names.watched)
        return;
    read_names(thread);
    for (size_t i = 0; i < regions->count; i++)
        if (regions->list[i].prot & PROT_EXEC)
            tell_unsaid(thread, regions->list[i].addr, regions->list[i].length);
}
