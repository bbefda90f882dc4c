/* SPDX-License-Identifier: MIT */
/*
 * observe/run_on.h - the rest of a stay that is not stepped: see stay.h.
 *
 * The guard of its region is lifted. Where the stay returns to, if that is
 * known, the thread stops; in another region at the guard of that, elsewhere at
 * a breakpoint.
 */
#ifndef JITTRACE_OBSERVE_RUN_ON_H
#define JITTRACE_OBSERVE_RUN_ON_H

#include "observe/thread.h"

/* Lets the rest of this stay run at full speed, up to thread->back; and forgets
 * about it, for it has ended or its end will not be seen. */
void run_on_begin(struct thread *thread, struct region *region);
void run_on_end(struct thread *thread);

/* Whether it cannot return any more: its return address is overwritten, or the
 * stack is unwound beyond it. */
bool run_on_is_unwound(const struct thread *thread);

/* Whether the thread stands where the rest of a stay returns to; that has ended
 * then, with these registers. */
bool run_on_returned(struct thread *thread, struct regs *now);

/* The thread stands at the breakpoint, by the return of another call: goes on
 * behind it, if that can be seen again. False: its next stop was taken. */
bool run_on_passed(struct thread *thread);

#endif
