/* SPDX-License-Identifier: MIT */
#include "observe/processes.h"

#include <elf.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "observe/asked.h"
#include "observe/candidates.h"
#include "observe/guard.h"
#include "observe/maps.h"
#include "observe/names.h"
#include "observe/signals.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

static void tell_unwatched(const struct thread *child, const char *how)
{
    thread_limit(child, how, 0,
                 "process %d, a child, is not watched: it runs on its own",
                 (int)child->tracee.tid);
}

/* --- where a program begins ----------------------------------------------- */

/* Tells what program it is: the one that was started, or by exec. The kernel has
 * laid out the arguments on the stack (psABI 3.4.1). */
static void tell_program(struct thread *thread, bool is_64bit)
{
    struct event event = {.kind = EVENT_EXEC, .tid = thread->tracee.tid};
    uint64_t stack = tracee_stack(&thread->tracee), count = 0, addr;
    pid_t pid = thread->tracee.pid;
    struct buf text = {0}, places = {0};
    const char **argv;
    char exe[512] = "";

    if (is_64bit)
        proc_read(pid, stack, &count, sizeof count);
    for (uint64_t i = 0; i < count && i < 4096; i++) {
        if (proc_read(pid, stack + 8 * (i + 1), &addr, sizeof addr) !=
            sizeof addr)
            break;
        buf_append(&places, &text.len, sizeof text.len);
        proc_read_text(pid, addr, &text);
    }
    count = places.len / sizeof text.len;
    argv = mem_alloc(count * sizeof *argv);
    for (size_t i = 0; i < count; i++)
        argv[i] = buf_text(&text) + ((const size_t *)(void *)places.data)[i];
    proc_exe(pid, exe, sizeof exe);
    event.exec = (struct event_exec){
        .argv = {argv, count},
        .exe = exe,
        .page_size = proc_auxv(pid, AT_PAGESZ),
        .entry = thread->space->entry.addr,
    };
    if (!thread->run->started)
        event_start_of(&event, pid);
    thread->run->started = true;
    run_tell(thread->run, &event);
    free(argv);
    buf_release(&text);
    buf_release(&places);
}

/* The program stands at its entry point. What is not to be watched from the
 * start is said at the start. */
static enum go begin(struct thread *thread)
{
    struct space *space = thread->space;

    for (enum budget i = 0; i < BUDGETS; i++)
        if (*budget_value(&thread->run->spent.max, i) == 0)
            thread_limit(thread, budget_word(i), 0, "--max-%s=0 allows no %s",
                         budget_word(i), budget_help(i));
    asked_tell(thread);
    space->started = true;
    if (!thread->tracee.syscall_insn) {
        thread_limit(thread, "vdso", 0,
                     "the process has no vdso to make system calls from, so "
                     "no page can be guarded");
        space->watched = false;
    } else {
        space->uffd = uffd_open(&thread->tracee);
        maps_begin(thread);
    }
    return GO_RUN;
}

enum go process_loaded(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    struct space *space = thread->space;

    tracee_find_syscall(tracee);
    signals_inherited(thread);
    thread->blocks_fault = tracee_blocks(tracee, SIGSEGV);
    names_begin(&space->names, tracee->pid, space->watched);
    if (tracee_fetch(tracee) < 0)
        return GO_NOT;
    if (!tracee_is_64bit(tracee)) { /* not the first one: see launch() */
        if (thread->run->choice.follow_forks)
            tell_program(thread, false);
        thread_limit(thread, "32-bit", 0,
                     "process %d runs a program for 32-bit x86 now, which is "
                     "not watched",
                     (int)tracee->pid);
        space->watched = false;
        return GO_RUN;
    }
    if (entry_await(tracee, &space->entry) < 0) { /* not the first one */
        thread_limit(thread, "entry", 0,
                     "the entry point of the program that process %d runs "
                     "now cannot be found, so it is not watched",
                     (int)tracee->pid);
        space->watched = false;
    }
    if (!thread->run->started || thread->run->choice.follow_forks)
        tell_program(thread, true);
    if (space->watched && !space->entry.awaited) /* linked statically */
        return begin(thread);
    return GO_PLAIN;
}

enum go process_exec(struct thread *thread, const struct stop *stop)
{
    struct tracee *tracee = &thread->tracee;
    struct thread *former = thread_find(thread->run, stop->child);
    bool follows = thread->run->choice.follow_forks;
    bool watched = follows || tracee->tid == thread->run->root;

    /* The thread that does it ends all others and takes the ID of the first. */
    if (former && former != thread) {
        pid_t tid = tracee->tid;

        tracee_release(tracee);
        *tracee = former->tracee;
        tracee->tid = tid;
        former->tracee.held = NULL;
        thread_remove(former);
    }
    /* One that shares the memory of its parent leaves it as it is. */
    if (follows && thread->space && thread->space->pid == tracee->tid)
        names_tell_all(thread);
    if (!follows && watched && thread->space->started) {
        const struct regions *regions = &thread->space->regions;

        while (regions->count > 0)
            candidate_forget(thread, regions->list[0].addr,
                             regions->list[0].length, "execve");
    }
    if (!watched && thread->space && thread->space->watched)
        tell_unwatched(thread, "exec");
    thread->mode = MODE_CODE;
    thread->inside = thread->lifted = false;
    thread->waits_for_call = thread->waits_for_store = false;
    thread->run_on = (struct run_on){0};
    thread->awaited_count = 0;
    thread->left_by = NULL;
    thread->stay.decoded_at = 0;
    tracee->pid = tracee->tid;
    thread_move(thread, space_new(tracee->pid, NULL, watched));
    if (!watched)
        return GO_RUN;
    return tracee_finish_exec(tracee) == 0 ? process_loaded(thread) : GO_NOT;
}

/* The fault was forced upon the thread: what that has undone is put back. */
enum go process_entered(struct thread *thread)
{
    struct space *space = thread->space;

    entry_arrive(&thread->tracee, &space->entry);
    signals_forced(thread, SIGSEGV);
    if (thread->blocks_fault)
        tracee_block(&thread->tracee, SIGSEGV, true);
    if (space->watched)
        return begin(thread);
    space->actions_of = 0; /* nothing more is forced upon it */
    return GO_RUN;
}

/* --- children ------------------------------------------------------------- */

/* A forked child has a copy of the memory, and so of the guards. It is made to
 * step for this, which undoes that SIGTRAP is ignored. */
static void free_copy(struct thread *child, const struct space *parent)
{
    const struct signal_action *trap = &parent->actions[ACTION_TRAP];

    for_each_region (region, parent) {
        /* Guarded or not by now: another thread may have entered, or spent the
         * last of a budget, since the copy was made. */
        if (region->guard.taken ||
            (!parent->frozen && ((region->prot & PROT_EXEC) ||
                                 region->guard.writes == WRITE_GUARD_MPROTECT)))
            tracee_mprotect(&child->tracee, region->addr, region->length,
                            region->prot, false);
    }
    if (trap->handler == (uintptr_t)SIG_IGN)
        tracee_set_action(&child->tracee, SIGTRAP, trap);
}

/* A child that a constructor has made comes to the entry point, too, and has
 * set for signals what its parent had. */
static void await_entry(const struct space *parent, struct thread *child)
{
    child->space->entry = parent->entry;
    if (!parent->entry.awaited)
        return;
    memcpy(child->space->actions, parent->actions, sizeof parent->actions);
    child->space->actions_of = child->tracee.pid;
}

/* Of what was being done to the memory that the child has a copy of, it does
 * the same: it is the thread that has forked. */
static void take_after(struct thread *child, const struct thread *parent)
{
    memcpy(child->awaited, parent->awaited, sizeof child->awaited);
    child->awaited_count = parent->awaited_count;
    child->back = parent->back;
    child->called_by = parent->called_by;
    child->left_by = parent->left_by;
    child->left_to = parent->left_to;
}

/* A child that has a copy of the memory goes on: watched as its parent is, or
 * on its own. */
static void begin_copy(struct thread *child, struct space *parent)
{
    pid_t pid = child->tracee.pid;
    struct space *space;

    if (!child->run->choice.follow_forks) {
        thread_move(child, space_new(pid, parent->lines, false));
        await_entry(parent, child);
        child->space->copied = parent->watched || parent->copied;
        if (parent->watched) {
            tell_unwatched(child, "fork");
            free_copy(child, parent);
        }
        return;
    }
    thread_move(child, space_copy(pid, parent));
    space = child->space;
    space->actions_of = pid;
    if (parent->watched)
        free_copy(child, parent);
    if (!space->watched || !space->started)
        return;
    if (parent->uffd >= 0)
        space->uffd = uffd_open(&child->tracee);
    for_each_region (region, space)
        guard_arm(child, region, GUARDS);
}

static void tell_made(struct run *run, pid_t tid, pid_t pid, pid_t child,
                      const char *call, bool copied)
{
    struct event event = {.kind = EVENT_FORK, .tid = tid, .pid = pid};

    event.fork.child = child;
    event.fork.call = call;
    event.fork.memory = copied ? "copied" : "shared";
    if (run->choice.follow_forks)
        run_tell(run, &event);
}

enum go process_made(struct thread *thread, const struct stop *stop)
{
    struct thread *child = thread_find(thread->run, stop->child);
    struct tracee tracee = {.tid = stop->child, .pid = stop->child};
    const struct call *call = &thread->call;
    const char *name = "fork";
    uint64_t flags = 0; /* what the call asks for (clone(2)) */
    struct stop first;

    if (call->number == SYS_clone) {
        flags = call->args[0];
        name = "clone";
    } else if (call->number == SYS_clone3) {
        proc_read(thread->tracee.tid, call->args[0], &flags, sizeof flags);
        name = "clone3";
    } else if (call->number == SYS_vfork) {
        flags = CLONE_VM | CLONE_VFORK;
        name = "vfork";
    }
    if (!child && tracee_wait(&tracee, &first) == 0)
        child = thread_add(thread->run, &tracee);
    if (!child)
        return GO_RUN;
    if (flags & CLONE_THREAD)
        child->tracee.pid = thread->tracee.pid;
    else
        tell_made(thread->run, thread->tracee.tid, thread->space->pid,
                  child->tracee.pid, name, !(flags & CLONE_VM));
    child->tracee.syscall_insn = thread->tracee.syscall_insn;
    child->blocks_fault = thread->blocks_fault;
    if (flags & CLONE_VM) {
        thread_move(child, thread->space);
    } else {
        take_after(child, thread);
        begin_copy(child, thread->space);
    }
    child->go = GO_RUN;
    return GO_RUN;
}

void process_adopt(struct thread *child, struct space *parent)
{
    pid_t pid = child->tracee.pid;

    if (child->space || thread_find(child->run, proc_parent(child->tracee.tid)))
        return;
    tracee_find_syscall(&child->tracee);
    if (parent) {
        tell_made(child->run, parent->pid, parent->pid, pid, "fork", true);
        begin_copy(child, parent);
    } else { /* it may be one that a constructor has made */
        thread_move(child, space_new(pid, NULL, false));
        child->space->entry = (struct entry){
            .addr = proc_auxv(child->tracee.pid, AT_ENTRY), .awaited = true};
    }
    child->go = GO_RUN;
}

/* --- who writes to the memory of another one ------------------------------ */

/* How often the CPU is given away for a call to end that another process is in;
 * one that sleeps there is left alone. */
#define YIELDS 100

/* How often the call that writes is undone, to wait for the other process: one
 * in vfork(2) may wait for the one who writes. */
#define MAX_UNDONE 1000

/* Whether it is in a call of its own that will be over without the writer: it
 * is at work, or stands where the kernel has yet to say what it returns. */
static bool is_amid_call(const struct thread *thread)
{
    if (thread->running) /* it may have stopped since it was looked at */
        return !proc_sleeps(thread->tracee.tid) ||
               tracee_has_stopped(&thread->tracee);
    if (tracee_enters_call(&thread->tracee))
        return false;
    return thread->has_stop ? thread->stop.kind >= STOP_EXEC &&
                                  thread->stop.kind <= STOP_FORK
                            : thread->mode == MODE_CALL;
}

bool process_may_write(struct thread *thread)
{
    const struct call *call = &thread->call;
    enum call_kind kind = call_kind(call);
    struct thread *other = NULL;
    struct buf path = {0};
    const char *text;
    bool stands, in_call;
    pid_t pid = 0; /* the process to whose memory it may write */

    if (kind == CALL_POKE)
        pid = (pid_t)call->args[0];
    if (kind == CALL_OPEN) {
        proc_read_text(thread->tracee.tid,
                       call->args[call->number == SYS_open ? 0 : 1], &path);
        text = buf_text(&path);
        if (strncmp(text, "/proc/", 6) == 0 &&
            word_is(strrchr(text, '/'), "/mem"))
            pid = (pid_t)strtol(text + 6, NULL, 10);
        buf_release(&path);
    }
    /* A thread of it that stands still or can be stopped, for it takes a call
     * of its own to give back what mprotect holds back; else any. */
    for_each_thread (one, thread->run)
        if (pid > 0 && one->tracee.pid == pid && one->space &&
            one->space != thread->space && one->space->watched &&
            (!other ||
             (other->running && (!one->running || one->mode != MODE_CALL))))
            other = one;
    if (!other || other->space->stores_off)
        return true;
    stands = !other->running;
    in_call = other->mode == MODE_CALL;
    for (int i = 0;
         i < YIELDS && !stands && in_call && proc_runs(other->tracee.tid) &&
         !tracee_has_stopped(&other->tracee);
         i++)
        sched_yield();
    if (!stands && (tracee_has_stopped(&other->tracee) ||
                    (!in_call && proc_runs(other->tracee.tid)))) {
        thread_stop(other); /* not if it sleeps */
        stands = other->has_stop;
    }
    if (is_amid_call(other) && thread->undone < MAX_UNDONE) {
        thread->undone++;
        return tracee_rewind(&thread->tracee) < 0;
    }
    thread->undone = 0;
    stands = stands && !is_amid_call(other);
    /* A call of its own that it stands in front of, known or not, would be lost
     * by one of ours. It begins again. */
    if (stands && tracee_enters_call(&other->tracee)) {
        stands = tracee_rewind(&other->tracee) == 0;
        if (stands) {
            other->mode = MODE_CODE;
            other->waits_for_call = other->has_stop = false;
            if (!other->due)
                other->go = GO_RUN;
        }
    }
    /* A userfaultfd gives its pages back without it. */
    if (!stands && other->space->uffd < 0)
        return true;
    guard_drop_all(other, PROT_WRITE, "writer",
                   "another process writes to the program's memory; from "
                   "here on stores are not watched, code is read when it is "
                   "executed");
    return true;
}
