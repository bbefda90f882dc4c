/* SPDX-License-Identifier: MIT */
#include "format/told.h"

#include <stdlib.h>

#include "base/mem.h"

static struct told *find(const struct told_list *told, int pid)
{
    if (told->count > 0 && (pid == 0 || pid == told->root))
        return told->list;
    for (size_t i = 1; i < told->count; i++)
        if (told->list[i].pid == pid)
            return &told->list[i];
    return NULL;
}

static struct told *need(struct told_list *told, int pid)
{
    struct told *one = find(told, pid);

    if (one)
        return one;
    told->list =
        mem_grow(told->list, told->count, &told->capacity, sizeof *told->list);
    one = &told->list[told->count++];
    *one = (struct told){.pid = pid};
    return one;
}

static void clear(struct told *one)
{
    view_release(&one->view);
    free(one->mappings);
    *one = (struct told){.pid = one->pid};
}

void told_release(struct told_list *told)
{
    for (size_t i = 0; i < told->count; i++)
        clear(&told->list[i]);
    free(told->list);
    *told = (struct told_list){0};
}

struct told *told_of(struct told_list *told, const struct event *event)
{
    struct told *one;

    if (event->kind == EVENT_START)
        told->root = (int)event->start.pid;
    one = need(told, event->pid);
    if (event->kind == EVENT_EXEC)
        clear(one);
    return one;
}

void told_fork(struct told_list *told, const struct event *event)
{
    int pid = (int)event->fork.child;
    struct told *child = need(told, pid); /* which may move the list */
    const struct told *parent = find(told, event->pid);

    if (child == parent) /* a recording may hold any numbers */
        return;
    clear(child);
    if (word_is(event->fork.memory, "shared"))
        return;
    *child = *parent;
    child->pid = pid;
    child->view = (struct view){0};
    view_copy(&child->view, &parent->view);
    view_fork(&child->view, event->tid, pid);
    child->mapping_capacity = parent->mapping_count;
    child->mappings = mem_copy(parent->mappings, parent->mapping_count *
                                                     sizeof *parent->mappings);
}

struct certainty *told_certainty(struct told *told, const struct region *region)
{
    while (told->mapping_count <= region->mapping) {
        told->mappings =
            mem_grow(told->mappings, told->mapping_count,
                     &told->mapping_capacity, sizeof *told->mappings);
        told->mappings[told->mapping_count++] = (struct certainty){0};
    }
    return &told->mappings[region->mapping];
}
