/* SPDX-License-Identifier: MIT */
#include "observe/robust.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "observe/guard.h"
#include "target/proc.h"

/* As many as the kernel follows at most. */
#define MAX_LOCKS ROBUST_LIST_LIMIT

/* Bit 0 of a pointer in the list says of what kind the lock is. */
#define KIND_OF_LOCK UINT64_C(1)

/* Gives up the region that holds the lock. Returns -1 if it cannot be. */
static int unguard(struct thread *thread, uint64_t lock)
{
    struct region *region = regions_at(&thread->space->regions, lock);

    if (!region || !(region->guard.wanted & PROT_WRITE))
        return 0;
    if (!thread_undo_call(thread))
        return -1;
    thread_limit(thread, "robust", region->addr,
                 "the region at 0x%" PRIx64
                 " holds a lock that the kernel opens when its owner dies; "
                 "from here on stores into it are not watched",
                 region->addr);
    return guard_drop(thread, region, PROT_WRITE);
}

/* The locks that `owner` has, by calls that `thread` makes. */
static void unguard_locks(struct thread *thread, pid_t owner)
{
    struct robust_list_head head;
    uint64_t addr = 0, size = 0, entry;

    if (syscall(SYS_get_robust_list, owner, &addr, &size) < 0 ||
        proc_read(owner, addr, &head, sizeof head) != sizeof head)
        return;
    entry = (uint64_t)(uintptr_t)head.list_op_pending & ~KIND_OF_LOCK;
    if (entry && unguard(thread, entry + (uint64_t)head.futex_offset) < 0)
        return;
    entry = (uint64_t)(uintptr_t)head.list.next;
    for (int i = 0; i < MAX_LOCKS; i++) {
        entry &= ~KIND_OF_LOCK;
        if (entry == addr ||
            unguard(thread, entry + (uint64_t)head.futex_offset) < 0 ||
            proc_read(owner, entry, &entry, sizeof entry) != sizeof entry)
            return;
    }
}

/* All threads of the process end, or of all that share its memory: one that
 * does not is watched less than it could be. */
static void unguard_all(struct thread *thread)
{
    for_each_thread (other, thread->run)
        if (other->space == thread->space)
            unguard_locks(thread, other->tracee.tid);
}

void robust_before_call(struct thread *thread)
{
    switch (thread->call.number) {
    case SYS_exit:
        unguard_locks(thread, thread->tracee.tid);
        break;
    case SYS_exit_group:
    case SYS_execve:
    case SYS_execveat:
        unguard_all(thread);
        break;
    default:
        break;
    }
}

/* What the signal does by default is not to end the process (signal(7)). */
static bool is_harmless(int signal)
{
    switch (signal) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return true;
    default:
        return false;
    }
}

void robust_before_signal(struct thread *thread, int signal)
{
    if (guard_watches_stores(thread->space) && !is_harmless(signal) &&
        !proc_catches(thread->tracee.tid, signal))
        unguard_all(thread);
}
