/* SPDX-License-Identifier: MIT */
/*
 * The loop: wait for a stop, find its thread, let the right file of this room
 * read it, say how the thread is to go on. Events that come of it are queued;
 * one stop may yield several or none. Only when the queue is empty and the
 * reader asks for more do the threads go on that stand still.
 *
 * Observing begins at the ELF entry point of the program: before it, the
 * dynamic loader maps and protects pages of its own.
 */
#include "observe/observe.h"

#include <elf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"
#include "target/uffd.h"
#include "target/tryout.h"

/* --- events -------------------------------------------------------------- */

void report_event(struct run *run, struct event *event)
{
    event->seq = run->seq++;
    if (event->source.file && event->source.text)
        lines_excerpt(run->lines, &event->source);
    run->queue = mem_grow(run->queue, run->queue_first + run->queue_count,
                          &run->queue_capacity, sizeof *run->queue);
    run->queue[run->queue_first + run->queue_count++] = event_copy(event);
}

void report_limit(const struct thread *thread, const char *budget,
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
    report_event(thread->run, &event);
}

/* --- resuming ------------------------------------------------------------ */

void observer_let(struct thread *thread, enum resume how, int signal)
{
    thread->due = true;
    thread->due_how = how;
    thread->due_signal = signal;
}

void observer_go(struct thread *thread, enum resume how, int signal)
{
    thread->seen = thread->space ? thread->space->turns : 0;
    thread->settled = false;
    tracee_resume(&thread->tracee, how, signal);
}

/* All go on that stand still, or that one which makes a store. */
static void let_go(struct run *run)
{
    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];

        if (!thread->due || store_must_wait(thread))
            continue;
        /* A guard may have been armed after it was told to go on. */
        if (thread->due_how == RESUME_RUN && guard_needs_calls(thread->space))
            thread->due_how = RESUME_CALL;
        observer_go(thread, thread->due_how, thread->due_signal);
        thread->running = true;
        thread->due = false;
    }
}

void observer_run(struct thread *thread)
{
    enum resume how = RESUME_RUN;

    if (!thread->in_call && thread->tracee.held_count > 1)
        tracee_give_back(&thread->tracee);
    if (!thread->in_call && thread->space->watched) {
        if (thread->space->left_open)
            guard_close_all(thread);
        actions_restore_trap(thread);
    }
    if (thread->in_call || thread->lifted || guard_needs_calls(thread->space))
        how = RESUME_CALL;
    observer_let(thread, how, signal_take(thread, false));
}

void observer_resume(struct thread *thread)
{
    if (thread->storing)
        observer_step(thread);
    else if (thread->inside)
        stay_step(thread);
    else
        observer_run(thread);
}

/* About a millisecond. */
#define INSIST_STEPS 32

void observer_insist(struct thread *thread, uint64_t pc)
{
    thread->insist = thread->put_off == pc ? INSIST_STEPS : 0;
    thread->put_off = 0;
}

void observer_step(struct thread *thread)
{
    thread->tracee.undisturbed = thread->insist > 0;
    if (thread->insist > 0)
        thread->insist--;
    observer_let(thread, RESUME_STEP, 0);
}

void run_unpin(struct run *run)
{
    for (size_t i = 0; i < run->thread_count; i++)
        tracee_unpin(&run->threads[i]->tracee);
}

/* --- the beginning of a program ------------------------------------------ */

/* The arguments that the kernel laid out on the stack (psABI 3.4.1). */
static void read_argv(pid_t pid, uint64_t stack, struct buf *text,
                      struct buf *list)
{
    uint64_t count = 0, addr;

    proc_read(pid, stack, &count, sizeof count);
    for (uint64_t i = 0; i < count && i < 4096; i++) {
        if (proc_read(pid, stack + 8 * (i + 1), &addr, sizeof addr) !=
            sizeof addr)
            break;
        buf_append(list, &text->len, sizeof text->len);
        proc_read_text(pid, addr, text);
    }
}

static void emit_start(struct thread *thread)
{
    struct event event = {.kind = EVENT_START, .tid = thread->tracee.tid};
    pid_t pid = thread->tracee.pid;
    struct buf text = {0}, list = {0};
    const char **argv;
    char exe[512] = "";
    size_t count;

    read_argv(pid, tracee_stack(&thread->tracee), &text, &list);
    count = list.len / sizeof(size_t);
    argv = mem_alloc(count * sizeof *argv);
    for (size_t i = 0; i < count; i++)
        argv[i] = buf_text(&text) + ((const size_t *)(void *)list.data)[i];
    proc_exe(pid, exe, sizeof exe);
    event.start = (struct event_start){
        .format = TRACE_FORMAT,
        .arch = ARCH_NAME,
        .argv = {argv, count},
        .exe = exe,
        .pid = pid,
        .page_size = proc_auxv(pid, AT_PAGESZ),
        .entry = thread->space->entry.addr,
    };
    thread->run->started = true;
    report_event(thread->run, &event);
    free(argv);
    buf_release(&text);
    buf_release(&list);
}

/* What is not to be watched from the start is said at the start. */
static void tell_empty_budgets(const struct thread *thread)
{
    for (enum budget i = 0; i < BUDGETS; i++)
        if (*budget_value(&thread->run->budget, i) == 0)
            report_limit(thread, budget_word(i), 0, "--max-%s=0 allows no %s",
                         budget_word(i), budget_help(i));
}

/* The program stands at its entry point. */
static void begin(struct thread *thread)
{
    tell_empty_budgets(thread);
    thread->space->started = true;
    if (!thread->tracee.syscall_insn) {
        report_limit(thread, "vdso", 0,
                     "the process has no vdso to make system calls from, so "
                     "no page can be guarded");
        thread->space->watched = false;
    } else {
        thread->space->uffd = uffd_open(&thread->tracee);
        maps_begin(thread);
    }
    observer_run(thread);
}

/* A program was loaded and nothing of it has run. */
static void loaded(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    struct space *space = thread->space;

    tracee_find_syscall(tracee);
    actions_inherited(thread);
    thread->blocks_fault = tracee_blocks(tracee, SIGSEGV);
    names_begin(thread);
    if (tracee_fetch(tracee) < 0)
        return;
    if (!tracee_is_64bit(tracee)) { /* not the first one: see launch() */
        report_limit(thread, "32-bit", 0,
                     "process %d runs a program for 32-bit x86 now, which is "
                     "not watched",
                     (int)tracee->pid);
        space->watched = false;
        observer_run(thread);
        return;
    }
    if (entry_await(tracee, &space->entry) < 0) { /* not the first one */
        report_limit(thread, "entry", 0,
                     "the entry point of the program that process %d runs "
                     "now cannot be found, so it is not watched",
                     (int)tracee->pid);
        space->watched = false;
    }
    if (!thread->run->started)
        emit_start(thread);
    if (space->watched && !space->entry.awaited) { /* linked statically */
        begin(thread);
        return;
    }
    observer_let(thread, RESUME_RUN, 0);
}

/* The thread that does it ends all others and takes the ID of the first. */
static void take_first_place(struct thread *first, struct thread *thread)
{
    pid_t tid = first->tracee.tid;

    tracee_release(&first->tracee);
    first->tracee = thread->tracee;
    first->tracee.tid = tid;
    thread->tracee.held = NULL;
    thread_remove(thread);
}

static void on_exec(struct thread *thread, const struct stop *stop)
{
    bool watched = thread->tracee.tid == thread->run->root;
    struct thread *former = thread_find(thread->run, stop->child);

    if (former && former != thread)
        take_first_place(thread, former);
    if (watched && thread->space->started) {
        lines_free(thread->run->lines);
        thread->run->lines = lines_new(thread->run->root);
        maps_forget(thread);
    }
    if (!watched && thread->space && thread->space->watched)
        child_unwatched(thread, "exec");
    thread->in_call = thread->lifted = false;
    thread->storing = thread->waiting = thread->inside = false;
    thread->queued = false;
    thread->rest = (struct rest){0};
    thread->awaited_count = 0;
    thread->left_by = NULL;
    thread->decoded.changes = 0;
    thread->tracee.pid = thread->tracee.tid;
    thread_move(thread, space_new(watched));
    if (watched && tracee_finish_exec(&thread->tracee) == 0)
        loaded(thread);
    else if (!watched)
        observer_run(thread);
}

/* --- signals ------------------------------------------------------------- */

/*
 * The jump to the entry point, also by a child that a constructor has made. The
 * fault was forced upon the thread: what that has undone is put back.
 */
static void on_entry(struct thread *thread)
{
    struct space *space = thread->space;

    entry_arrive(&thread->tracee, &space->entry);
    actions_forced(thread, SIGSEGV);
    if (thread->blocks_fault)
        tracee_block(&thread->tracee, SIGSEGV, true);
    if (space->watched) {
        begin(thread);
    } else {
        space->actions_of = 0; /* nothing more is forced upon it */
        observer_run(thread);
    }
}

static void on_signal(struct thread *thread)
{
    siginfo_t info;

    if (tracee_siginfo(&thread->tracee, &info) < 0 ||
        tracee_fetch(&thread->tracee) < 0)
        return;
    if (entry_is_fault(&thread->space->entry, &thread->tracee, &info))
        on_entry(thread);
    else
        signal_stopped(thread, &info);
}

/* --- system calls -------------------------------------------------------- */

/* Whether the call takes away the instruction that calls of ours are made of. */
static bool takes_vdso(const struct call *call, uint64_t insn)
{
    uint64_t addr, length;
    bool takes = call_range(call, &addr, &length);

    switch (call_kind(call)) {
    case CALL_MMAP:
        takes = takes && (call->args[3] & MAP_FIXED);
        break;
    case CALL_PROTECT:
        takes = takes && !(call->args[2] & PROT_EXEC);
        break;
    case CALL_MUNMAP:
    case CALL_MREMAP:
        break;
    default:
        return false;
    }
    return takes && insn - addr < length;
}

/* As long as calls can be made: gives everything back. */
static void lose_vdso(struct thread *thread)
{
    struct space *space = thread->space;

    if (!space->frozen)
        guard_drop_all(thread, "vdso",
                       "the program takes the vdso away, of which jittrace "
                       "makes its own system calls; from here on nothing is "
                       "watched any more");
    for (size_t i = 0; i < thread->run->thread_count; i++)
        if (thread->run->threads[i]->space == space)
            thread->run->threads[i]->tracee.syscall_insn = 0;
}

static void on_call_entry(struct thread *thread)
{
    if (thread->in_call) { /* the filter's stop, behind the entry's */
        observer_run(thread);
        return;
    }
    if (takes_vdso(&thread->call, thread->tracee.syscall_insn) &&
        tracee_rewind(&thread->tracee) == 0) {
        lose_vdso(thread);
        observer_run(thread);
        return;
    }
    if (order_must_wait(thread)) {
        thread->queued = true;
        return;
    }
    thread->in_call = true;
    calls_before(thread);
}

/* Calls that have waited for the one that has just ended. */
static void begin_queued(struct run *run)
{
    struct thread *thread;

    while ((thread = order_next(run)) != NULL) {
        thread->queued = false;
        on_call_entry(thread);
    }
}

/* A call stopped at, which would not have been if no store were watched. */
static void pay_for_call(struct thread *thread)
{
    if (thread->inside || call_kind(&thread->call) != CALL_OTHER ||
        budget_pay_system_call(&thread->run->budget, &thread->run->spent) !=
            BUDGET_system_calls)
        return;
    guard_drop_stores(thread, budget_word(BUDGET_system_calls),
                      "the program made many system calls while stores were "
                      "watched, and each costs a stop; from here on stores "
                      "are not watched, code is read when it is executed");
}

/* A call of which only the beginning is of interest. */
static bool is_over_at_entry(const struct thread *thread,
                             const struct call *call)
{
    return call->entering && !thread->in_call && call_kind(call) == CALL_OPEN &&
           !guard_needs_calls(thread->space);
}

static void on_call(struct thread *thread)
{
    struct call call;

    if (tracee_call(&thread->tracee, &call) < 0)
        return;
    if (call.denied) {
        tracee_deny(&thread->tracee);
        observer_run(thread);
        return;
    }
    if (call.entering && !thread->in_call) {
        thread->call = call;
        actions_set(thread);
        if (!foreign_before(thread)) {
            observer_run(thread); /* it will begin again */
            return;
        }
    }
    if (!thread->space->watched || !thread->space->started ||
        is_over_at_entry(thread, &call)) {
        if (call.entering && call_kind(&call) == CALL_CPUS)
            run_unpin(thread->run);
        observer_run(thread);
    } else if (call.entering) {
        on_call_entry(thread);
    } else {
        thread->in_call = false;
        thread->call.result = call.result;
        pay_for_call(thread);
        calls_after(thread);
    }
}

/* --- the end ------------------------------------------------------------- */

static void on_gone(struct thread *thread, const struct stop *stop)
{
    struct space *space = thread->space;
    struct run *run = thread->run;

    if (stop->tid == run->root && space)
        names_tell_all(thread);
    if (stop->tid == run->root && space && space->entry.awaited && !run->ending)
        report_limit(thread, "entry", 0,
                     "the program ended before it came to its entry point: "
                     "in the dynamic loader, or in what a library does when "
                     "it is loaded; nothing of that is watched");
    if (stop->tid == run->root) {
        bool exited = stop->kind == STOP_EXITED;

        run->status =
            (struct opt_u64){exited, exited ? (uint64_t)stop->status : 0};
        run->signal =
            (struct opt_u64){!exited, exited ? 0 : (uint64_t)stop->signal};
    }
    if (space && thread->inside)
        space->left_open = true;
    if (space)
        space->users++; /* its guards are in the memory of its orphans */
    thread_remove(thread);
    if (!space)
        return;
    store_let_others(run, space);
    if (!run->ending)
        child_free_orphans(run, space);
    space_leave(space);
}

static void emit_exit(struct run *run)
{
    struct event event = {.kind = EVENT_EXIT, .tid = run->root};

    event.exit.status = run->status;
    event.exit.signal = run->signal;
    run->ended = true;
    report_event(run, &event);
}

/*
 * The program stays stopped. If the terminal has stopped it (Ctrl-Z), the shell
 * waits for us to stop as well; SIGCONT later goes to both.
 */
static void on_group_stop(struct thread *thread, const struct stop *stop)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL}, ours;

    tracee_resume(&thread->tracee, RESUME_LISTEN, 0);
    if (stop->tid != thread->run->root || !thread->from_terminal)
        return;
    sigaction(stop->signal, &by_default, &ours);
    raise(stop->signal);
    sigaction(stop->signal, &ours, NULL);
}

/* --- the source ---------------------------------------------------------- */

/* Whether it runs free on our CPU, where it shall not stay for long. */
static bool is_guest(const struct thread *thread)
{
    return thread->tracee.pinned && !thread->inside && !thread->storing;
}

static bool has_guests(const struct run *run)
{
    for (size_t i = 0; i < run->thread_count; i++)
        if (is_guest(run->threads[i]))
            return true;
    return false;
}

/* Whether somebody on our CPU waits for us to leave it. */
static bool has_neighbours(const struct run *run)
{
    for (size_t i = 0; i < run->thread_count; i++)
        if (run->threads[i]->tracee.pinned)
            return true;
    return false;
}

static void send_guests_home(struct run *run)
{
    for (size_t i = 0; i < run->thread_count; i++)
        if (is_guest(run->threads[i]))
            tracee_unpin(&run->threads[i]->tracee);
}

static bool is_end(const struct stop *stop)
{
    return stop->kind == STOP_EXITED || stop->kind == STOP_KILLED;
}

static void handle(struct run *run, const struct stop *stop)
{
    struct thread *thread = thread_find(run, stop->tid);

    /* Also one that was made just now, and is known by its stop only. */
    if (run->ending && !is_end(stop)) {
        kill(stop->tid, SIGKILL);
        return;
    }
    if (!thread) {
        struct tracee tracee = {.tid = stop->tid, .pid = stop->tid};

        /* Its parent's stop lets it go on, if there still is a parent. */
        if (!is_end(stop))
            child_free_orphan(thread_add(run, &tracee), NULL);
        return;
    }
    thread->due = thread->running = thread->queued = false;
    thread->stops++;
    switch (stop->kind) {
    case STOP_EXITED:
    case STOP_KILLED:
        on_gone(thread, stop);
        break;
    case STOP_SIGNAL:
        on_signal(thread);
        break;
    case STOP_CALL:
    case STOP_FILTER:
        on_call(thread);
        break;
    case STOP_EXEC:
        on_exec(thread, stop);
        break;
    case STOP_CLONE:
    case STOP_VFORK:
    case STOP_FORK:
        child_made(thread, stop);
        break;
    case STOP_GROUP:
        on_group_stop(thread, stop);
        break;
    case STOP_STARTED:
    case STOP_OTHER:
    case STOP_NONE:
        observer_resume(thread);
        break;
    }
}

/* Whether the reader can be answered without letting the program go on. */
static bool has_answer(const struct run *run)
{
    return run->queue_count > 0 || run->ended;
}

/* A stop that was taken early, of a thread that was in the way of a store. */
static bool take_stop(struct run *run, struct stop *stop)
{
    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];

        if (!thread->has_stop || store_must_wait(thread))
            continue;
        thread->has_stop = false;
        *stop = thread->stop;
        return true;
    }
    return false;
}

/* Reads a stop. Returns 1, 0 when none came in time, or -1. */
static int read_stop(struct run *run, enum patience patience, struct err *err)
{
    struct stop stop;
    int more = 1;

    if (!take_stop(run, &stop))
        more = wait_stop(&stop, patience, err);
    if (more < 0)
        return -1;
    if (more > 0 && stop.kind == STOP_NONE)
        return 0;
    if (more > 0) {
        handle(run, &stop);
        begin_queued(run);
    } else {
        emit_exit(run);
    }
    return 1;
}

/*
 * Whether all threads have ended that are known. There may be one that nobody
 * has told of; in general it is waited for as long as there are any children.
 */
static bool is_over(const struct run *run)
{
    return run->thread_count == 0 && run->has_strangers;
}

/*
 * Gets on to the next stop. What other threads did meanwhile is read before any
 * goes on: the kernel tells of the oldest thread first, and one that stops all
 * the time would outrun the rest. Returns 1, 0 when no stop came in time, or
 * -1.
 */
static int advance(struct run *run, enum patience patience, struct err *err)
{
    int more = 0;

    run->queue_first = 0;
    if (run->thread_count > 1)
        more = read_stop(run, WAIT_NOW, err);
    if (more != 0)
        return more;
    let_go(run);
    more = read_stop(run, is_over(run) ? WAIT_SHORTLY : patience, err);
    if (more == 0 && is_over(run)) {
        emit_exit(run);
        return 1;
    }
    if (more == 0)
        send_guests_home(run);
    return more;
}

/* How many stops are read for one question; some milliseconds. */
#define READY_STOPS 300

/*
 * A tracee on our CPU runs only while we do not: not to wait for it at all
 * would be not to let it go on.
 */
static int observer_ready(struct source *source, struct err *err)
{
    struct run *run = (struct run *)source;
    int more = 1;

    for (int i = 0; i < READY_STOPS && more > 0 && !has_answer(run); i++)
        more = advance(run, has_neighbours(run) ? WAIT_SHORTLY : WAIT_NOW, err);
    if (more < 0)
        return -1;
    if (!has_answer(run))
        let_go(run);
    return has_answer(run);
}

static int observer_next(struct source *source, struct event *event,
                         struct err *err)
{
    struct run *run = (struct run *)source;

    while (!has_answer(run))
        if (advance(run, has_guests(run) ? WAIT_SHORTLY : WAIT_FOREVER, err) <
            0)
            return -1;
    if (run->queue_count == 0)
        return 0;
    event_free(run->current);
    run->current = run->queue[run->queue_first++];
    run->queue_count--;
    *event = *run->current;
    return 1;
}

static void end_program(struct run *run)
{
    struct err ignored;

    observe_end(&run->source);
    while (!run->ended &&
           read_stop(run, is_over(run) ? WAIT_SHORTLY : WAIT_FOREVER,
                     &ignored) > 0)
        continue;
}

static void observer_free(struct source *source)
{
    struct run *run = (struct run *)source;

    if (!run->ended)
        end_program(run);
    while (run->thread_count > 0)
        thread_remove(run->threads[0]);
    while (run->queue_count > 0) {
        event_free(run->queue[run->queue_first++]);
        run->queue_count--;
    }
    event_free(run->current);
    free(run->queue);
    free(run->threads);
    lines_free(run->lines);
    free(run);
}

struct source *observe_new(const struct launch *what,
                           const struct observe_budget *budget, struct err *err)
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
    run->budget = *budget;
    run->root = tracee.pid;
    run->has_strangers = has_strangers;
    run->lines = lines_new(tracee.pid);
    thread = thread_add(run, &tracee);
    thread_move(thread, space_new(true));
    loaded(thread);
    return &run->source;
}

void observe_provide(struct source *source, const char *name, struct bytes text)
{
    lines_provide(((struct run *)source)->lines, name, text);
}

void observe_pause(struct source *source)
{
    struct run *run = (struct run *)source;

    for (size_t i = 0; i < run->thread_count; i++) {
        const struct thread *thread = run->threads[i];

        if (!thread->due && proc_runs(thread->tracee.tid))
            tracee_interrupt(&thread->tracee);
    }
}

void observe_end(struct source *source)
{
    struct run *run = (struct run *)source;
    const struct thread *root = thread_find(run, run->root);

    if (run->ended || run->ending)
        return;
    run->ending = true;
    if (root)
        report_limit(root, "quit", 0,
                     "jittrace ended the program here: the reader quit");
    for (size_t i = 0; i < run->thread_count; i++) {
        run->threads[i]->due = false;
        kill(run->threads[i]->tracee.tid, SIGKILL);
    }
}

pid_t observe_pid(const struct source *source)
{
    return ((const struct run *)source)->root;
}
