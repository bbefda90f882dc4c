/* SPDX-License-Identifier: MIT */
/*
 * Execution is held back by mprotect, made by the tracee. Writes are held back
 * by a userfaultfd, which costs no stop of the tracee, leaves its mappings as
 * they are and can open single pages; where the system has none, or none for
 * that kind of mapping, by mprotect as well.
 *
 * With several threads, one makes its store while the others stand still or
 * are in system calls; what these change in the page that is open for it is
 * found by comparing. And all of them stop at each system call, for one could
 * be under way to a page when it is guarded.
 */
#include "observe/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cpu/regs.h"
#include "target/calls.h"
#include "target/inject.h"

/* --- calls that change mappings ------------------------------------------- */

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

bool guard_call_waits(const struct thread *thread)
{
    if (changes_mappings(&thread->call))
        for_each_thread (other, thread->run)
            if (other != thread && is_changing(other, thread->space))
                return true;
    return false;
}

/* Whether [addr, addr + length) and the pages of a call have one in common.
 * Only pages that may hold something: of those that the kernel looks for
 * itself, nothing is known. */
static bool is_about(const struct call *call, uint64_t addr, uint64_t length)
{
    const uint64_t *args = call->args;
    bool first = addr - args[0] < args[1] || args[0] - addr < length;

    switch (call_kind(call)) {
    case CALL_MMAP:
        return (args[3] & MAP_FIXED) && first;
    case CALL_MREMAP:
        return first || ((args[3] & MREMAP_FIXED) &&
                         (addr - args[4] < args[2] || args[4] - addr < length));
    case CALL_PROTECT:
        return (args[2] & PROT_GROWSDOWN) || first;
    case CALL_MUNMAP:
    case CALL_EMPTY:
        return first;
    default: /* brk, shmat and shmdt do not say where they end */
        return false;
    }
}

bool guard_in_doubt(const struct thread *thread, uint64_t addr, uint64_t length)
{
    for_each_thread (other, thread->run)
        if (is_changing(other, thread->space) &&
            is_about(&other->call, addr, length))
            return true;
    return false;
}

/* --- protections ---------------------------------------------------------- */

unsigned guard_prot(const struct region *region, unsigned taken)
{
    unsigned prot = region->prot & ~taken;

    /* On this CPU a page that may be written or executed may be read (Intel
     * SDM vol. 3, 4.6.1); without that a guard would show. */
    return region->prot ? prot | PROT_READ : prot;
}

/* What mprotect holds back of the region, of these permissions. */
static unsigned by_mprotect(const struct region *region, unsigned taken)
{
    return region->guard.writes == WRITE_GUARD_UFFD ? taken & PROT_EXEC : taken;
}

unsigned guard_shown(const struct region *region)
{
    unsigned taken = by_mprotect(region, region->guard.taken);

    return taken ? guard_prot(region, taken) : region->prot;
}

bool guard_holds(const struct region *region, uint64_t addr, unsigned prot)
{
    const struct region_guard *guard = &region->guard;

    return (guard->taken & prot) &&
           !(prot == PROT_EXEC && guard->window <= addr &&
             addr < guard->window_end);
}

/* Sets the protection of [from, to) to the program's own less `taken`. Returns
 * 0; or -errno, or 1 where no call could be made. */
static int try_range(struct thread *thread, const struct region *region,
                     uint64_t from, uint64_t to, unsigned taken)
{
    return tracee_mprotect(&thread->tracee, from, to - from,
                           taken ? guard_prot(region, taken) : region->prot,
                           thread->space->implies_exec);
}

/* The same. What could not be given back is lost. */
static int set_range(struct thread *thread, struct region *region,
                     uint64_t from, uint64_t to, unsigned taken)
{
    int result = try_range(thread, region, from, to, taken);

    if (result >= 0)
        return result == 0 ? 0 : -1;
    region->guard.wanted = 0;
    region->guard.lost = region->guard.taken & ~taken;
    thread_limit(thread, "mprotect", region->addr,
                 "the system refuses to change the protection of the "
                 "region at 0x%" PRIx64
                 " (%s), so it is not watched any more; %s",
                 region->addr, strerror(-result),
                 result == -ENOMEM
                     ? "the program may have as many mappings as there can "
                       "be: raise that limit: sysctl vm.max_map_count=262144"
                     : "a sandbox, SELinux or MemoryDenyWriteExecute= can be "
                       "the cause: run the program outside of it");
    return -1;
}

/* Whether pages can be given a protection again that a guard by mprotect takes
 * from them: one with execution, or one with writes. Else it would end the
 * program. Tried before the first one. */
static bool may_hold(struct thread *thread, unsigned prot)
{
    struct tracee *tracee = &thread->tracee;
    struct space *space = thread->space;

    if (space->given[prot] != GIVEN_UNTRIED)
        return space->given[prot] == GIVEN_AGAIN;
    space->given[prot] = GIVEN_ONCE;
    /* Where the write guard itself is refused, nothing has to be given back. */
    if (tracee_can_protect_again(tracee, prot) ||
        ((prot & PROT_WRITE) &&
         !tracee_can_protect_again(tracee, prot & ~(unsigned)PROT_WRITE)))
        space->given[prot] = GIVEN_AGAIN;
    else if (prot & PROT_WRITE)
        thread_limit(thread, "write", 0,
                     "the system does not let a page be written to again that "
                     "once could not be (a sandbox, SELinux), so stores are "
                     "not seen; run the program outside of it to see them");
    else
        thread_limit(thread, "execute", 0,
                     "the system does not let a page be executed again that "
                     "once could not be (PR_SET_MDWE, systemd's "
                     "MemoryDenyWriteExecute=, SELinux' execmem), so calls of "
                     "generated code are not seen; start the program without "
                     "that to see them");
    return space->given[prot] == GIVEN_AGAIN;
}

/* Whether writes to the region are held back beside its protection. */
static bool uses_uffd(const struct space *space, struct region *region)
{
    struct region_guard *guard = &region->guard;

    if (guard->writes == WRITE_GUARD_UNTRIED)
        guard->writes =
            space->uffd >= 0 && uffd_register(space->uffd, region->addr,
                                              region->length) == 0
                ? WRITE_GUARD_UFFD
                : WRITE_GUARD_MPROTECT;
    return guard->writes == WRITE_GUARD_UFFD;
}

int guard_set(struct thread *thread, struct region *region, unsigned taken)
{
    struct space *space = thread->space;
    struct region_guard *guard = &region->guard;
    unsigned more = taken & ~guard->taken, change, refused = 0;
    unsigned protected = GUARDS;

    if ((more & PROT_EXEC) && !may_hold(thread, PROT_READ | PROT_EXEC))
        refused |= PROT_EXEC;
    if ((more & PROT_WRITE) && !uses_uffd(space, region) &&
        !may_hold(thread, region->prot))
        refused |= PROT_WRITE;
    guard->wanted &= ~refused;
    taken &= ~refused;
    change = guard->taken ^ taken;
    if (!change || guard_in_doubt(thread, region->addr, region->length))
        return 0;
    space->counted = false;
    space->turns++;
    if ((change | taken) & PROT_WRITE && uses_uffd(space, region)) {
        if (uffd_protect(space->uffd, region->addr, region->length,
                         taken & PROT_WRITE) == 0) {
            guard->taken &= ~(unsigned)PROT_WRITE;
            guard->taken |= taken & PROT_WRITE;
            protected = PROT_EXEC;
        } else { /* the kernel does not do so any more */
            guard->writes = WRITE_GUARD_MPROTECT;
        }
    }
    if (change & protected) {
        if (set_range(thread, region, region->addr,
                      region->addr + region->length, taken & protected) < 0)
            return -1;
        guard->window = guard->window_end = 0;
    }
    guard->taken = taken;
    return 0;
}

int guard_lift(struct thread *thread, struct region *region, unsigned prot)
{
    return guard_set(thread, region, region->guard.taken & ~prot);
}

/* --- the window ----------------------------------------------------------- */

/* The kernel visits each page of a range whose protection changes, so of a
 * large region these are opened: 64 KiB, aligned. */
#define WINDOW 65536

int guard_allow_execution(struct thread *thread, struct region *region,
                          uint64_t addr)
{
    struct region_guard *guard = &region->guard;
    uint64_t from = addr - addr % WINDOW, to = from + WINDOW;

    if (region->length <= WINDOW || guard->window != guard->window_end ||
        !(guard->taken & PROT_EXEC))
        return guard_lift(thread, region, PROT_EXEC);
    if (guard_in_doubt(thread, region->addr, region->length))
        return 0;
    region_clip(region, &from, &to);
    thread->space->turns++;
    /* That makes mappings, of which there may be too many; all of it none. */
    if (try_range(thread, region, from, to,
                  by_mprotect(region, guard->taken & ~(unsigned)PROT_EXEC)))
        return guard_lift(thread, region, PROT_EXEC);
    guard->window = from;
    guard->window_end = to;
    return 0;
}

/* Holds back again what that has opened; the region may have been cut since. */
static int close_window(struct thread *thread, struct region *region)
{
    struct region_guard *guard = &region->guard;
    uint64_t from = guard->window, to = guard->window_end;

    if (from == to || guard_in_doubt(thread, region->addr, region->length))
        return 0;
    guard->window = guard->window_end = 0;
    if (!region_clip(region, &from, &to) || !(guard->taken & PROT_EXEC))
        return 0;
    thread->space->turns++;
    return set_range(thread, region, from, to,
                     by_mprotect(region, guard->taken));
}

/* --- arming --------------------------------------------------------------- */

int guard_arm(struct thread *thread, struct region *region, unsigned prot)
{
    unsigned wanted = region->guard.wanted & region->prot & prot, writes = 0;

    if ((prot & PROT_EXEC) && close_window(thread, region) < 0)
        return -1;
    if (wanted & PROT_WRITE)
        for_each_thread (other, thread->run)
            if (other != thread && other->space == thread->space &&
                (other->mode == MODE_CALL || other->lifted) &&
                call_may_write(&other->call, region->addr, region->length)) {
                other->lifted = true;
                writes = PROT_WRITE;
            }
    return guard_set(thread, region,
                     (region->guard.taken & ~prot) | (wanted & ~writes));
}

/* Whether execution is wanted of the region, and not held back. */
static bool lacks_execution(const struct region *region)
{
    return region->guard.wanted & region->prot & ~region->guard.taken &
           PROT_EXEC;
}

void guard_close_all(struct thread *thread)
{
    bool ends = !budget_counts_calls(&thread->run->spent);

    thread->space->left_open = false;
    /* All of them: what was one region at the enter may have been cut. */
    for_each_region (region, thread->space) {
        if (ends)
            guard_drop(thread, region, PROT_EXEC);
        else if (lacks_execution(region))
            guard_set(thread, region, region->guard.taken | PROT_EXEC);
        else
            close_window(thread, region);
    }
}

/* Regions in a row that have the same protection take one call. */
void guard_arm_range(struct thread *thread, uint64_t addr, uint64_t end)
{
    struct regions *regions = &thread->space->regions;
    struct region *region = regions_from(regions, addr), *next;
    const struct region *behind = regions->list + regions->count;
    unsigned taken;
    int result;

    for (; region && region < behind && region->addr < end; region = next) {
        guard_arm(thread, region, PROT_WRITE);
        next = region + 1;
        if (!lacks_execution(region) ||
            guard_in_doubt(thread, addr, end - addr))
            continue;
        taken = by_mprotect(region, region->guard.taken);
        for (; next < behind && next->addr < end; next++) {
            guard_arm(thread, next, PROT_WRITE);
            if (!lacks_execution(next) || next->prot != region->prot ||
                by_mprotect(next, next->guard.taken) != taken ||
                next->addr != next[-1].addr + next[-1].length)
                break;
        }
        if (!may_hold(thread, PROT_READ | PROT_EXEC)) {
            for (; region < next; region++)
                region->guard.wanted &= ~(unsigned)PROT_EXEC;
            continue;
        }
        thread->space->turns++;
        result = set_range(thread, region, region->addr,
                           next[-1].addr + next[-1].length, taken | PROT_EXEC);
        for (; region < next; region++) {
            region->guard.window = region->guard.window_end = 0;
            if (result == 0)
                region->guard.taken |= PROT_EXEC;
            else
                region->guard.wanted = 0;
        }
    }
}

void guard_renew(struct thread *thread, struct region *region)
{
    if (region->guard.writes != WRITE_GUARD_UFFD)
        return;
    region->guard.taken &= ~(unsigned)PROT_WRITE;
    guard_arm(thread, region, GUARDS);
}

void guard_open(struct thread *thread, struct region *region, uint64_t addr,
                uint64_t size, bool open)
{
    uint64_t from = addr - addr % ARCH_PAGE_SIZE, to = page_end(addr + size);
    const struct region_guard *guard = &region->guard;

    if (open && guard->writes != WRITE_GUARD_UFFD)
        guard_lift(thread, region, PROT_WRITE);
    if (!open)
        guard_arm(thread, region, PROT_WRITE);
    if (!open && !(guard->taken & PROT_WRITE))
        return;
    if (guard->writes != WRITE_GUARD_UFFD)
        return;
    region_clip(region, &from, &to);
    uffd_protect(thread->space->uffd, from, to - from, !open);
    thread->space->turns++;
}

/* --- giving up ------------------------------------------------------------ */

int guard_drop(struct thread *thread, struct region *region, unsigned prot)
{
    region->guard.wanted &= ~prot;
    return guard_set(thread, region,
                     region->guard.taken & region->guard.wanted);
}

void guard_drop_all(struct thread *thread, unsigned prot, const char *budget,
                    const char *why)
{
    if (prot & PROT_EXEC)
        thread->space->frozen = true;
    else
        thread->space->stores_off = true;
    thread_limit(thread, budget, 0, "%s", why);
    for_each_region (region, thread->space)
        guard_drop(thread, region, prot);
}

void guard_drop_uffd(struct thread *thread)
{
    struct space *space = thread->space;

    space->own_uffd = true;
    space->turns++;
    if (!space->stores_off)
        guard_drop_all(thread, PROT_WRITE, "userfaultfd",
                       "the program uses userfaultfd itself, and the kernel "
                       "lets a page have only one; from here on stores are "
                       "not watched, code is read when it is executed");
    for_each_region (region, space)
        if (region->guard.writes == WRITE_GUARD_UFFD)
            region->guard.writes = WRITE_GUARD_UNTRIED;
    if (space->uffd >= 0)
        close(space->uffd); /* which gives its pages back */
    space->uffd = -1;
}

void guard_drop_stack(struct thread *thread, uint64_t addr, uint64_t length)
{
    struct region *region = regions_from(&thread->space->regions, addr);

    if (!region || region->addr >= addr + length ||
        !(region->guard.wanted & PROT_WRITE))
        return;
    thread_limit(thread, "stack", region->addr,
                 "the region at 0x%" PRIx64
                 " is written to by the kernel itself, as a stack for "
                 "signal handlers or as a thread's own data; stores into it "
                 "are not watched",
                 region->addr);
    guard_drop(thread, region, PROT_WRITE);
}

bool guard_watches_stores(struct space *space)
{
    if (space->counted)
        return space->watches_stores;
    space->counted = true;
    space->watches_stores = false;
    for_each_region (region, space)
        if (region->guard.taken & PROT_WRITE)
            space->watches_stores = true;
    return space->watches_stores;
}

bool guard_needs_calls(struct space *space)
{
    bool may_arm = space->watched && space->started && !space->stores_off &&
                   !space->frozen;

    return guard_watches_stores(space) || (may_arm && space->users > 1) ||
           space->follows_brk;
}
