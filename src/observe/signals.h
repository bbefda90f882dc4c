/* SPDX-License-Identifier: MIT */
/*
 * observe/signals.h - whose is a signal? A fault at a guard and the trap behind
 * a step are ours. All others are the program's (delivery.h).
 */
#ifndef JITTRACE_OBSERVE_SIGNALS_H
#define JITTRACE_OBSERVE_SIGNALS_H

#include "observe/thread.h"

/* A signal is about to be delivered to the thread; its registers are fetched. */
enum go signal_stopped(struct thread *thread, const siginfo_t *info);

/* The stop behind a GO_AGAIN: if the instruction was executed, the thread goes
 * on behind it. */
enum go signal_repeated(struct thread *thread, const struct stop *stop);

#endif
