/* SPDX-License-Identifier: MIT */
/*
 * observe/actions.h - what the program has set for the signals that guards and
 * steps raise, and how it gets that back when the kernel has undone it (reset.h).
 *
 * The filter stops the program where it sets an action for one of them, so what
 * it has set is known. A mask is not: to stop wherever a program sets one
 * would cost too much. A thread that is stepped has a mask without SIGTRAP for
 * that moment (tracee_resume), so its steps undo nothing but that SIGTRAP is
 * ignored; that is set again before the program could see it.
 *
 * A handler is one for all threads. Where one of them blocks its signal, the
 * others could raise it in the moment in which it is not set, so such a program
 * is watched only while it has one thread.
 *
 * Only of the process that is watched is anything known, and of a child that it
 * has made before its entry point, until that gets there. A child of vfork has
 * actions of its own, and starts a program.
 */
#ifndef JITTRACE_OBSERVE_ACTIONS_H
#define JITTRACE_OBSERVE_ACTIONS_H

#include "observe/thread.h"

/* A program was loaded: some signals may have been ignored before. */
void actions_inherited(struct thread *thread);

/* thread->call begins: it may set an action. */
void actions_set(struct thread *thread);

/* A child was forked before the entry point, which it will arrive at by itself:
 * it has set what its parent had. */
void actions_copy(const struct space *parent, struct thread *child);

/*
 * SIGSEGV, SIGBUS or SIGTRAP was forced upon the thread, and not by what the
 * program did: gives back what that has undone.
 */
void actions_forced(struct thread *thread, int signal);

/* The same for SIGTRAP after any number of steps, if it is ignored; and in a
 * child that has a copy of that space, and was made to step. */
void actions_restore_trap(struct thread *thread);
void actions_restore_copy(const struct space *space, struct thread *child);

/* Whether the program handles it, and a guard could undo that for a moment. */
bool actions_endangered(const struct thread *thread, int signal);

/*
 * Whether the program handles the signal and that is undone at this moment: by
 * a fault of its own, or by one of another thread at a guard, whose stop is yet
 * to be read.
 */
bool actions_lack(const struct thread *thread, int signal);

/* The signal was sent and is about to be delivered, so it was not blocked: what
 * the program has set for it must be in force. */
void actions_restore(struct thread *thread, int signal);

/* Whether the program ignores the signal; only known of those three. */
bool actions_ignore(const struct thread *thread, int signal);

/* The program has got the signal; forced means that it raised it itself. */
void actions_delivered(struct thread *thread, int signal, bool forced);

#endif
