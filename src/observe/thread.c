/* SPDX-License-Identifier: MIT */
#include "observe/thread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "target/inject.h"

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
    thread->report = &run->report;
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
    free(thread);
}

/* --- from mode to mode ---------------------------------------------------- */

/* During a call or a store this is what it comes back to. */
static void set_base(struct thread *thread, enum mode base)
{
    if (thread->mode == thread->base)
        thread->mode = base;
    thread->base = base;
}

bool thread_is_inside(const struct thread *thread)
{
    return thread->base == MODE_INSIDE;
}

void thread_enter(struct thread *thread)
{
    set_base(thread, MODE_INSIDE);
}

void thread_leave(struct thread *thread)
{
    set_base(thread, thread->run_on.pending ? MODE_RUNNING_ON : MODE_FREE);
}

void thread_run_on(struct thread *thread, const struct run_on *run_on)
{
    thread->run_on = *run_on;
    set_base(thread, MODE_RUNNING_ON);
}

void thread_end_run_on(struct thread *thread)
{
    thread->run_on = (struct run_on){0};
    if (thread->base == MODE_RUNNING_ON)
        set_base(thread, MODE_FREE);
}

void thread_begin(struct thread *thread, enum mode mode)
{
    thread->mode = mode;
}

void thread_end(struct thread *thread, enum mode mode)
{
    if (thread->mode == mode)
        thread->mode = thread->base;
}

bool thread_undo_call(struct thread *thread)
{
    if (thread->mode == MODE_CALL && tracee_rewind(&thread->tracee) < 0)
        return false;
    thread_end(thread, MODE_CALL);
    return true;
}

void thread_forget(struct thread *thread)
{
    thread->mode = thread->base = MODE_FREE;
    thread->lifted = thread->waits_for_call = thread->waits_for_store = false;
    thread->run_on = (struct run_on){0};
    thread->awaited_count = 0;
    thread->left_by = NULL;
    thread->stay.decoded_at = 0;
}

/* --- what is asked of them ------------------------------------------------ */

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
    report_event(thread->report, &event);
}
