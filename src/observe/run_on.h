/* SPDX-License-Identifier: MIT */
/*
 * observe/run_on.h - the rest of a stay in generated code, once its steps are
 * spent: the thread runs on at full speed, with the guard of its region lifted.
 *
 * What is still to be seen is its end. Where it returns to is known if it was
 * called; there a breakpoint waits: a debug register, or where these do not
 * work an int3, never in generated code and only while nobody else could come
 * by. Where it returns to another region, the guard of that is the breakpoint.
 *
 *          steps spent                    breakpoint, on its own stack frame
 *   inside ------------> runs on, back known ------------> leave, guards armed
 *             |
 *             +--------> back unknown: guards are armed again when the
 *                        thread stops outside for any other reason; if there
 *                        are no steps at all, the region's guard is dropped
 *
 * A region that is left in another way (longjmp, an exception) is noticed at a
 * stop of the thread, when its return address is overwritten or its stack
 * unwound. Until then entries into that region are not seen: the limit event
 * has said so.
 *
 * A return to the same address further down the stack is that of a recursive
 * call. One breakpoint is used: to run on within another region makes the outer
 * end be seen as an entry by return.
 */
#ifndef JITTRACE_OBSERVE_RUN_ON_H
#define JITTRACE_OBSERVE_RUN_ON_H

#include "observe/thread.h"

/* Lets the rest of this stay run at full speed. */
enum go run_on_begin(struct thread *thread, struct region *region);

/* Whether a fetch from the region goes on with that, so that it is no entry. */
bool run_on_covers(const struct thread *thread, const struct region *region);

/* Control arrives at a region: if it is where the rest of a stay in another one
 * returns to, that has ended. */
void run_on_returned(struct thread *thread);

/* Whether this trap is that of the breakpoint; and it was hit: perhaps that is
 * the end. */
bool run_on_is_trap(const struct thread *thread, const siginfo_t *info);
enum go run_on_trapped(struct thread *thread);

/* A system call is about to begin: if others may come to execute, read or change
 * the code that the breakpoint lies in, it goes away. */
void run_on_before_call(struct thread *thread);

/*
 * The thread stands where a call of ours may be made: if control is no longer
 * in generated code, what is guarded there is guarded again.
 */
void run_on_look(struct thread *thread);

#endif
