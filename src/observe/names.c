/* SPDX-License-Identifier: MIT */
#include "observe/names.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

/* More names than this are not read: each costs a search and a copy. */
#define MOST_NAMES 30000u

void names_begin(struct thread *thread)
{
    struct names *names = &thread->space->names;

    names->watched = thread->space->watched;
    if (names->watched)
        perfmap_init(&names->map, thread->tracee.pid);
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
    if (!names->map.full && names->count < MOST_NAMES)
        return;
    names->limited = true;
    thread_limit(thread, "names", 0,
                 "/tmp/%s has more than %u names or %u MiB; the names behind "
                 "that are not read",
                 names->map.name, MOST_NAMES, PERFMAP_BYTES >> 20);
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
        struct event event = {.kind = EVENT_NAME, .tid = thread->tracee.tid};

        event.name.addr = list[i]->addr;
        event.name.length = list[i]->length;
        event.name.name = list[i]->name;
        if (labels_add(&names->said, list[i]->addr, list[i]->length,
                       list[i]->name))
            run_tell(thread->run, &event);
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
    if (!thread->space->names.watched)
        return;
    read_names(thread);
    for_each_region (region, thread->space)
        if (region->prot & PROT_EXEC)
            tell_unsaid(thread, region->addr, region->length);
}
