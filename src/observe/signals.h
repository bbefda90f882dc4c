/* SPDX-License-Identifier: MIT */
/*
 * observe/signals.h - the program's own signals: what it has set for them, how
 * it gets that back when the kernel has undone it, and their way to it.
 *
 * A fault at a guard and the trap behind a step are forced upon a thread. If it
 * blocks or ignores that signal, the kernel sets the default action and
 * unblocks it, tracer or not, and does not tell (force_sig_info_to_task in
 * kernel/signal.c): that has to be found out afterwards. What the program has
 * set is known, for the filter stops it there; its masks are not, for to stop
 * at each would cost too much. A thread that is stepped has a mask without
 * SIGTRAP for that moment (tracee_resume), so its steps undo nothing but that
 * SIGTRAP is ignored; that is set again before the program could see it.
 *
 * A handler is one for all threads. Where one of them blocks its signal, the
 * others could raise it in the moment in which it is not set, so such a program
 * is watched only while it has one thread.
 *
 * Only of the process that is watched is anything known, and of a child that it
 * has made before its entry point, until that gets there. A child of vfork has
 * actions of its own, and starts a program.
 *
 * A signal is delivered with the siginfo that it came with. To lift or arm a
 * guard takes the thread out of the stop that it came with, so it is held first
 * (tracee_hold), and taken again when the thread is resumed.
 */
#ifndef JITTRACE_OBSERVE_SIGNALS_H
#define JITTRACE_OBSERVE_SIGNALS_H

#include "observe/thread.h"

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
 * mask is judged by the other signals that a fault raises: where they all are
 * blocked this one was, for nobody blocks them but to block every signal.
 */
struct reset reset_find(enum disposition set, enum disposition now, int signal,
                        uint64_t mask, bool alone);

/* A program was loaded: some signals may have been ignored before. And
 * thread->call begins: it may set an action. */
void signals_inherited(struct thread *thread);
void signals_set(struct thread *thread);

/* SIGSEGV, SIGBUS or SIGTRAP was forced upon the thread, and not by what the
 * program did: gives back what that has undone. The same for SIGTRAP after any
 * number of steps, if it is ignored. */
void signals_forced(struct thread *thread, int signal);
void signals_restore_trap(struct thread *thread);

/* Whether the program ignores the signal; only known of those three. Whether it
 * handles it, and a guard could undo that for a moment. */
bool signals_ignored(const struct thread *thread, int signal);
bool signals_endangered(const struct thread *thread, int signal);

/* Whether it handles the signal and that is undone just now: by a fault of its
 * own, or of another thread at a guard, whose stop is yet to be read. */
bool signals_lack(const struct thread *thread, int signal);

/* The signal was sent and is about to be delivered, so it was not blocked: what
 * the program has set for it must be in force. */
void signals_restore(struct thread *thread, int signal);

/* The next signal that is held for the thread, or 0, and tells of it. It must
 * go with the next resume. One that the program blocks by now is not told of,
 * as the kernel keeps it pending; it does not go with a step (RESUME_STEP). */
int signals_take(struct thread *thread, bool step);

/* Whether the same happens if the instruction at pc is executed again: not if
 * the kernel has forced the signal for a call, as for a bad sigreturn. */
bool signals_come_again(const struct thread *thread, const siginfo_t *info);

#endif
