/* SPDX-License-Identifier: MIT */
/*
 * observe/alter.h - does what whatif.h asks for, when it is time, and tells.
 *
 * Bytes are written as ptrace(2) can (PTRACE_POKEDATA), whatever the protection
 * is. A store that is skipped is made, and what was there is put back before
 * the program goes on. A system call that is not to be made gets the number -1,
 * which the kernel skips (__seccomp_filter in kernel/seccomp.c), and at its end
 * the result that was asked for.
 */
#ifndef JITTRACE_OBSERVE_ALTER_H
#define JITTRACE_OBSERVE_ALTER_H

#include "observe/thread.h"

/* Control arrives in the region, in that way (how of an enter). regs are what
 * it brings, and are made true again. */
void alter_enter(struct thread *thread, struct region *region, const char *how,
                 struct regs *regs);

/* An instruction has stored that. */
void alter_store(struct thread *thread, struct region *region, uint64_t addr,
                 struct bytes old, struct bytes now);

/* The thread is at the entry of a call: whether it is not to be made. Then, at
 * its exit, gives it its result, and returns true. */
bool alter_before_call(struct thread *thread);
bool alter_after_call(struct thread *thread);

/* The program has ended: tells of what was asked for and not done. */
void alter_tell_missing(struct thread *thread);

#endif
