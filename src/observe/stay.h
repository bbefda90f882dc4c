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
 */
#ifndef JITTRACE_OBSERVE_STAY_H
#define JITTRACE_OBSERVE_STAY_H

#include "observe/thread.h"

/* Control arrived at a region: tells of it, if it is news. */
enum go stay_enter(struct thread *thread, struct region *region);

/*
 * Finds how the next step inside is made, and with which signal. Returns false
 * where it cannot be: the rest of the stay runs at full speed.
 */
bool stay_step(struct thread *thread, enum resume *how, int *signal);

/* One step was made inside. */
enum go stay_stepped(struct thread *thread);

/* A system call inside has returned, or was interrupted. */
enum go stay_called(struct thread *thread);

/* Notes everything about the instruction that the next step executes. */
void stay_prepare(struct thread *thread);

/*
 * The program has set the trap flag to step itself, and traps of ours could not
 * be told from its own: from now on it gets them all.
 */
enum go stay_traps_itself(struct thread *thread);

#endif
