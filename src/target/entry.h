/* SPDX-License-Identifier: MIT */
/*
 * target/entry.h - stops a program at its entry point, by no breakpoint.
 *
 * The kernel puts the entry point into the auxiliary vector on the new stack
 * (AT_ENTRY, getauxval(3)), and the dynamic loader jumps to what it reads there
 * when it has done its work. So the address is replaced by one that no program
 * can have: the jump faults, and the program is sent where it wanted to go. No
 * byte of code is changed, and no debug register, which some machines accept
 * and never act on, is needed. A program that is linked statically stands at
 * its entry point when it is loaded.
 *
 * Until then a constructor that asks for AT_ENTRY is told that address; what
 * /proc/PID/auxv shows is a copy of the kernel's, which stays as it was.
 */
#ifndef JITTRACE_TARGET_ENTRY_H
#define JITTRACE_TARGET_ENTRY_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "target/tracee.h"

struct entry {
    uint64_t addr; /* AT_ENTRY */
    uint64_t slot; /* where that stands on the stack; 0: not known */
    bool awaited;  /* the fault is still to come */
};

/*
 * For a tracee that was loaded and has executed nothing: finds its entry point
 * and makes the jump there fault, unless it is there already. Returns 0, or -1
 * when the vector cannot be read or written.
 */
int entry_await(struct tracee *tracee, struct entry *entry);

/* Whether this signal is that fault; the registers are fetched. */
bool entry_is_fault(const struct entry *entry, const struct tracee *tracee,
                    const siginfo_t *info);

/* Sends the tracee to its entry point, and puts the vector right. */
int entry_arrive(struct tracee *tracee, struct entry *entry);

#endif
