/* SPDX-License-Identifier: MIT */
/*
 * observe/maps.h - what system calls do to mappings that may hold code, and to
 * the guards that are there. A call is believed when it has returned success;
 * of one that has failed, what it may have done before is looked for.
 */
#ifndef JITTRACE_OBSERVE_MAPS_H
#define JITTRACE_OBSERVE_MAPS_H

#include "observe/thread.h"

/* The program stands at its entry point: looks at what it has. */
void maps_begin(struct thread *thread);

/* A fault where no region is: a stack that holds code may have grown there. */
void maps_grown(struct thread *thread, uint64_t addr);

/* thread->call is about to begin; it has done what it was asked to, or has
 * failed, perhaps after half of its work: what of this concerns mappings. */
void maps_before(struct thread *thread);
void maps_after(struct thread *thread, bool succeeded);

/* Tells that the thread's call has failed. because: a clause on why, or NULL:
 * the kernel's reason. */
void maps_refused(struct thread *thread, const char *because);

#endif
