/* SPDX-License-Identifier: MIT */
/*
 * target/breakpoint.h - stops a thread at an address outside of generated code.
 *
 * At its entry point by no breakpoint. The kernel puts that into the auxiliary
 * vector on the new stack (AT_ENTRY, getauxval(3)), and the dynamic loader
 * jumps to what it reads there when it has done its work. So the address is
 * replaced by one that no program can have: the jump faults, and the program is
 * sent where it wanted to go. No byte of code is changed. A program that is
 * linked statically stands there when it is loaded. Until then a constructor
 * that asks for AT_ENTRY is told that address; what /proc/PID/auxv shows is a
 * copy of the kernel's, which stays as it was.
 *
 * Elsewhere by a debug register, which changes nothing of the program; there
 * are machines that accept one and never act on it, so it has to be proven
 * first. Else by an int3 in the code there, for which the caller knows that
 * nobody else could execute, read or change it meanwhile.
 */
#ifndef JITTRACE_TARGET_BREAKPOINT_H
#define JITTRACE_TARGET_BREAKPOINT_H

#include "target/tracee.h"

struct entry {
    uint64_t addr; /* AT_ENTRY */
    uint64_t slot; /* where that stands on the stack; 0: not known */
    bool awaited;  /* the fault is still to come */
};

/* For a tracee that was loaded and has executed nothing: finds its entry point
 * and makes the jump there fault, unless it is there already. Returns 0, or -1
 * when the vector cannot be read or written. */
int entry_await(struct tracee *tracee, struct entry *entry);

/* Whether this signal is that fault (the registers are fetched); then sends the
 * tracee to its entry point, and puts the vector right. */
bool entry_is_fault(const struct entry *entry, const struct tracee *tracee,
                    const siginfo_t *info);
int entry_arrive(struct tracee *tracee, struct entry *entry);

struct breakpoint {
    enum breakpoint_kind {
        BREAKPOINT_NONE, /* it is not set */
        BREAKPOINT_REGISTER,
        BREAKPOINT_INSN,
    } kind;
    uint64_t addr;
    uint8_t byte; /* that the int3 lies over */
};

/* Sets one of that kind (0, or -1: none is set); takes it away, if it is
 * set. */
int breakpoint_set(struct breakpoint *breakpoint, enum breakpoint_kind kind,
                   const struct tracee *tracee, uint64_t addr);
void breakpoint_remove(struct breakpoint *breakpoint,
                       const struct tracee *tracee);

/*
 * Whether this SIGTRAP is that of the breakpoint; the registers are fetched.
 * What counts is where it came: its si_code differs between kernels and CPUs.
 */
bool breakpoint_is_hit(const struct breakpoint *breakpoint,
                       const struct tracee *tracee, const siginfo_t *info);

/* After a hit: the tracee is to go on, and the breakpoint to stay. Returns
 * false when that cannot be had; then it is removed. *stop is the tracee's next
 * one if it has made any but that of the step, else STOP_NONE. */
bool breakpoint_pass(struct breakpoint *breakpoint, struct tracee *tracee,
                     struct stop *stop);

#endif
