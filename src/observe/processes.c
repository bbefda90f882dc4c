/* SPDX-License-Identifier: MIT */
#include "observe/processes.h"

#include <elf.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "observe/actions.h"
#include "observe/guard.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"

/* --- children ------------------------------------------------------------- */

void child_unwatched(const struct thread *child, const char *how)
{
    thread_limit(child, how, 0,
                 "process %d, a child, is not watched: it runs on its own",
                 (int)child->tracee.tid);
}

/* A forked child has a copy of the memory, and so of the guards. */
static void free_copy(struct thread *child, const struct space *parent)
{
    child_unwatched(child, "fork");
    for_each_region (region, parent) {
        /* Guarded or not by now: another thread may have entered, or spent the
         * last of a budget, since the copy was made. */
        if (region->guard.taken ||
            (!parent->frozen && ((region->prot & PROT_EXEC) ||
                                 region->guard.writes == WRITE_GUARD_MPROTECT)))
            tracee_mprotect(&child->tracee, region->addr, region->length,
                            region->prot, false);
    }
    actions_restore_copy(parent, child);
}

/* A child that a constructor has made comes to the entry point, too. */
static void await_entry(const struct space *parent, struct thread *child)
{
    child->space->entry = parent->entry;
    if (parent->entry.awaited)
        actions_copy(parent, child);
}

/* What the call that the parent is in asks for (clone(2)). */
static uint64_t clone_flags(const struct thread *parent)
{
    const struct call *call = &parent->call;
    uint64_t flags = 0;

    switch (call->number) {
    case SYS_clone:
        return call->args[0];
    case SYS_clone3:
        proc_read(parent->tracee.tid, call->args[0], &flags, sizeof flags);
        return flags;
    case SYS_vfork:
        return CLONE_VM | CLONE_VFORK;
    default:
        return 0;
    }
}

/* Where the kernel writes by itself for a thread that a call makes: the top of
 * its stack (signal frames), its thread area (rseq(2)), and its ID (clone(2)). */
void child_unguard(struct thread *parent)
{
    const struct call *call = &parent->call;
    struct clone_args args = {0};
    uint64_t places[4];

    if (call->number == SYS_clone) {
        places[0] = call->args[1] - 1;
        memcpy(&places[1], &call->args[2], 3 * sizeof *places);
    } else if (call->number == SYS_clone3) {
        proc_read(parent->tracee.tid, call->args[0], &args,
                  CLONE_ARGS_SIZE_VER0);
        places[0] = args.stack + args.stack_size - 1;
        places[1] = args.parent_tid;
        places[2] = args.child_tid;
        places[3] = args.tls;
    } else {
        return;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct region *region =
            regions_at(&parent->space->regions, places[i]);

        if (!region || !(region->guard.wanted & PROT_WRITE))
            continue;
        if (!thread_undo_call(parent))
            return;
        guard_drop_stack(parent, places[i], 1);
    }
}

enum go child_made(struct thread *thread, const struct stop *stop)
{
    struct thread *child = thread_find(thread->run, stop->child);
    struct tracee tracee = {.tid = stop->child, .pid = stop->child};
    uint64_t flags = clone_flags(thread);
    bool is_copy = !(flags & CLONE_VM);
    struct stop first;

    if (!child && tracee_wait(&tracee, &first) == 0)
        child = thread_add(thread->run, &tracee);
    if (!child)
        return GO_RUN;
    if (flags & CLONE_THREAD)
        child->tracee.pid = thread->tracee.pid;
    child->tracee.syscall_insn = thread->tracee.syscall_insn;
    child->blocks_fault = thread->blocks_fault;
    thread_move(child, is_copy ? space_new(false) : thread->space);
    if (is_copy)
        await_entry(thread->space, child);
    if (is_copy && thread->space->watched)
        free_copy(child, thread->space);
    child->go = GO_RUN;
    return GO_RUN;
}

void child_adopt_orphan(struct thread *child, const struct space *parent)
{
    if (child->space || thread_find(child->run, proc_parent(child->tracee.tid)))
        return;
    tracee_find_syscall(&child->tracee);
    thread_move(child, space_new(false));
    if (parent) {
        await_entry(parent, child);
        free_copy(child, parent);
    } else { /* it may be one that a constructor has made */
        child->space->entry = (struct entry){
            .addr = proc_auxv(child->tracee.pid, AT_ENTRY), .awaited = true};
    }
    child->go = GO_RUN;
}

/* --- who writes to the memory of another one ------------------------------ */

/* The process to whose memory the present call may write, or 0. */
static pid_t written_process(const struct thread *thread)
{
    static const char proc[] = "/proc/", memory[] = "/mem";
    const struct call *call = &thread->call;
    struct buf path = {0};
    const char *text;
    size_t len;
    pid_t pid = 0;

    if (call_kind(call) == CALL_POKE)
        return (pid_t)call->args[0];
    if (call_kind(call) != CALL_OPEN)
        return 0;
    proc_read_text(thread->tracee.tid, call_opened_path(call), &path);
    text = buf_text(&path);
    len = strlen(text);
    if (strncmp(text, proc, sizeof proc - 1) == 0 && len >= sizeof memory &&
        strcmp(text + len - (sizeof memory - 1), memory) == 0)
        pid = (pid_t)strtol(text + sizeof proc - 1, NULL, 10);
    buf_release(&path);
    return pid;
}

/*
 * A thread of that process that stands still or can be stopped, for it takes a
 * call of its own to give back what mprotect holds back; else any; or NULL.
 */
static struct thread *spokesman(const struct run *run, pid_t pid,
                                const struct space *space)
{
    struct thread *found = NULL;

    for_each_thread (thread, run) {
        if (thread->tracee.pid != pid || thread->space == space ||
            !thread->space || !thread->space->watched)
            continue;
        if (!thread->running)
            return thread;
        if (!found || thread->mode != MODE_CALL)
            found = thread;
    }
    return found;
}

/* How often the CPU is given away for a call to end that another process is in;
 * one that sleeps there is left alone. */
#define YIELDS 100

/* How often the call that writes is undone, to wait for the other process: one
 * in vfork(2) may wait for the one who writes. */
#define MAX_UNDONE 1000

/* Whether it stands still now: not if it sleeps. */
static bool stop(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    bool in_call = thread->mode == MODE_CALL;

    for (int i = 0; i < YIELDS && in_call && proc_runs(tracee->tid) &&
                    !tracee_has_stopped(tracee);
         i++)
        sched_yield();
    if (!tracee_has_stopped(tracee) && (in_call || !proc_runs(tracee->tid)))
        return false;
    thread_stop(thread);
    return thread->has_stop;
}

/* Whether it is in a call of its own that will be over without the one who
 * writes: it is at work, or stands where the kernel has yet to say what it
 * returns. */
static bool is_amid_call(const struct thread *thread)
{
    if (thread->running) /* it may have stopped since it was looked at */
        return !proc_sleeps(thread->tracee.tid) ||
               tracee_has_stopped(&thread->tracee);
    if (tracee_enters_call(&thread->tracee))
        return false;
    if (!thread->has_stop)
        return thread->mode == MODE_CALL;
    switch (thread->stop.kind) {
    case STOP_FORK:
    case STOP_VFORK:
    case STOP_CLONE:
    case STOP_EXEC:
        return true;
    default:
        return false;
    }
}

/* A call of its own that it stands in front of, known or not, would be lost by
 * one of ours. It begins again. */
static bool undo_call(struct thread *thread)
{
    if (!tracee_enters_call(&thread->tracee))
        return true;
    if (tracee_rewind(&thread->tracee) < 0)
        return false;
    if (thread->mode == MODE_CALL)
        thread->mode = MODE_CODE;
    thread->waits_for_call = thread->has_stop = false;
    if (!thread->due)
        thread->go = GO_RUN;
    return true;
}

bool foreign_before(struct thread *thread)
{
    pid_t pid = written_process(thread);
    struct thread *other =
        pid > 0 ? spokesman(thread->run, pid, thread->space) : NULL;
    bool stands;

    if (!other || other->space->stores_off)
        return true;
    stands = !other->running || stop(other);
    if (is_amid_call(other) && thread->undone < MAX_UNDONE) {
        thread->undone++;
        return tracee_rewind(&thread->tracee) < 0;
    }
    thread->undone = 0;
    stands = stands && !is_amid_call(other) && undo_call(other);
    /* A userfaultfd gives its pages back without it. */
    if (!stands && other->space->uffd < 0)
        return true;
    guard_drop_stores(other, "writer",
                      "another process writes to the program's memory; from "
                      "here on stores are not watched, code is read when it is "
                      "executed");
    return true;
}
