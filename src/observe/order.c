/* SPDX-License-Identifier: MIT */
#include "observe/order.h"

#include <sys/mman.h>

#include "target/calls.h"

static bool changes_mappings(const struct call *call)
{
    enum call_kind kind = call_kind(call);

    return kind >= CALL_MMAP && kind <= CALL_EMPTY;
}

/* Whether the thread is in such a call, of this space. */
static bool is_changing(const struct thread *thread, const struct space *space)
{
    return thread->space == space && !space->own_uffd &&
           thread->mode == MODE_CALL && changes_mappings(&thread->call);
}

bool order_must_wait(const struct thread *thread)
{
    if (!changes_mappings(&thread->call))
        return false;
    for_each_thread (other, thread->run)
        if (other != thread && is_changing(other, thread->space))
            return true;
    return false;
}

struct thread *order_next(const struct run *run)
{
    for_each_thread (thread, run)
        if (thread->waits_for_call && !order_must_wait(thread))
            return thread;
    return NULL;
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
    bool first = meets(addr, length, args[0], args[1]);

    switch (call_kind(call)) {
    case CALL_MMAP:
        return (args[3] & MAP_FIXED) && first;
    case CALL_MREMAP:
        return first || ((args[3] & MREMAP_FIXED) &&
                         meets(addr, length, args[4], args[2]));
    case CALL_PROTECT:
        return (args[2] & PROT_GROWSDOWN) || first;
    case CALL_MUNMAP:
    case CALL_EMPTY:
        return first;
    default: /* brk, shmat and shmdt do not say where they end */
        return false;
    }
}

bool order_in_doubt(const struct thread *thread, uint64_t addr, uint64_t length)
{
    for_each_thread (other, thread->run)
        if (is_changing(other, thread->space) &&
            is_about(&other->call, addr, length))
            return true;
    return false;
}
