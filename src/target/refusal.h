/* SPDX-License-Identifier: MIT */
/*
 * target/refusal.h - why the system refused a call about memory.
 */
#ifndef JITTRACE_TARGET_REFUSAL_H
#define JITTRACE_TARGET_REFUSAL_H

#include "target/tracee.h"

/* Appends the reason for which a call of a process that stands behind it has
 * failed: a clause without a full stop, from the arguments, the error number
 * and what is mapped now. Where these do not tell, it is what the error means
 * (strerror(3)). The conditions are those of mmap(2), mprotect(2), munmap(2),
 * mremap(2), madvise(2), shmat(2), shmdt(2) and mseal(2). */
void refusal_explain(const struct call *call, pid_t pid, struct buf *out);

/* "EINVAL": the name of the error (errno(3)), or NULL for one that no such call
 * fails with. musl has no strerrorname_np(3). */
const char *refusal_error(const struct call *call);

/* The number of the error of that name, or 0. */
int refusal_find(const char *name);

#endif
