/* SPDX-License-Identifier: MIT */
/*
 * target/breakpoint.h - stops a thread at an address outside of generated code.
 *
 * By a debug register, which changes nothing of the program; there are machines
 * that accept one and never act on it, so it has to be proven first. Else by an
 * int3 in the code there, for which the caller knows that nobody else could
 * execute, read or change it meanwhile.
 */
#ifndef JITTRACE_TARGET_BREAKPOINT_H
#define JITTRACE_TARGET_BREAKPOINT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "target/tracee.h"

struct breakpoint {
    enum breakpoint_kind {
        BREAKPOINT_NONE, /* it is not set */
        BREAKPOINT_REGISTER,
        BREAKPOINT_INSN,
    } kind;
    uint64_t addr;
    uint8_t byte; /* that the int3 lies over */
};

/* Sets one of that kind. Returns 0, or -1: none is set. */
int breakpoint_set(struct breakpoint *breakpoint, enum breakpoint_kind kind,
                   const struct tracee *tracee, uint64_t addr);

/* Takes it away, if it is set. */
void breakpoint_remove(struct breakpoint *breakpoint,
                       const struct tracee *tracee);

/*
 * Whether this SIGTRAP is that of the breakpoint; the registers are fetched.
 * What counts is where it came: its si_code differs between kernels and CPUs.
 */
bool breakpoint_is_hit(const struct breakpoint *breakpoint,
                       const struct tracee *tracee, const siginfo_t *info);

/*
 * After a hit: the tracee is to go on, and the breakpoint to stay. Returns
 * false when that cannot be had; then it is removed. *stop is the tracee's next
 * one if it has made any but that of the step, else STOP_NONE.
 */
bool breakpoint_pass(struct breakpoint *breakpoint, struct tracee *tracee,
                     struct stop *stop);

#endif
