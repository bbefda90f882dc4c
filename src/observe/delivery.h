/* SPDX-License-Identifier: MIT */
/*
 * observe/delivery.h - the program's own signals, on their way to it.
 *
 * They are delivered with the siginfo that they came with. That cannot always
 * be done at once: to lift or arm a guard takes the thread out of the stop that
 * the signal came with. So a signal is held first (tracee_hold), and taken
 * again when the thread is resumed.
 */
#ifndef JITTRACE_OBSERVE_DELIVERY_H
#define JITTRACE_OBSERVE_DELIVERY_H

#include "observe/thread.h"

/*
 * The next signal that is held for the thread, or 0, and tells of it. It must
 * go with the next resume. One that the program blocks by now is not told of,
 * as the kernel keeps it pending; it does not go with a step (RESUME_STEP).
 */
int delivery_take(struct thread *thread, bool step);

/* Whether the same happens if the instruction at pc is executed again: not if
 * the kernel has forced the signal for a call, as for a bad sigreturn. */
bool delivery_comes_again(const struct thread *thread, const siginfo_t *info);

#endif
