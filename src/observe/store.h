/* SPDX-License-Identifier: MIT */
/*
 * observe/store.h - who stores what.
 *
 * A store into a region whose write permission is held back faults. The
 * instruction tells where it will store; the guard is lifted, the CPU executes
 * that one instruction, and what is there afterwards is what it stored, even if
 * no byte changed. Meanwhile the threads of the space stand still that run code
 * of their own, as pages are open; one that faults waits and repeats its own.
 *
 * The kernel does not fault when a system call is to write there: the call
 * fails with EFAULT. So before such a call the guards are lifted, and what it
 * changed is found by comparing.
 *
 * Nor does it fault where it stores by itself: it leaves that out, without a
 * word. When a thread ends it writes into each lock of its robust list that the
 * owner has died, and wakes who waits for it (futex(2), get_robust_list(2)),
 * who else would wait for ever. So before a thread ends, by a call or by a
 * signal, the regions that hold such locks are given up, and before one is made
 * what the kernel writes to for it. Not seen is the end by SIGKILL.
 */
#ifndef JITTRACE_OBSERVE_STORE_H
#define JITTRACE_OBSERVE_STORE_H

#include "observe/thread.h"

/* thread->store.insn faulted: lifts the guards in its way, for one step. */
void store_begin(struct thread *thread, uint64_t fault_addr);

/* The store was executed: tells of it. Or it did not take place. Arms the
 * guards again. */
void store_end(struct thread *thread);
void store_abort(struct thread *thread);

/* Whether another thread makes a store now. */
bool store_must_wait(const struct thread *thread);

/* Stops the other threads of the space that run code of their own; why they
 * stop is read in its turn. Lets those go on that waited for a store. */
void store_stop_others(struct thread *thread);
void store_release_others(const struct run *run, const struct space *space);

/* Lifts the write guards that thread->call could fail at. Tells what the kernel
 * wrote, and arms them again. */
void store_before_call(struct thread *thread);
void store_after_call(struct thread *thread);

/* thread->call makes a thread, or it or a signal may end one or its process:
 * gives up the regions that the kernel writes to then. A call that is about to
 * begin again is not under way then (MODE_CALL). */
void store_before_child(struct thread *thread);
void store_before_end(struct thread *thread);
void store_before_signal(struct thread *thread, int signal);

#endif
