/* SPDX-License-Identifier: MIT */
#include "observe/thread.h"

#include <stdio.h>

#include "base/mem.h"
#include "target/inject.h"
#include "target/registers.h"

struct thread *thread_find(const struct run *run, pid_t tid)
{
    for_each_thread (thread, run)
        if (thread->tracee.tid == tid)
            return thread;
    return NULL;
}

struct thread *thread_add(struct run *run, const struct tracee *tracee)
{
    struct thread *thread = mem_alloc(sizeof *thread);

    thread->tracee = *tracee;
    thread->run = run;
    run->threads = mem_grow(run->threads, run->thread_count,
                            &run->thread_capacity, sizeof(struct thread *));
    run->threads[run->thread_count++] = thread;
    return thread;
}

void thread_move(struct thread *thread, struct space *space)
{
    struct space *old = thread->space;

    if (space)
        space->users++;
    thread->space = space;
    if (old)
        space_leave(old);
}

void thread_remove(struct thread *thread)
{
    struct run *run = thread->run;

    for (size_t i = 0; i < run->thread_count; i++)
        if (run->threads[i] == thread)
            run->threads[i] = run->threads[--run->thread_count];
    thread_move(thread, NULL);
    tracee_release(&thread->tracee);
    for (size_t i = 0; i < DECODED; i++)
        free(thread->stay.decoded[i]);
    free(thread);
}

bool thread_undo_call(struct thread *thread)
{
    if (thread->mode != MODE_CALL)
        return true;
    if (tracee_rewind(&thread->tracee) < 0)
        return false;
    thread->mode = MODE_CODE;
    return true;
}

/* About a millisecond. */
#define UNDISTURBED_STEPS 32

void thread_defer_signals(struct thread *thread, uint64_t pc)
{
    thread->undisturbed = thread->interrupted == pc ? UNDISTURBED_STEPS : 0;
    thread->interrupted = 0;
}

void thread_stop(struct thread *thread)
{
    tracee_interrupt(&thread->tracee);
    if (tracee_wait(&thread->tracee, &thread->stop) == 0)
        thread->has_stop = true;
    thread->running = false;
}

void threads_unpin(struct run *run)
{
    for_each_thread (thread, run)
        tracee_unpin(&thread->tracee);
}

/* Whose memory an event is about, or who has done it: see trace/event.def. */
static int pid_of(const struct thread *thread, enum event_kind kind)
{
    bool is_own = kind == EVENT_OUTPUT || kind == EVENT_EXEC;

    return is_own || !thread->space ? thread->tracee.pid : thread->space->pid;
}

void run_tell(struct run *run, struct event *event)
{
    const struct thread *thread = thread_find(run, event->tid);

    event->seq = run->seq++;
    if (run->choice.follow_forks && !event->pid && event->kind != EVENT_START)
        event->pid = thread ? pid_of(thread, event->kind) : event->tid;
    if (event->source.file && event->source.text && thread && thread->space)
        files_excerpt(lines_files(thread->space->lines), &event->source);
    run->queue = mem_grow(run->queue, run->first + run->queued,
                          &run->queue_capacity, sizeof *run->queue);
    run->queue[run->first + run->queued++] = event_keep(event);
}

void thread_source(struct thread *thread, struct srcline *out)
{
    struct regs regs;

    *out = (struct srcline){0};
    if (tracee_fetch(&thread->tracee) < 0)
        return;
    tracee_regs(&thread->tracee, &regs);
    lines_find_caller(thread->space->lines, thread->tracee.tid, &regs, out);
}

void thread_limit(const struct thread *thread, const char *budget,
                  uint64_t addr, const char *format, ...)
{
    struct event event = {.kind = EVENT_LIMIT, .tid = thread->tracee.tid};
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    event.limit.budget = budget;
    event.limit.addr = (struct opt_u64){addr != 0, addr};
    event.limit.text = text;
    run_tell(thread->run, &event);
}
