/* SPDX-License-Identifier: MIT */
#include "trace/views.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void drop(struct view_shared *shared)
{
    if (--shared->uses > 0)
        return;
    view_release(&shared->view);
    free(shared);
}

void views_release(struct views *views)
{
    for (size_t i = 0; i < views->count; i++)
        drop(views->list[i].shared);
    free(views->list);
    *views = (struct views){0};
}

void views_copy(struct views *to, const struct views *from)
{
    *to = *from;
    to->list = mem_copy(from->list, from->count * sizeof *from->list);
    to->capacity = from->count;
    for (size_t i = 0; i < to->count; i++)
        to->list[i].shared->uses++;
}

/* The view of a process, or NULL. */
static struct view_process *find(const struct views *views, int pid)
{
    if (pid == 0 || pid == views->root)
        return views->count > 0 ? &views->list[0] : NULL;
    for (size_t i = 1; i < views->count; i++)
        if (views->list[i].pid == pid)
            return &views->list[i];
    return NULL;
}

/* The view of a process, to be changed; a new one has seen nothing. */
static struct view *need(struct views *views, int pid)
{
    struct view_process *process = find(views, pid);
    struct view_shared *own;

    if (!process) {
        views->list = mem_grow(views->list, views->count, &views->capacity,
                               sizeof *views->list);
        process = &views->list[views->count++];
        *process = (struct view_process){pid, mem_alloc(sizeof *own)};
        process->shared->uses = 1;
        process->shared->view.keeps_uses = views->keeps_uses;
    } else if (process->shared->uses > 1) {
        own = mem_alloc(sizeof *own);
        own->uses = 1;
        view_copy(&own->view, &process->shared->view);
        drop(process->shared);
        process->shared = own;
    }
    return &process->shared->view;
}

/* The number of a process that has ended may be used again. */
static void fork_view(struct views *views, const struct event *event)
{
    int child = (int)event->fork.child;
    struct view *view = need(views, child);
    const struct view *parent = views_of(views, event->pid);

    if (view == parent) /* a recording may hold any numbers */
        return;
    view_release(view);
    view_copy(view, parent);
    view_fork(view, event->tid, child);
}

void views_apply(struct views *views, const struct event *event)
{
    struct view *view;

    if (event->kind == EVENT_START)
        views->root = (int)event->start.pid;
    view = need(views, event->pid);
    view->applied = views->applied++;
    view_apply(view, event);
    if (event->kind == EVENT_OUTPUT) /* they print to the same place */
        for (size_t i = 0; i < views->count; i++) {
            int pid = views->list[i].pid;

            if (pid != event->pid && !views_of(views, pid)->ended &&
                need(views, pid) != view)
                view_apply(need(views, pid), event);
        }
    if (event->kind == EVENT_FORK && !word_is(event->fork.memory, "shared"))
        fork_view(views, event);
}

void views_advance(struct views *views, const struct store *store,
                   uint64_t count)
{
    struct unpacked unpacked = {0};

    while (views->applied < count) {
        store_read(store, views->applied, &unpacked);
        views_apply(views, &unpacked.event);
    }
    unpacked_release(&unpacked);
}

const struct view *views_of(const struct views *views, int pid)
{
    const struct view_process *process = find(views, pid);

    return &(process ? process : &views->list[0])->shared->view;
}
