/* SPDX-License-Identifier: MIT */
/*
 * observe/begin.h - the beginning of a program.
 *
 * Observing begins at the ELF entry point: before it, the dynamic loader maps
 * and protects pages of its own.
 */
#ifndef JITTRACE_OBSERVE_BEGIN_H
#define JITTRACE_OBSERVE_BEGIN_H

#include "observe/thread.h"

/* A program was loaded and nothing of it has run. */
enum go begin_loaded(struct thread *thread);

/* The same by exec. Threads may be removed, but not the given one. */
enum go begin_exec(struct thread *thread, const struct stop *stop);

/* The jump to the entry point, also by a child that a constructor has made. */
enum go begin_entered(struct thread *thread);

#endif
