/* SPDX-License-Identifier: MIT */
/*
 * observe/around.h - what events of a stay have beside the general registers:
 * vector registers and the like, and the stack around its pointer.
 */
#ifndef JITTRACE_OBSERVE_AROUND_H
#define JITTRACE_OBSERVE_AROUND_H

#include "observe/thread.h"

/* Reads the registers beside the general ones. False: they cannot be read. */
bool around_read_vregs(struct thread *thread, struct vregs *out);

/* Where a thread arrives or leaves: what is to be told of these registers, the
 * first `shown` vectors as they are, and of the state of arithmetic. list has
 * room for VREG_COUNT. */
struct vreg_changes around_vregs(struct thread *thread, unsigned shown,
                                 struct vreg_change *list,
                                 struct opt_u64 *fp_control);

/* The most of the stack that an event has on either side of its pointer. */
#define AROUND_WORDS 64u

/* Reads the words around sp, as many as the budget says; fewer where not all of
 * them are mapped. out has room for 2 * AROUND_WORDS. */
struct bytes around_stack(const struct thread *thread, uint64_t sp,
                          uint64_t *out, struct opt_u64 *at);

/* Whether an executed instruction has moved the stack pointer, or has accessed
 * what around_stack() would read. */
bool around_touches_stack(const struct stay *stay, const struct regs *after,
                          uint64_t words);

#endif
