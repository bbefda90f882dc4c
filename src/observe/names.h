/* SPDX-License-Identifier: MIT */
/*
 * observe/names.h - what the program calls its code.
 *
 * Its perf map is looked at when generated code is entered, when it goes away
 * and at the end, and read on where it has grown. A name is told when the
 * region that it lies in comes up, so that nothing is told of code that
 * jittrace knows nothing of, and a program with thousands of functions is not
 * stopped to list those that never run.
 */
#ifndef JITTRACE_OBSERVE_NAMES_H
#define JITTRACE_OBSERVE_NAMES_H

#include "observe/thread.h"

/* A program was loaded into a new space, and nothing of it has run. */
void names_begin(struct thread *thread);

/* Tells what the program calls the code in [addr, addr + length). */
void names_tell(struct thread *thread, uint64_t addr, uint64_t length);

/* The same, and forgets it: that code goes away. */
void names_forget(struct thread *thread, uint64_t addr, uint64_t length);

/* The same for all code that there is: the program has ended. */
void names_tell_all(struct thread *thread);

#endif
