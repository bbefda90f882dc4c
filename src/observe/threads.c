/* SPDX-License-Identifier: MIT */
/*
 * Threads and the address spaces they live in. A new thread shares its parent's
 * space; a forked child has a copy of the memory, guards and all, and gets them
 * taken away; a child of vfork shares the space until it starts a program.
 *
 * A child's first stop and the stop of its parent that tells of it come in any
 * order. Until both have come, the child waits without a space. A parent that
 * is killed in between never tells.
 */
#include <elf.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"

/* --- threads and spaces -------------------------------------------------- */

struct thread *thread_find(struct run *run, pid_t tid)
{
    for (size_t i = 0; i < run->thread_count; i++)
        if (run->threads[i]->tracee.tid == tid)
            return run->threads[i];
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

struct space *space_new(bool watched)
{
    struct space *space = mem_alloc(sizeof *space);

    space->watched = watched;
    space->changes = space->calls = 1;
    space->uffd = -1;
    return space;
}

void space_leave(struct space *space)
{
    if (--space->users > 0)
        return;
    if (space->uffd >= 0)
        close(space->uffd);
    free(space->objects);
    regions_release(&space->regions);
    pages_release(&space->pages);
    names_release(&space->names);
    free(space);
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
    for (size_t i = 0; i < thread->run->thread_count; i++)
        if (thread->run->threads[i] == thread)
            thread->run->threads[i] =
                thread->run->threads[--thread->run->thread_count];
    thread_move(thread, NULL);
    tracee_release(&thread->tracee);
    free(thread);
}

/* --- children ------------------------------------------------------------ */

void child_unwatched(const struct thread *child, const char *how)
{
    report_limit(child, how, 0,
                 "process %d, a child, is not watched: it runs on its own",
                 (int)child->tracee.tid);
}

/* A forked child has a copy of the memory, and so of the guards. */
static void free_copy(struct thread *child, const struct space *parent)
{
    child_unwatched(child, "fork");
    for (size_t i = 0; i < parent->regions.count; i++) {
        const struct region *region = &parent->regions.list[i];

        /* Guarded or not by now: another thread may have entered, or spent the
         * last of a budget, since the copy was made. */
        if (region->guard.taken ||
            (!parent->frozen && ((region->prot & PROT_EXEC) ||
                                 region->guard.writes == WRITE_GUARD_MPROTECT)))
            tracee_mprotect(&child->tracee, region->addr, region->length,
                            region->prot);
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

/*
 * Where the kernel writes by itself for a thread that a call makes: the top of
 * its stack (signal frames), its thread area (rseq(2)), and its ID (clone(2)).
 */
#define KERNEL_PLACES 4

static void kernel_places(const struct thread *parent,
                          uint64_t places[KERNEL_PLACES])
{
    const struct call *call = &parent->call;
    struct clone_args args = {0};

    if (call->number == SYS_clone) {
        places[0] = call->args[1] - 1;
        memcpy(&places[1], &call->args[2], 3 * sizeof *places);
    } else {
        proc_read(parent->tracee.tid, call->args[0], &args,
                  CLONE_ARGS_SIZE_VER0);
        places[0] = args.stack + args.stack_size - 1;
        places[1] = args.parent_tid;
        places[2] = args.child_tid;
        places[3] = args.tls;
    }
}

void child_unguard(struct thread *parent)
{
    uint64_t number = parent->call.number, places[KERNEL_PLACES];
    struct regions *regions = &parent->space->regions;

    if (number != SYS_clone && number != SYS_clone3)
        return;
    kernel_places(parent, places);
    for (size_t i = 0; i < KERNEL_PLACES; i++) {
        const struct region *region = regions_at(regions, places[i]);

        if (!region || !(region->guard.wanted & PROT_WRITE))
            continue;
        if (parent->in_call && tracee_rewind(&parent->tracee) < 0)
            return;
        parent->in_call = false; /* it will begin again */
        guard_drop_stack(parent, places[i], 1);
    }
}

/* The child's first stop and its parent's stop come in any order. */
static void adopt(const struct thread *parent, struct thread *child)
{
    uint64_t flags = clone_flags(parent);
    bool is_copy = !(flags & CLONE_VM), is_thread = flags & CLONE_THREAD;

    child->tracee.pid = is_thread ? parent->tracee.pid : child->tracee.tid;
    child->tracee.syscall_insn = parent->tracee.syscall_insn;
    child->blocks_fault = parent->blocks_fault;
    thread_move(child, is_copy ? space_new(false) : parent->space);
    if (is_copy)
        await_entry(parent->space, child);
    if (is_copy && parent->space->watched)
        free_copy(child, parent->space);
    observer_run(child);
}

/* A child whose parent has told of it, but which has not stopped yet. */
static void wait_for_child(struct run *run, pid_t tid)
{
    struct stop stop;
    struct tracee tracee = {.tid = tid, .pid = tid};

    if (tracee_wait(&tracee, &stop) == 0)
        thread_add(run, &tracee);
}

void child_made(struct thread *thread, const struct stop *stop)
{
    struct thread *child = thread_find(thread->run, stop->child);

    if (!child) {
        wait_for_child(thread->run, stop->child);
        child = thread_find(thread->run, stop->child);
    }
    if (child)
        adopt(thread, child);
    observer_run(thread);
}

/*
 * A new process waits for its parent's stop to tell whose it is. A parent that
 * was killed before tells nothing; its child then runs on its own.
 */
void child_free_orphan(struct thread *child, const struct space *parent)
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
    observer_run(child);
}

void child_free_orphans(struct run *run, const struct space *parent)
{
    for (size_t i = 0; i < run->thread_count; i++)
        child_free_orphan(run->threads[i], parent);
}
