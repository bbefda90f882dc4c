/* SPDX-License-Identifier: MIT */
/*
 * observe/order.h - in which order calls of several threads took effect.
 *
 * The kernel tells of a call when it is over, and of two in any order. One may
 * take memory away, and the other get new memory at the same place:
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
#ifndef JITTRACE_OBSERVE_ORDER_H
#define JITTRACE_OBSERVE_ORDER_H

#include "observe/thread.h"

/* Whether the call at whose entry the thread stands must wait for one of
 * another thread. */
bool order_must_wait(const struct thread *thread);

/* A thread that has waited for that, and whose call may begin now, or NULL. */
struct thread *order_next(const struct run *run);

/* Whether a call is under way that may take [addr, addr + length) away from
 * the thread's space, or change its protection, in this very moment. */
bool order_in_doubt(const struct thread *thread, uint64_t addr,
                    uint64_t length);

#endif
