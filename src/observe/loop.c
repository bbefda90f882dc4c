/* SPDX-License-Identifier: MIT */
/*
 * The loop: wait for a stop, find its thread, let the right file of this room
 * handle it. A handler changes what is known, and returns how the thread is to
 * go on; it may say so of other threads, too, that waited for this one. Events
 * that come of it are queued; one stop may yield several or none. Only when the
 * queue is empty and the reader asks for more are the threads resumed that
 * stand still, and only here.
 *
 *      next --> advance --> read_stop --> handle --> a handler --> enum go
 *                 |                                                   |
 *                 +--> resume_due <--- due_how, due_signal <--- decide <--+
 */
#include "observe/observe.h"

#include "base/mem.h"
#include "observe/asked.h"
#include "observe/calls.h"
#include "observe/fault.h"
#include "observe/guard.h"
#include "observe/alter.h"
#include "observe/names.h"
#include "observe/processes.h"
#include "observe/signals.h"
#include "observe/stay.h"
#include "observe/store.h"
#include "observe/thread.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* --- going on ------------------------------------------------------------- */

/* Resumes the thread at once. Only a system call or a handler changes its mask,
 * and none is before its next stop. */
static void resume(struct thread *thread, enum resume how, int signal)
{
    thread->mask_kept = (how == RESUME_CALL || how == RESUME_STEP) &&
                        signal == 0 &&
                        tracee_mask(&thread->tracee, &thread->mask) == 0;
    if (!thread->may_have_faulted)
        thread->seen = thread->space ? thread->space->turns : 0;
    thread->settled = false;
    tracee_resume(&thread->tracee, how, signal);
}

/* All go on that stand still, or that one which makes a store. */
static void resume_due(struct run *run)
{
    for_each_thread (thread, run) {
        if (!thread->due || store_must_wait(thread))
            continue;
        /* A guard may have been armed after it was told to go on. */
        if (thread->due_how == RESUME_RUN && guard_needs_calls(thread->space))
            thread->due_how = RESUME_CALL;
        resume(thread, thread->due_how, thread->due_signal);
        thread->running = true;
        thread->due = false;
    }
}

/* Finds how the thread is to be resumed. That is done when the reader asks for
 * more than is queued: until then it stands where the last event happened. */
static void decide(struct thread *thread, enum go go)
{
    bool in_call = thread->mode == MODE_CALL;

    thread->due = true;
    thread->due_how = go == GO_STEP ? RESUME_STEP : RESUME_RUN;
    thread->due_signal = 0;
    if (go == GO_ON && thread->mode == MODE_STORING) {
        thread->due_how = RESUME_STEP;
    } else if (go == GO_RUN ||
               (go == GO_ON &&
                !(thread->inside &&
                  stay_step(thread, &thread->due_how, &thread->due_signal)))) {
        /* At full speed, with a signal that is held for it. */
        if (!in_call && thread->tracee.held_count > 1)
            tracee_give_back(&thread->tracee);
        if (!in_call && thread->space->watched) {
            if (thread->space->left_open)
                guard_close_all(thread);
            signals_restore_trap(thread);
        }
        if (in_call || thread->lifted || guard_needs_calls(thread->space))
            thread->due_how = RESUME_CALL;
        thread->due_signal = signals_take(thread, false);
    }
    if (thread->due_how == RESUME_STEP && thread->due_signal == 0) {
        thread->tracee.undisturbed = thread->undisturbed > 0;
        thread->undisturbed -= thread->undisturbed > 0;
    }
}

/* What handlers have said, of the thread that stopped and of others. */
static void decide_all(struct run *run)
{
    struct stop stop;

    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];
        enum go go = thread->go;

        if (go == GO_NOT)
            continue;
        i = (size_t)-1; /* it may have said so of any */
        thread->go = GO_NOT;
        if (go != GO_AGAIN && go != GO_ALONE) {
            decide(thread, go);
            continue;
        }
        /* While no other thread runs: its next stop is there behind this. */
        if (go == GO_ALONE)
            decide(thread, GO_ON);
        if (go == GO_AGAIN) {
            resume(thread, RESUME_STEP, 0);
            if (tracee_wait(&thread->tracee, &stop) < 0)
                continue;
            thread->go = fault_repeated(thread, &stop);
        } else if (thread->due && thread->due_signal == thread->alone) {
            thread->due = false;
            thread->beginning = !thread->inside;
            resume(thread, RESUME_HANDLER, thread->alone);
            if (tracee_wait(&thread->tracee, &thread->stop) == 0)
                thread->has_stop = true;
        }
        store_release_others(run, thread->space);
    }
}

/* --- stops ---------------------------------------------------------------- */

static void on_gone(struct thread *thread, const struct stop *stop)
{
    struct run *run = thread->run;
    struct space *space = thread->space;
    struct event event = {
        .kind = EVENT_EXIT, .tid = stop->tid, .pid = stop->tid};
    struct opt_u64 status = {stop->kind == STOP_EXITED, (uint64_t)stop->status};
    struct opt_u64 signal = {stop->kind == STOP_KILLED, (uint64_t)stop->signal};
    bool is_child = run->choice.follow_forks && stop->tid != run->root &&
                    stop->tid == thread->tracee.pid;

    if (stop->tid == run->root) {
        if (space)
            names_tell_all(thread);
        if (space && space->started && !run->ending) {
            asked_tell_missing(thread);
            alter_tell_missing(thread);
        }
        if (space && space->entry.awaited && !run->ending)
            thread_limit(thread, "entry", 0,
                         "the program ended before it came to its entry point: "
                         "in the dynamic loader, or in what a library does "
                         "when it is loaded; nothing of that is watched");
        run->status = status;
        run->signal = signal;
    }
    if (!space) {
        thread_remove(thread);
        return;
    }
    if (is_child && space->pid == stop->tid && !run->ending)
        names_tell_all(thread);
    space->left_open |= thread->inside;
    space->users++; /* its guards are in the memory of its orphans */
    thread_remove(thread);
    store_release_others(run, space);
    if (!run->ending)
        for_each_thread (orphan, run)
            process_adopt(orphan, space);
    event.exit.status = status;
    event.exit.signal = signal;
    if (is_child)
        run_tell(run, &event);
    space_leave(space);
}

static void handle(struct run *run, const struct stop *stop)
{
    struct thread *thread = thread_find(run, stop->tid);
    bool ended = stop->kind == STOP_EXITED || stop->kind == STOP_KILLED;
    struct sigaction by_default = {.sa_handler = SIG_DFL}, ours;
    siginfo_t info;

    /* Also one that was made just now, and is known by its stop only. */
    if (run->ending && !ended) {
        kill(stop->tid, SIGKILL);
        return;
    }
    if (!thread) {
        struct tracee tracee = {.tid = stop->tid, .pid = stop->tid};

        /* Its parent's stop lets it go on, if there still is a parent. */
        if (!ended)
            process_adopt(thread_add(run, &tracee), NULL);
        return;
    }
    thread->due = thread->running = thread->waits_for_call = false;
    thread->stops++;
    /* These come before signals that are due already (ptrace(2)): a fault that
     * is told behind them may be older than the guards are then. */
    thread->may_have_faulted = stop->kind == STOP_STARTED ||
                               stop->kind == STOP_GROUP ||
                               stop->kind == STOP_OTHER;
    switch (stop->kind) {
    case STOP_EXITED:
    case STOP_KILLED:
        on_gone(thread, stop);
        break;
    case STOP_SIGNAL:
        if (tracee_siginfo(&thread->tracee, &info) < 0 ||
            tracee_fetch(&thread->tracee) < 0)
            break;
        thread->go =
            entry_is_fault(&thread->space->entry, &thread->tracee, &info)
                ? process_entered(thread)
                : fault_stopped(thread, &info);
        break;
    case STOP_CALL:
    case STOP_FILTER:
        thread->go = calls_stopped(thread);
        break;
    case STOP_EXEC:
        thread->go = process_exec(thread, stop);
        break;
    case STOP_CLONE:
    case STOP_VFORK:
    case STOP_FORK:
        thread->go = process_made(thread, stop);
        break;
    case STOP_GROUP: /* the program stays stopped */
        tracee_resume(&thread->tracee, RESUME_LISTEN, 0);
        if (stop->tid != run->root || !thread->from_terminal)
            break;
        /* The terminal has stopped it (Ctrl-Z), and the shell waits for us to
         * stop as well; SIGCONT later goes to both. */
        sigaction(stop->signal, &by_default, &ours);
        raise(stop->signal);
        sigaction(stop->signal, &ours, NULL);
        break;
    case STOP_STARTED:
    case STOP_OTHER:
    case STOP_NONE:
        thread->go = GO_ON;
        break;
    }
}

/* Reads a stop: one that was taken early, of a thread that was in the way of a
 * store, else the next one. Returns 1, 0 when none came in time, or -1. The
 * program is over when there are no children left; or, as there may be one that
 * nobody has told of, when all threads have ended that are known, and none
 * comes shortly while others keep us waiting. */
static int read_stop(struct run *run, enum patience patience, struct err *err)
{
    bool over = run->thread_count == 0 && run->has_strangers;
    struct event event = {.kind = EVENT_EXIT, .tid = run->root};
    struct stop stop = {.kind = STOP_NONE};
    int more = 1;

    for_each_thread (thread, run) {
        if (stop.kind != STOP_NONE || !thread->has_stop ||
            store_must_wait(thread))
            continue;
        thread->has_stop = false;
        stop = thread->stop;
    }
    if (stop.kind == STOP_NONE)
        more = wait_stop(&stop, over ? WAIT_SHORTLY : patience, err);
    if (more < 0)
        return -1;
    if (more == 0 || (stop.kind == STOP_NONE && over)) {
        event.exit.status = run->status;
        event.exit.signal = run->signal;
        run->ended = true;
        run_tell(run, &event);
        return 1;
    }
    if (stop.kind == STOP_NONE)
        return 0;
    handle(run, &stop);
    decide_all(run);
    /* A call that has waited for the one that has just ended: see guard.h. */
    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];

        if (!thread->waits_for_call || guard_call_waits(thread))
            continue;
        thread->waits_for_call = false;
        thread->go = calls_begin(thread);
        decide_all(run);
        i = (size_t)-1;
    }
    return 1;
}

/* Whether it runs free on our CPU, where it shall not stay for long. */
static bool is_guest(const struct thread *thread)
{
    return thread->tracee.pinned && !thread->inside &&
           thread->mode != MODE_STORING;
}

/* Gets on to the next stop. What other threads did meanwhile is read before any
 * goes on: the kernel tells of the oldest thread first, and one that stops all
 * the time would outrun the rest. Returns as read_stop. */
static int advance(struct run *run, enum patience patience, struct err *err)
{
    int more = 0;

    run->first = 0;
    if (run->thread_count > 1)
        more = read_stop(run, WAIT_NOW, err);
    if (more != 0)
        return more;
    resume_due(run);
    more = read_stop(run, patience, err);
    if (more == 0)
        for_each_thread (thread, run)
            if (is_guest(thread))
                tracee_unpin(&thread->tracee);
    return more;
}

/* --- the source ----------------------------------------------------------- */

/* Whether the reader can be answered without letting the program go on. */
static bool has_answer(const struct run *run)
{
    return run->queued > 0 || run->ended;
}

/* How many stops are read for one question; some milliseconds. */
#define READY_STOPS 300

/* A tracee on our CPU runs only while we do not: not to wait for it at all
 * would be not to let it go on. */
static int observer_ready(struct source *source, struct err *err)
{
    struct run *run = (struct run *)source;
    int more = 1;

    for (int i = 0; i < READY_STOPS && more > 0 && !has_answer(run); i++) {
        enum patience patience = WAIT_NOW;

        for_each_thread (thread, run)
            if (thread->tracee.pinned)
                patience = WAIT_SHORTLY;
        more = advance(run, patience, err);
    }
    if (more < 0)
        return -1;
    if (!has_answer(run))
        resume_due(run);
    return has_answer(run);
}

static int observer_next(struct source *source, struct event *event,
                         struct err *err)
{
    struct run *run = (struct run *)source;
    struct thread *owner;

    while (!has_answer(run)) {
        enum patience patience = WAIT_FOREVER;

        for_each_thread (thread, run)
            if (is_guest(thread))
                patience = WAIT_SHORTLY;
        if (advance(run, patience, err) < 0)
            return -1;
    }
    if (run->queued == 0)
        return 0;
    event_free(run->current);
    run->current = run->queue[run->first++];
    run->queued--;
    *event = *run->current;
    owner = thread_find(run, event->tid);
    if (owner)
        event->pages = &owner->space->pages;
    return 1;
}

static void observer_free(struct source *source)
{
    struct run *run = (struct run *)source;
    struct err ignored;

    if (!run->ended)
        observe_end(source);
    while (!run->ended && read_stop(run, WAIT_FOREVER, &ignored) > 0)
        continue;
    while (run->thread_count > 0)
        thread_remove(run->threads[0]);
    for (size_t i = 0; i < run->queued; i++)
        event_free(run->queue[run->first + i]);
    event_free(run->current);
    free(run->queue);
    buf_release(&run->printed);
    buf_release(&run->others);
    free(run->threads);
    free(run);
}

struct source *observe_new(const struct launch *what,
                           const struct observe_budget *budget,
                           const struct choice *choice, struct err *err)
{
    bool has_strangers = wait_has_children();
    struct run *run;
    struct thread *thread;
    struct tracee tracee;

    if (launch(what, &tracee, err) < 0)
        return NULL;
    if (tracee_try(&tracee, err) < 0) {
        tracee_kill(&tracee);
        return NULL;
    }
    run = mem_alloc(sizeof *run);
    run->source.next = observer_next;
    run->source.ready = observer_ready;
    run->source.free = observer_free;
    run->has_strangers = has_strangers;
    run->root = tracee.pid;
    run->spent.max = *budget;
    if (choice)
        run->choice = *choice;
    run->has_printed = !run->choice.after_output;
    vectors_layout_here(&run->vectors);
    thread = thread_add(run, &tracee);
    thread_move(thread, space_new(tracee.pid, NULL, true));
    thread->go = process_loaded(thread);
    decide_all(run);
    return &run->source;
}

void observe_provide(struct source *source, const char *name, struct bytes text)
{
    const struct run *run = (const struct run *)source;
    const struct thread *root = thread_find(run, run->root);

    files_provide(lines_files(root->space->lines), name, text);
}

void observe_pause(struct source *source)
{
    struct run *run = (struct run *)source;

    for_each_thread (thread, run)
        if (!thread->due && proc_runs(thread->tracee.tid))
            tracee_interrupt(&thread->tracee);
}

bool observe_next_line(struct source *source, struct srcline *out)
{
    struct run *run = (struct run *)source;
    struct thread *thread =
        run->current ? thread_find(run, (pid_t)run->current->tid) : NULL;

    return thread && run->queued == 0 && !thread->inside && !thread->running &&
           !run->ending && thread->due && thread->due_signal == 0 &&
           thread->mode != MODE_CALL && thread->space && thread->space->lines &&
           tracee_fetch(&thread->tracee) == 0 &&
           lines_find(thread->space->lines, tracee_pc(&thread->tracee), out);
}

void observe_end(struct source *source)
{
    struct run *run = (struct run *)source;
    const struct thread *root = thread_find(run, run->root);

    if (run->ended || run->ending)
        return;
    run->ending = true;
    if (root)
        thread_limit(root, "quit", 0,
                     "jittrace ended the program here: the reader quit");
    for_each_thread (thread, run) {
        thread->due = false;
        kill(thread->tracee.tid, SIGKILL);
    }
}

pid_t observe_pid(const struct source *source)
{
    return ((const struct run *)source)->root;
}
