/* SPDX-License-Identifier: MIT */
/*
 * A guard is the difference between the protection that the program asked for
 * and the one its pages have:
 *
 *      region->prot          what the program asked for
 *      region->guard.wanted  permissions whose use is to be seen
 *      region->guard.taken   permissions held back at this moment
 *
 * taken is always a part of prot and of wanted.
 *
 * Stores are watched only while the program has one thread. To let one thread
 * store, the page is opened for all of them; a system call of another one could
 * fail at the guard; and a thread that blocks SIGSEGV would lose its mask.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "observe/state.h"

unsigned guard_prot(const struct region *region, unsigned taken)
{
    unsigned prot = region->prot & ~taken;

    /* On this CPU a page that may be written or executed may be read (Intel
     * SDM vol. 3, 4.6.1); without that a guard would show. */
    return region->prot ? prot | PROT_READ : prot;
}

int guard_set(struct observer *observer, struct thread *thread,
              struct region *region, unsigned taken)
{
    int result;

    if (region->guard.taken == taken)
        return 0;
    result = tracee_mprotect(&thread->tracee, region->addr, region->length,
                             taken ? guard_prot(region, taken) : region->prot);
    thread->space->counted = false;
    if (result == 0) {
        region->guard.taken = taken;
        return 0;
    }
    if (result < 0) {
        region->guard.wanted = 0;
        observer_limit(
            observer, thread, "mprotect", region->addr,
            "the system refuses to change the protection of the "
            "region at 0x%" PRIx64
            " (%s), so it is not watched any more; a sandbox, SELinux or "
            "MemoryDenyWriteExecute= can be the cause: run the "
            "program outside of it",
            region->addr, strerror(-result));
    }
    return -1;
}

int guard_arm(struct observer *observer, struct thread *thread,
              struct region *region)
{
    return guard_set(observer, thread, region,
                     region->guard.wanted & region->prot);
}

bool guard_watches_stores(struct space *space)
{
    const struct regions *regions = &space->regions;

    if (space->counted)
        return space->watches_stores;
    space->counted = true;
    space->watches_stores = false;
    for (size_t i = 0; i < regions->count && !space->watches_stores; i++)
        space->watches_stores = regions->list[i].guard.taken & PROT_WRITE;
    return space->watches_stores;
}

int guard_drop(struct observer *observer, struct thread *thread,
               struct region *region, unsigned prot)
{
    region->guard.wanted &= ~prot;
    return guard_set(observer, thread, region,
                     region->guard.taken & region->guard.wanted);
}

void guard_drop_stores(struct observer *observer, struct thread *thread,
                       const char *budget, const char *why)
{
    struct regions *regions = &thread->space->regions;

    thread->space->stores_off = true;
    observer_limit(observer, thread, budget, 0, "%s", why);
    for (size_t i = 0; i < regions->count; i++)
        guard_drop(observer, thread, &regions->list[i], PROT_WRITE);
}

void guard_drop_all(struct observer *observer, struct thread *thread)
{
    struct regions *regions = &thread->space->regions;

    thread->space->frozen = true;
    observer_limit(observer, thread, "frozen", 0,
                   "the program restricts its own system calls; from here on "
                   "protections could not be given back, so nothing is "
                   "watched any more");
    for (size_t i = 0; i < regions->count; i++)
        guard_drop(observer, thread, &regions->list[i], PROT_WRITE | PROT_EXEC);
}

void guard_drop_stack(struct observer *observer, struct thread *thread,
                      uint64_t addr, uint64_t length)
{
    struct region *region = regions_from(&thread->space->regions, addr);

    if (!region || region->addr >= addr + length ||
        !(region->guard.wanted & PROT_WRITE))
        return;
    observer_limit(observer, thread, "stack", region->addr,
                   "the region at 0x%" PRIx64
                   " is a stack on which the kernel calls signal handlers; "
                   "stores into it are not watched",
                   region->addr);
    guard_drop(observer, thread, region, PROT_WRITE);
}
