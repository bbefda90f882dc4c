/* SPDX-License-Identifier: MIT */
/*
 * observe/calls.h - system calls: what is done before one begins and when it
 * has ended. What they do to mappings is in maps.h, what the kernel writes to
 * memory in store.h; here is what the program prints, and what makes guards
 * dangerous.
 */
#ifndef JITTRACE_OBSERVE_CALLS_H
#define JITTRACE_OBSERVE_CALLS_H

#include "observe/thread.h"

/* The thread is at the entry or exit of a call. */
enum go calls_stopped(struct thread *thread);

/* It stands at the entry of one that may begin: its turn may have come. */
enum go calls_begin(struct thread *thread);

#endif
