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

/* --- events -------------------------------------------------------------- */

void observer_emit(struct observer *observer, struct event *event)
{
    event->seq = observer->seq++;
    if (event->source.file && event->source.text)
        lines_excerpt(observer->lines, &event->source);
    observer->queue =
        mem_grow(observer->queue, observer->queue_first + observer->queue_count,
                 &observer->queue_capacity, sizeof *observer->queue);
    observer->queue[observer->queue_first + observer->queue_count++] =
        event_copy(event);
}

void observer_limit(struct observer *observer, const struct thread *thread,
                    const char *budget, uint64_t addr, const char *format, ...)
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
    observer_emit(observer, &event);
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
static void let_go(struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++) {
        struct thread *thread = observer->threads[i];

        if (!thread->due || store_must_wait(observer, thread))
            continue;
        /* A guard may have been armed after it was told to go on. */
        if (thread->due_how == RESUME_RUN && guard_needs_calls(thread->space))
            thread->due_how = RESUME_CALL;
        observer_go(thread, thread->due_how, thread->due_signal);
        thread->running = true;
        thread->due = false;
    }
}

void observer_run(struct observer *observer, struct thread *thread)
{
    enum resume how = RESUME_RUN;

    if (!thread->in_call && thread->tracee.held_count > 1)
        tracee_give_back(&thread->tracee);
    if (!thread->in_call && thread->space->watched) {
        if (thread->space->left_open)
            code_close(observer, thread);
        actions_restore_trap(thread);
    }
    if (thread->in_call || thread->lifted || guard_needs_calls(thread->space))
        how = RESUME_CALL;
    observer_let(thread, how, signal_take(observer, thread, false));
}

void observer_resume(struct observer *observer, struct thread *thread)
{
    if (thread->storing)
        observer_step(thread);
    else if (thread->inside)
        code_step(observer, thread);
    else
        observer_run(observer, thread);
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

void observer_unpin(struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        tracee_unpin(&observer->threads[i]->tracee);
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

static void emit_start(struct observer *observer, struct thread *thread)
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
    observer->started = true;
    observer_emit(observer, &event);
    free(argv);
    buf_release(&text);
    buf_release(&list);
}

/* What is not to be watched from the start is said at the start. */
static void tell_empty_budgets(struct observer *observer,
                               const struct thread *thread)
{
    for (enum budget i = 0; i < BUDGETS; i++)
        if (*budget_value(&observer->budget, i) == 0)
            observer_limit(observer, thread, budget_word(i), 0,
                           "--max-%s=0 allows no %s", budget_word(i),
                           budget_help(i));
}

/* The program stands at its entry point. */
static void begin(struct observer *observer, struct thread *thread)
{
    tell_empty_budgets(observer, thread);
    thread->space->started = true;
    if (!thread->tracee.syscall_insn) {
        observer_limit(observer, thread, "vdso", 0,
                       "the process has no vdso to make system calls from, so "
                       "no page can be guarded");
        thread->space->watched = false;
    } else {
        thread->space->uffd = uffd_open(&thread->tracee);
        mappings_begin(observer, thread);
    }
    observer_run(observer, thread);
}

/* A program was loaded and nothing of it has run. */
static void loaded(struct observer *observer, struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    struct space *space = thread->space;

    tracee_find_syscall(tracee);
    actions_inherited(observer, thread);
    thread->blocks_fault = tracee_blocks(tracee, SIGSEGV);
    names_begin(thread);
    if (tracee_fetch(tracee) < 0)
        return;
    if (!tracee_is_64bit(tracee)) { /* not the first one: see launch() */
        observer_limit(observer, thread, "32-bit", 0,
                       "process %d runs a program for 32-bit x86 now, which is "
                       "not watched",
                       (int)tracee->pid);
        space->watched = false;
        observer_run(observer, thread);
        return;
    }
    if (entry_await(tracee, &space->entry) < 0) { /* not the first one */
        observer_limit(observer, thread, "entry", 0,
                       "the entry point of the program that process %d runs "
                       "now cannot be found, so it is not watched",
                       (int)tracee->pid);
        space->watched = false;
    }
    if (!observer->started)
        emit_start(observer, thread);
    if (space->watched && !space->entry.awaited) { /* linked statically */
        begin(observer, thread);
        return;
    }
    observer_let(thread, RESUME_RUN, 0);
}

/* The thread that does it ends all others and takes the ID of the first. */
static void take_first_place(struct observer *observer, struct thread *first,
                             struct thread *thread)
{
    pid_t tid = first->tracee.tid;

    tracee_release(&first->tracee);
    first->tracee = thread->tracee;
    first->tracee.tid = tid;
    thread->tracee.held = NULL;
    thread_remove(observer, thread);
}

static void on_exec(struct observer *observer, struct thread *thread,
                    const struct stop *stop)
{
    bool watched = thread->tracee.tid == observer->root;
    struct thread *former = thread_find(observer, stop->child);

    if (former && former != thread)
        take_first_place(observer, thread, former);
    if (watched && thread->space->started) {
        lines_free(observer->lines);
        observer->lines = lines_new(observer->root);
        mappings_forget(observer, thread);
    }
    if (!watched && thread->space && thread->space->watched)
        child_unwatched(observer, thread, "exec");
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
        loaded(observer, thread);
    else if (!watched)
        observer_run(observer, thread);
}

/* --- signals ------------------------------------------------------------- */

/*
 * The jump to the entry point, also by a child that a constructor has made. The
 * fault was forced upon the thread: what that has undone is put back.
 */
static void on_entry(struct observer *observer, struct thread *thread)
{
    struct space *space = thread->space;

    entry_arrive(&thread->tracee, &space->entry);
    actions_forced(observer, thread, SIGSEGV);
    if (thread->blocks_fault)
        tracee_block(&thread->tracee, SIGSEGV, true);
    if (space->watched) {
        begin(observer, thread);
    } else {
        space->actions_of = 0; /* nothing more is forced upon it */
        observer_run(observer, thread);
    }
}

static void on_signal(struct observer *observer, struct thread *thread)
{
    siginfo_t info;

    if (tracee_siginfo(&thread->tracee, &info) < 0 ||
        tracee_fetch(&thread->tracee) < 0)
        return;
    if (entry_is_fault(&thread->space->entry, &thread->tracee, &info))
        on_entry(observer, thread);
    else
        signal_stopped(observer, thread, &info);
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
static void lose_vdso(struct observer *observer, struct thread *thread)
{
    struct space *space = thread->space;

    if (!space->frozen)
        guard_drop_all(observer, thread, "vdso",
                       "the program takes the vdso away, of which jittrace "
                       "makes its own system calls; from here on nothing is "
                       "watched any more");
    for (size_t i = 0; i < observer->thread_count; i++)
        if (observer->threads[i]->space == space)
            observer->threads[i]->tracee.syscall_insn = 0;
}

static void on_call_entry(struct observer *observer, struct thread *thread)
{
    if (thread->in_call) { /* the filter's stop, behind the entry's */
        observer_run(observer, thread);
        return;
    }
    if (takes_vdso(&thread->call, thread->tracee.syscall_insn) &&
        tracee_rewind(&thread->tracee) == 0) {
        lose_vdso(observer, thread);
        observer_run(observer, thread);
        return;
    }
    if (order_must_wait(observer, thread)) {
        thread->queued = true;
        return;
    }
    thread->in_call = true;
    syscall_before(observer, thread);
}

/* Calls that have waited for the one that has just ended. */
static void begin_queued(struct observer *observer)
{
    struct thread *thread;

    while ((thread = order_next(observer)) != NULL) {
        thread->queued = false;
        on_call_entry(observer, thread);
    }
}

/* A call stopped at, which would not have been if no store were watched. */
static void pay_for_call(struct observer *observer, struct thread *thread)
{
    if (thread->inside || call_kind(&thread->call) != CALL_OTHER ||
        budget_pay_system_call(&observer->budget, &observer->spent) !=
            BUDGET_system_calls)
        return;
    guard_drop_stores(observer, thread, budget_word(BUDGET_system_calls),
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

static void on_call(struct observer *observer, struct thread *thread)
{
    struct call call;

    if (tracee_call(&thread->tracee, &call) < 0)
        return;
    if (call.denied) {
        tracee_deny(&thread->tracee);
        observer_run(observer, thread);
        return;
    }
    if (call.entering && !thread->in_call) {
        thread->call = call;
        actions_set(thread);
        foreign_before(observer, thread);
    }
    if (!thread->space->watched || !thread->space->started ||
        is_over_at_entry(thread, &call)) {
        if (call.entering && call_kind(&call) == CALL_CPUS)
            observer_unpin(observer);
        observer_run(observer, thread);
    } else if (call.entering) {
        on_call_entry(observer, thread);
    } else {
        thread->in_call = false;
        thread->call.result = call.result;
        pay_for_call(observer, thread);
        syscall_after(observer, thread);
    }
}

/* --- the end ------------------------------------------------------------- */

static void on_gone(struct observer *observer, struct thread *thread,
                    const struct stop *stop)
{
    struct space *space = thread->space;

    if (stop->tid == observer->root && space)
        names_tell_all(observer, thread);
    if (stop->tid == observer->root && space && space->entry.awaited &&
        !observer->ending)
        observer_limit(observer, thread, "entry", 0,
                       "the program ended before it came to its entry point: "
                       "in the dynamic loader, or in what a library does when "
                       "it is loaded; nothing of that is watched");
    if (stop->tid == observer->root) {
        bool exited = stop->kind == STOP_EXITED;

        observer->status =
            (struct opt_u64){exited, exited ? (uint64_t)stop->status : 0};
        observer->signal =
            (struct opt_u64){!exited, exited ? 0 : (uint64_t)stop->signal};
    }
    if (space && thread->inside)
        space->left_open = true;
    if (space)
        space->users++; /* its guards are in the memory of its orphans */
    thread_remove(observer, thread);
    if (!space)
        return;
    store_let_others(observer, space);
    if (!observer->ending)
        child_free_orphans(observer, space);
    space_leave(space);
}

static void emit_exit(struct observer *observer)
{
    struct event event = {.kind = EVENT_EXIT, .tid = observer->root};

    event.exit.status = observer->status;
    event.exit.signal = observer->signal;
    observer->ended = true;
    observer_emit(observer, &event);
}

/*
 * The program stays stopped. If the terminal has stopped it (Ctrl-Z), the shell
 * waits for us to stop as well; SIGCONT later goes to both.
 */
static void on_group_stop(const struct observer *observer,
                          struct thread *thread, const struct stop *stop)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL}, ours;

    tracee_resume(&thread->tracee, RESUME_LISTEN, 0);
    if (stop->tid != observer->root || !thread->from_terminal)
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

static bool has_guests(const struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (is_guest(observer->threads[i]))
            return true;
    return false;
}

/* Whether somebody on our CPU waits for us to leave it. */
static bool has_neighbours(const struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (observer->threads[i]->tracee.pinned)
            return true;
    return false;
}

static void send_guests_home(struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (is_guest(observer->threads[i]))
            tracee_unpin(&observer->threads[i]->tracee);
}

static bool is_end(const struct stop *stop)
{
    return stop->kind == STOP_EXITED || stop->kind == STOP_KILLED;
}

static void handle(struct observer *observer, const struct stop *stop)
{
    struct thread *thread = thread_find(observer, stop->tid);

    /* Also one that was made just now, and is known by its stop only. */
    if (observer->ending && !is_end(stop)) {
        kill(stop->tid, SIGKILL);
        return;
    }
    if (!thread) {
        struct tracee tracee = {.tid = stop->tid, .pid = stop->tid};

        /* Its parent's stop lets it go on, if there still is a parent. */
        if (!is_end(stop))
            child_free_orphan(observer, thread_add(observer, &tracee), NULL);
        return;
    }
    thread->due = thread->running = thread->queued = false;
    thread->stops++;
    switch (stop->kind) {
    case STOP_EXITED:
    case STOP_KILLED:
        on_gone(observer, thread, stop);
        break;
    case STOP_SIGNAL:
        on_signal(observer, thread);
        break;
    case STOP_CALL:
    case STOP_FILTER:
        on_call(observer, thread);
        break;
    case STOP_EXEC:
        on_exec(observer, thread, stop);
        break;
    case STOP_CLONE:
    case STOP_VFORK:
    case STOP_FORK:
        child_made(observer, thread, stop);
        break;
    case STOP_GROUP:
        on_group_stop(observer, thread, stop);
        break;
    case STOP_STARTED:
    case STOP_OTHER:
    case STOP_NONE:
        observer_resume(observer, thread);
        break;
    }
}

/* Whether the reader can be answered without letting the program go on. */
static bool has_answer(const struct observer *observer)
{
    return observer->queue_count > 0 || observer->ended;
}

/* A stop that was taken early, of a thread that was in the way of a store. */
static bool take_stop(struct observer *observer, struct stop *stop)
{
    for (size_t i = 0; i < observer->thread_count; i++) {
        struct thread *thread = observer->threads[i];

        if (!thread->has_stop || store_must_wait(observer, thread))
            continue;
        thread->has_stop = false;
        *stop = thread->stop;
        return true;
    }
    return false;
}

/* Reads a stop. Returns 1, 0 when none came in time, or -1. */
static int read_stop(struct observer *observer, enum patience patience,
                     struct err *err)
{
    struct stop stop;
    int more = 1;

    if (!take_stop(observer, &stop))
        more = wait_stop(&stop, patience, err);
    if (more < 0)
        return -1;
    if (more > 0 && stop.kind == STOP_NONE)
        return 0;
    if (more > 0) {
        handle(observer, &stop);
        begin_queued(observer);
    } else {
        emit_exit(observer);
    }
    return 1;
}

/*
 * Whether all threads have ended that are known. There may be one that nobody
 * has told of; in general it is waited for as long as there are any children.
 */
static bool is_over(const struct observer *observer)
{
    return observer->thread_count == 0 && observer->has_strangers;
}

/*
 * Gets on to the next stop. What other threads did meanwhile is read before any
 * goes on: the kernel tells of the oldest thread first, and one that stops all
 * the time would outrun the rest. Returns 1, 0 when no stop came in time, or
 * -1.
 */
static int advance(struct observer *observer, enum patience patience,
                   struct err *err)
{
    int more = 0;

    observer->queue_first = 0;
    if (observer->thread_count > 1)
        more = read_stop(observer, WAIT_NOW, err);
    if (more != 0)
        return more;
    let_go(observer);
    more =
        read_stop(observer, is_over(observer) ? WAIT_SHORTLY : patience, err);
    if (more == 0 && is_over(observer)) {
        emit_exit(observer);
        return 1;
    }
    if (more == 0)
        send_guests_home(observer);
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
    struct observer *observer = (struct observer *)source;
    int more = 1;

    for (int i = 0; i < READY_STOPS && more > 0 && !has_answer(observer); i++)
        more = advance(observer,
                       has_neighbours(observer) ? WAIT_SHORTLY : WAIT_NOW, err);
    if (more < 0)
        return -1;
    if (!has_answer(observer))
        let_go(observer);
    return has_answer(observer);
}

static int observer_next(struct source *source, struct event *event,
                         struct err *err)
{
    struct observer *observer = (struct observer *)source;

    while (!has_answer(observer))
        if (advance(observer,
                    has_guests(observer) ? WAIT_SHORTLY : WAIT_FOREVER,
                    err) < 0)
            return -1;
    if (observer->queue_count == 0)
        return 0;
    event_free(observer->current);
    observer->current = observer->queue[observer->queue_first++];
    observer->queue_count--;
    *event = *observer->current;
    return 1;
}

static void end_program(struct observer *observer)
{
    struct err ignored;

    observe_end(&observer->source);
    while (!observer->ended &&
           read_stop(observer, is_over(observer) ? WAIT_SHORTLY : WAIT_FOREVER,
                     &ignored) > 0)
        continue;
}

static void observer_free(struct source *source)
{
    struct observer *observer = (struct observer *)source;

    if (!observer->ended)
        end_program(observer);
    while (observer->thread_count > 0)
        thread_remove(observer, observer->threads[0]);
    while (observer->queue_count > 0) {
        event_free(observer->queue[observer->queue_first++]);
        observer->queue_count--;
    }
    event_free(observer->current);
    free(observer->queue);
    free(observer->threads);
    lines_free(observer->lines);
    free(observer);
}

struct source *observe_new(const struct launch *what,
                           const struct observe_budget *budget, struct err *err)
{
    bool has_strangers = wait_has_children();
    struct observer *observer;
    struct thread *thread;
    struct tracee tracee;

    if (launch(what, &tracee, err) < 0)
        return NULL;
    if (tracee_try(&tracee, err) < 0) {
        tracee_kill(&tracee);
        return NULL;
    }
    observer = mem_alloc(sizeof *observer);
    observer->source.next = observer_next;
    observer->source.ready = observer_ready;
    observer->source.free = observer_free;
    observer->budget = *budget;
    observer->root = tracee.pid;
    observer->has_strangers = has_strangers;
    observer->lines = lines_new(tracee.pid);
    thread = thread_add(observer, &tracee);
    thread_move(thread, space_new(true));
    loaded(observer, thread);
    return &observer->source;
}

void observe_provide(struct source *source, const char *name, struct bytes text)
{
    lines_provide(((struct observer *)source)->lines, name, text);
}

void observe_pause(struct source *source)
{
    struct observer *observer = (struct observer *)source;

    for (size_t i = 0; i < observer->thread_count; i++) {
        const struct thread *thread = observer->threads[i];

        if (!thread->due && proc_runs(thread->tracee.tid))
            tracee_interrupt(&thread->tracee);
    }
}

void observe_end(struct source *source)
{
    struct observer *observer = (struct observer *)source;
    const struct thread *root = thread_find(observer, observer->root);

    if (observer->ended || observer->ending)
        return;
    observer->ending = true;
    if (root)
        observer_limit(observer, root, "quit", 0,
                       "jittrace ended the program here: the reader quit");
    for (size_t i = 0; i < observer->thread_count; i++) {
        observer->threads[i]->due = false;
        kill(observer->threads[i]->tracee.tid, SIGKILL);
    }
}

pid_t observe_pid(const struct source *source)
{
    return ((const struct observer *)source)->root;
}
