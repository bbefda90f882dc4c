/* SPDX-License-Identifier: MIT */
/*
 * observe/processes.h - the programs of a run: where they begin, what they
 * start, and who writes to their memory.
 *
 * Observing begins at the ELF entry point: before it, the dynamic loader maps
 * and protects pages of its own.
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
 * holds pages back and all threads sleep in calls, as in vfork(2), none can
 * give them back, and the write fails.
 */
#ifndef JITTRACE_OBSERVE_PROCESSES_H
#define JITTRACE_OBSERVE_PROCESSES_H

#include "observe/thread.h"

/* A program was loaded and nothing of it has run. The same by exec: threads may
 * be removed, but not the given one. */
enum go process_loaded(struct thread *thread);
enum go process_exec(struct thread *thread, const struct stop *stop);

/* The jump to the entry point, also by a child that a constructor has made. */
enum go process_entered(struct thread *thread);

/* The thread has made another thread or process. */
enum go process_made(struct thread *thread, const struct stop *stop);

/* Lets a child go on whose parent was killed before it told of it. parent is
 * the space that it has a copy of, or NULL if that is not known. */
void process_adopt(struct thread *child, struct space *parent);

/* A system call of the thread, watched or not, is about to begin: it may write
 * to the memory of another process. Returns false when it was undone, for the
 * other one has to get on first; it begins again. */
bool process_may_write(struct thread *thread);

#endif
