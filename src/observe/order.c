/* SPDX-License-Identifier: MIT */
/*
 * In which order calls of several threads took effect. The kernel tells of a
 * call when it is over, and of two in any order. One may take memory away, and
 * the other get new memory at the same place:
 *
 *     thread 1            thread 2            what is told
 *     munmap(A)
 *                         mmap() = A          2: A is there, and is guarded
 *                                             1: A is gone, and its guard is
 *                                                forgotten, but not lifted
 *
 * So calls that change mappings begin one at a time: each stops at its entry,
 * and waits there until the end of the one before is read. The kernel does not
 * do two at once either (mmap_lock). And while one is under way no guard is
 * set where it may be at work, and whoever faults there repeats the access
 * behind it.
 *
 * A program that handles faults itself (userfaultfd(2)) may have to make such a
 * call for another one to end, so there they do not wait.
 */
#include <sys/mman.h>

#include "observe/state.h"

static bool changes_mappings(const struct call *call)
{
    enum call_kind kind = call_kind(call);

    return kind >= CALL_MMAP && kind <= CALL_EMPTY;
}

/* Whether the thread is in such a call, of this space. */
static bool is_changing(const struct thread *thread, const struct space *space)
{
    return thread->space == space && !space->own_uffd && thread->in_call &&
           changes_mappings(&thread->call);
}

bool order_must_wait(const struct thread *thread)
{
    if (!changes_mappings(&thread->call))
        return false;
    for (size_t i = 0; i < thread->run->thread_count; i++)
        if (thread->run->threads[i] != thread &&
            is_changing(thread->run->threads[i], thread->space))
            return true;
    return false;
}

/* Whether [addr, addr + length) and the pages of a call have one in common. */
static bool meets(uint64_t addr, uint64_t length, uint64_t from, uint64_t size)
{
    return addr - from < size || from - addr < length;
}

/* Only ranges that may hold something: where the kernel looks for a free one
 * itself, nothing is known of it. */
static bool is_about(const struct call *call, uint64_t addr, uint64_t length)
{
    const uint64_t *args = call->args;

    switch (call_kind(call)) {
    case CALL_MMAP:
        return (args[3] & MAP_FIXED) && meets(addr, length, args[0], args[1]);
    case CALL_MREMAP:
        return meets(addr, length, args[0], args[1]) ||
               ((args[3] & MREMAP_FIXED) &&
                meets(addr, length, args[4], args[2]));
    case CALL_PROTECT:
        if (args[2] & PROT_GROWSDOWN)
            return true;
        return meets(addr, length, args[0], args[1]);
    case CALL_MUNMAP:
    case CALL_EMPTY:
        return meets(addr, length, args[0], args[1]);
    default: /* brk, shmat and shmdt do not say where they end */
        return false;
    }
}

bool order_in_doubt(const struct run *run, const struct space *space,
                    uint64_t addr, uint64_t length)
{
    for (size_t i = 0; i < run->thread_count; i++) {
        const struct thread *thread = run->threads[i];

        if (is_changing(thread, space) && is_about(&thread->call, addr, length))
            return true;
    }
    return false;
}

struct thread *order_next(struct run *run)
{
    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];

        if (thread->queued && !order_must_wait(thread))
            return thread;
    }
    return NULL;
}
