/* SPDX-License-Identifier: MIT */
/*
 * observe/reset.h - what a forced signal has undone.
 *
 * A fault at a guard and the trap behind a step are forced upon a thread. If it
 * blocks or ignores that signal, the kernel sets the default action and
 * unblocks it, tracer or not (force_sig_info_to_task in kernel/signal.c). It
 * does not tell, so it has to be found out afterwards.
 */
#ifndef JITTRACE_OBSERVE_RESET_H
#define JITTRACE_OBSERVE_RESET_H

#include <stdbool.h>
#include <stdint.h>

/* What happens at a signal (signal(7)). */
enum disposition {
    DISPOSITION_DEFAULT,
    DISPOSITION_IGNORED,
    DISPOSITION_HANDLED,
};

struct reset {
    bool action; /* what the program had set is gone */
    bool mask;   /* the signal was blocked and is not any more */
};

/*
 * Says what is to be put back after a signal was forced. set is what the
 * program has set for it, now what the kernel says; mask is the thread's mask
 * now, bit N - 1 for signal N; alone, whether the process has no other thread.
 *
 * The action is certain. So is the mask, if there was a handler and no other
 * thread can have lost it: it goes only if the signal was blocked. Else the
 * mask is judged by those of the other signals that a fault raises: where they
 * all are blocked this one was, for nobody blocks them but to block every
 * signal.
 */
struct reset reset_find(enum disposition set, enum disposition now, int signal,
                        uint64_t mask, bool alone);

#endif
