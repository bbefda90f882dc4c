/* SPDX-License-Identifier: MIT */
/*
 * observe/stay.h - inside generated code.
 *
 * A region that the program may execute is kept non-executable, so the first
 * fetch from it faults. Then the guard is lifted and the CPU executes one
 * instruction after the other, each an event, until the program counter is
 * outside; the guard is armed again and the program runs on. A call out of
 * generated code is a leave, its return an enter.
 *
 *          fetch fault                   pc inside
 *      free ---------> stay_enter --> prepare <---- stay_stepped
 *        ^                               |  step       |  pc outside
 *        +-------------------------------|-------------+
 *
 * Once the steps are spent, the thread runs on at full speed, with the guard of
 * its region lifted. Where it returns to is known if it was called; there a
 * breakpoint waits: a debug register, or where these do not work an int3, never
 * in generated code and only while nobody else could come by. In another region
 * the guard of that is the breakpoint.
 *
 *          steps spent                    breakpoint, on its own stack frame
 *   inside ------------> runs on, back known ------------> leave, guards armed
 *
 * If that is not known, guards are armed again when the thread stops outside
 * for any other reason; without any steps the region's guard is dropped.
 *
 * Another way out (longjmp, an exception) is noticed at a stop of the thread,
 * when its return address is overwritten or its stack unwound. Until then
 * entries into that region are not seen: the limit event has said so. A return
 * to the same address further down the stack is that of a recursive call. One
 * breakpoint is used: to run on within another region makes the outer end be
 * seen as an entry by return.
 */
#ifndef JITTRACE_OBSERVE_STAY_H
#define JITTRACE_OBSERVE_STAY_H

#include "observe/thread.h"

/* Control arrived at a region: tells of it, if it is news. */
enum go stay_enter(struct thread *thread, struct region *region);

/* Finds how the next step inside is made, and with which signal. Returns false
 * where it cannot be: the rest of the stay runs at full speed. */
bool stay_step(struct thread *thread, enum resume *how, int *signal);

/* One step was made inside, or a system call there has returned. */
enum go stay_stepped(struct thread *thread);

/* Notes everything about the instruction that the next step executes. */
void stay_prepare(struct thread *thread);

/* The program has set the trap flag to step itself, and traps of ours could not
 * be told from its own: from now on it gets them all. */
enum go stay_traps_itself(struct thread *thread);

/* The breakpoint was hit at which a thread stops that runs on: perhaps that is
 * the end. */
enum go stay_trapped(struct thread *thread);

/* A system call is about to begin: if others may come to execute, read or
 * change the code that the breakpoint lies in, it goes away. */
void stay_before_call(struct thread *thread);

/* The thread stands where a call of ours may be made: if it runs on, and
 * control has left generated code, what is guarded there is guarded again. */
void stay_look(struct thread *thread);

#endif
