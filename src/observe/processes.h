/* SPDX-License-Identifier: MIT */
/*
 * observe/processes.h - what the program starts, and who writes to its memory.
 *
 * A new thread shares its parent's space; a forked child has a copy of the
 * memory, guards and all, and gets them taken away; a child of vfork shares the
 * space until it starts a program. A child's first stop and the stop of its
 * parent that tells of it come in any order. Until both have come, the child
 * waits without a space. A parent that is killed in between never tells.
 *
 * Other processes write to the program's memory by process_vm_writev(2) or
 * through /proc/PID/mem. The kernel fails such a write at a page that we guard,
 * where it would succeed untraced. So before a process of the program can begin
 * with it, stores into the memory of the other one are watched no longer.
 * Processes that are no children of the program are not seen. Where mprotect
 * holds pages back and all threads sleep in calls, as in vfork(2), none can give
 * them back, and the write fails.
 */
#ifndef JITTRACE_OBSERVE_PROCESSES_H
#define JITTRACE_OBSERVE_PROCESSES_H

#include "observe/thread.h"

/* The thread has made another thread or process. */
enum go child_made(struct thread *thread, const struct stop *stop);

/* Before a call that makes a thread: what the kernel will write to on its own
 * is not guarded. */
void child_unguard(struct thread *parent);

/* Says that a child is not watched, because of "fork" or "exec". */
void child_unwatched(const struct thread *child, const char *how);

/*
 * Lets a child go on whose parent was killed before it told of it. parent is
 * the space that it has a copy of, or NULL if that is not known.
 */
void child_adopt_orphan(struct thread *child, const struct space *parent);

/*
 * A system call of the thread, watched or not, is about to begin: it may write
 * to the memory of another process. Returns false when it was undone, for the
 * other one has to get on first; it begins again.
 */
bool foreign_before(struct thread *thread);

#endif
