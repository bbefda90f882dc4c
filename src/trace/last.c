/* SPDX-License-Identifier: MIT */
#include "trace/last.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Where a thread was in generated code when what was dropped had happened: its
 * first step that is kept needs the registers. */
struct left_out {
    int tid;
    bool inside;
    bool told; /* its first event that was kept */
    struct regs regs;
};

/* What is missing of a process (0: of the one there is). */
struct shortened {
    int pid;
    uint64_t dropped;
    bool told; /* by a limit event */
};

struct last {
    struct source source;
    struct source *from;
    uint64_t most;
    struct event **kept; /* what holds, and what is in the ring, in order */
    size_t count, capacity, next;
    uint64_t passing; /* of these, in the ring */
    uint64_t dropped; /* from it */
    size_t oldest;    /* where the first one of the ring may be */
    bool read;        /* all of it */
    uint64_t seq;
    struct left_out *threads;
    size_t thread_count, thread_capacity;
    struct shortened *processes;
    size_t process_count, process_capacity;
    char text[160];
};

/* Whether later events can be understood without it. */
static bool is_passing(const struct event *event)
{
    static const bool passes[EVENT_KINDS] = {
        [EVENT_ENTER] = true,    [EVENT_STEP] = true,   [EVENT_LEAVE] = true,
        [EVENT_OUTPUT] = true,   [EVENT_SIGNAL] = true, [EVENT_REFUSED] = true,
        [EVENT_INJECTED] = true,
    };

    return passes[event->kind];
}

/* Takes the holes out that dropped events have left. */
static void close_up(struct last *last)
{
    size_t to = 0;

    for (size_t i = 0; i < last->count; i++)
        if (last->kept[i])
            last->kept[to++] = last->kept[i];
    last->count = to;
    last->oldest = 0;
}

static struct left_out *thread_of(struct last *last, int tid)
{
    struct left_out *thread = last->threads;

    for (size_t i = 0; i < last->thread_count; i++, thread++)
        if (thread->tid == tid)
            return thread;
    last->threads = mem_grow(last->threads, last->thread_count,
                             &last->thread_capacity, sizeof *last->threads);
    thread = &last->threads[last->thread_count++];
    *thread = (struct left_out){.tid = tid};
    return thread;
}

static struct shortened *process_of(struct last *last, int pid)
{
    for (size_t i = 0; i < last->process_count; i++)
        if (last->processes[i].pid == pid)
            return &last->processes[i];
    last->processes =
        mem_grow(last->processes, last->process_count, &last->process_capacity,
                 sizeof *last->processes);
    last->processes[last->process_count] = (struct shortened){.pid = pid};
    return &last->processes[last->process_count++];
}

/* What is dropped still leads to where its thread is afterwards. */
static void follow(struct left_out *thread, const struct event *event)
{
    const struct reg_changes *changes = &event->step.regs;

    if (event->kind == EVENT_ENTER) {
        thread->inside = true;
        thread->regs = event->enter.regs;
    } else if (event->kind == EVENT_STEP) {
        for (size_t i = 0; i < changes->count; i++)
            thread->regs.value[changes->list[i].reg] =
                changes->list[i].new_value;
        thread->regs.value[REG_PC] = event->step.next;
    } else if (event->kind == EVENT_LEAVE) {
        thread->inside = false;
    }
}

static void drop_oldest(struct last *last)
{
    while (!last->kept[last->oldest] || !is_passing(last->kept[last->oldest]))
        last->oldest++;
    follow(thread_of(last, last->kept[last->oldest]->tid),
           last->kept[last->oldest]);
    process_of(last, last->kept[last->oldest]->pid)->dropped++;
    event_free(last->kept[last->oldest]);
    last->kept[last->oldest] = NULL;
    last->passing--;
    if (++last->dropped % last->most == 0)
        close_up(last);
}

/* Reads all there is. Returns 0, or -1 with err filled. */
static int read_all(struct last *last, struct err *err)
{
    struct event event;
    int more;

    while ((more = source_next(last->from, &event, err)) > 0) {
        event.pages = NULL; /* they are later ones when it is told */
        last->kept = mem_grow(last->kept, last->count, &last->capacity,
                              sizeof *last->kept);
        last->kept[last->count++] = event_keep(&event);
        last->passing += is_passing(&event);
        if (last->passing > last->most)
            drop_oldest(last);
    }
    last->read = true;
    close_up(last);
    return more;
}

/* Whether it is the first event of a thread that is kept, and a step in the
 * middle of generated code: how control came in there was dropped. */
static bool needs_enter(struct last *last, const struct event *kept)
{
    struct left_out *thread;
    bool first;

    if (!last->dropped || kept->kind < EVENT_ENTER || kept->kind > EVENT_LEAVE)
        return false;
    thread = thread_of(last, kept->tid);
    first = !thread->told;
    thread->told = true;
    return first && kept->kind == EVENT_STEP && thread->inside;
}

/* Whether it is to be told first that events of its process were dropped: in
 * front of the first that is left, or of the end. */
static bool needs_limit(struct last *last, const struct event *kept)
{
    struct shortened *process;

    if (!last->dropped || (!is_passing(kept) && kept->kind != EVENT_EXIT))
        return false;
    process = process_of(last, kept->pid);
    if (process->told || process->dropped == 0)
        return false;
    process->told = true;
    return true;
}

/* A leave without its enter says nothing. */
static bool is_headless(struct last *last, const struct event *kept)
{
    return last->dropped && kept->kind == EVENT_LEAVE &&
           !thread_of(last, kept->tid)->told;
}

static int next(struct source *source, struct event *event, struct err *err)
{
    struct last *last = (struct last *)source;
    const struct event *kept;

    if (!last->read && read_all(last, err) < 0)
        return -1;
    while (last->next < last->count &&
           is_headless(last, last->kept[last->next]))
        last->next++;
    if (last->next == last->count)
        return 0;
    kept = last->kept[last->next];
    if (needs_limit(last, kept)) {
        snprintf(last->text, sizeof last->text,
                 "%" PRIu64 " events before these, for only the last %" PRIu64
                 " were asked for (--last)",
                 process_of(last, kept->pid)->dropped, last->most);
        *event = (struct event){
            .kind = EVENT_LIMIT, .tid = kept->tid, .pid = kept->pid};
        event->limit.budget = "last";
        event->limit.text = last->text;
    } else if (needs_enter(last, kept)) {
        struct left_out *thread = thread_of(last, kept->tid);

        *event = (struct event){
            .kind = EVENT_ENTER, .tid = kept->tid, .pid = kept->pid};
        event->enter.addr = kept->step.addr;
        event->enter.offset = kept->step.offset;
        event->enter.regs = thread->regs;
    } else {
        *event = *kept;
        event->copy = NULL; /* it has another number there */
        last->next++;
    }
    event->seq = last->seq++;
    return 1;
}

static void free_last(struct source *source)
{
    struct last *last = (struct last *)source;

    for (size_t i = 0; i < last->count; i++)
        event_free(last->kept[i]);
    free(last->kept);
    free(last->threads);
    free(last->processes);
    source_free(last->from);
    free(last);
}

struct source *last_source_new(struct source *from, uint64_t count)
{
    struct last *last = mem_alloc(sizeof *last);

    last->source = (struct source){next, NULL, free_last};
    last->from = from;
    last->most = count;
    return &last->source;
}
