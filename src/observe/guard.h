/* SPDX-License-Identifier: MIT */
/*
 * observe/guard.h - the difference between the protection that the program
 * asked for and the one its pages have:
 *
 *      region->prot          what the program asked for
 *      region->guard.wanted  permissions whose use is to be seen
 *      region->guard.taken   permissions held back at this moment
 *
 * taken is always a part of prot and of wanted.
 *
 * Where a function returns an int, that is 0, or -1 when the tracee is gone or
 * the system refused to set a protection; then a limit event tells of it, and
 * the region is not watched any more.
 *
 * The kernel tells of a call when it is over, and of two in any order. One may
 * take memory away, and the other get new memory at the same place:
 *
 *     thread 1      thread 2      what is told
 *     munmap(A)     mmap() = A    2: A is there, and is guarded
 *                                 1: A is gone, its guard forgotten, not lifted
 *
 * So calls that change mappings begin one at a time, as the kernel does them
 * (mmap_lock): each stops at its entry, and waits there until the end of the
 * one before is read. While one is under way the guards stay as they are where
 * it may be at work, and whoever faults there repeats the access behind it. Not
 * where a program handles faults itself (userfaultfd(2)), which may have to
 * make such a call for another one to end.
 */
#ifndef JITTRACE_OBSERVE_GUARD_H
#define JITTRACE_OBSERVE_GUARD_H

#include "observe/thread.h"

/* Whether the call at whose entry the thread stands must wait for one of
 * another thread; and whether one is under way that may take [addr, addr +
 * length) away from its space, or change its protection, right now. */
bool guard_call_waits(const struct thread *thread);
bool guard_in_doubt(const struct thread *thread, uint64_t addr,
                    uint64_t length);

/* The protection that pages have while `taken` is held back by mprotect, and
 * the one that the system shows of a region as it is guarded now. */
unsigned guard_prot(const struct region *region, unsigned taken);
unsigned guard_shown(const struct region *region);

/* Whether the permission (one PROT_* bit) is held back at addr. */
bool guard_holds(const struct region *region, uint64_t addr, unsigned prot);

/* Holds back `taken` of a region, and gives the rest back; or holds back those
 * of `prot` that are wanted of it and the program has; or gives back `prot`. To
 * arm may find another thread in a system call that may write there: then that
 * thread holds writes back behind its call. */
int guard_set(struct thread *thread, struct region *region, unsigned taken);
int guard_arm(struct thread *thread, struct region *region, unsigned prot);
int guard_lift(struct thread *thread, struct region *region, unsigned prot);

/* Arms all that is wanted of the regions that lie in [addr, end), with as few
 * calls of the tracee as may be. */
void guard_arm_range(struct thread *thread, uint64_t addr, uint64_t end);

/* Lets the code at addr be executed: the pages around it, or all of the region
 * if it is small or some are open already. */
int guard_allow_execution(struct thread *thread, struct region *region,
                          uint64_t addr);

/* Control is outside of generated code: execution is held back from all regions
 * again, or from none any more if all entries are spent that may be seen. */
void guard_close_all(struct thread *thread);

/* Opens some pages of a region whose write permission is held back for a store
 * into [addr, addr + size), or closes them again. As the others see it, it is
 * held back all the time if only these pages can be opened. */
void guard_open(struct thread *thread, struct region *region, uint64_t addr,
                uint64_t size, bool open);

/* Something was done to it that undoes guards without a change of protection:
 * holds back again what was. */
void guard_renew(struct thread *thread, struct region *region);

/* Does not want these permissions of a region any more and gives them back. */
int guard_drop(struct thread *thread, struct region *region, unsigned prot);

/* The same for all regions: PROT_WRITE, or with GUARDS all; what comes later is
 * not guarded either. budget and why become a limit event. */
#define GUARDS (PROT_WRITE | PROT_EXEC)
void guard_drop_all(struct thread *thread, unsigned prot, const char *budget,
                    const char *why);

/* The program has a userfaultfd of its own: gives up ours, and with it the
 * watching of stores. */
void guard_drop_uffd(struct thread *thread);

/* Gives back the write permission of memory that the kernel writes to by
 * itself: a stack for signal handlers, what belongs to a thread. */
void guard_drop_stack(struct thread *thread, uint64_t addr, uint64_t length);

/* Whether any region of the space has its write permission held back. */
bool guard_watches_stores(struct space *space);
/* Whether the threads of the space must stop at system calls, which could fail
 * at a guard: while one is armed; always if there are several threads, for one
 * may arm it while another one runs; and while there may be code in the heap:
 * programs that only have a heap would stop at brk(2) all the time, if the
 * filter caught it. */
bool guard_needs_calls(struct space *space);

#endif
