/* SPDX-License-Identifier: MIT */
/*
 * observe/robust.h - what the kernel stores when a thread ends.
 *
 * Into each lock of its robust list it writes that the owner has died, and
 * wakes who waits for it (futex(2), get_robust_list(2)). Such a store does not
 * fault. Under a write guard it is left out, without a word, and who waits for
 * the lock waits for ever.
 *
 * So before a thread ends, by a call or by a signal, the regions that hold such
 * locks are given up. Not seen is the end by SIGKILL.
 */
#ifndef JITTRACE_OBSERVE_ROBUST_H
#define JITTRACE_OBSERVE_ROBUST_H

#include "observe/thread.h"

/*
 * A system call is about to begin, or a signal to be delivered: if it ends the
 * thread or its process, gives up the regions that the kernel writes to then.
 * A call that is about to begin again is not under way then (MODE_CALL).
 */
void robust_before_call(struct thread *thread);
void robust_before_signal(struct thread *thread, int signal);

#endif
