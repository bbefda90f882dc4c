/* SPDX-License-Identifier: MIT */
/*
 * target/tryout.h - whether what tracing needs works on a tracee: each is done,
 * and must be seen to be done.
 */
#ifndef JITTRACE_TARGET_TRYOUT_H
#define JITTRACE_TARGET_TRYOUT_H

#include "target/tracee.h"

/* What tryout_memory says if it is not the writing that fails. */
#define TRYOUT_READING "to read it (process_vm_readv, /proc/PID/mem)"

/*
 * Whether what is written to a register, to the signal mask, or to the word at
 * addr stands there then; it is put back. Each returns NULL, or what it is that
 * fails, with errno: 0 if the kernel took it and nothing happened.
 */
const char *tryout_registers(struct tracee *tracee);
const char *tryout_mask(const struct tracee *tracee);
const char *tryout_memory(const struct tracee *tracee, uint64_t addr);

/*
 * Tries out what tracing needs, on a tracee that was loaded and has executed
 * nothing: reading its memory, its registers and its mask and writing them
 * back, telling a system call's exit, one step, and a call of ours. Leaves it
 * at the end of the exec, as tracee_finish_exec does. Returns 0, also
 * when the tracee is gone, or -1 with err filled with cause and remedy.
 */
int tracee_try(struct tracee *tracee, struct err *err);

/* After tracee_resume failed for a tracee that has executed nothing: the same
 * for the cause that is in errno. */
int tracee_fails_to_run(struct err *err);

#endif
