/* SPDX-License-Identifier: MIT */
/*
 * target/unwind.h - from a function to the one that has called it.
 *
 * A module's call frame information (CFI, in .eh_frame or .debug_frame) says
 * for each instruction where the caller's registers are. libdw reads it; what
 * it says of an instruction is kept, so that a place that stores again and
 * again costs no more than reading the stack.
 *
 * Nothing on the stack is believed: each step goes upwards, reads what can be
 * read, and where there are no rules, or none that are simple, it ends. Of
 * functions without CFI those can be unwound that set up a frame pointer.
 */
#ifndef JITTRACE_TARGET_UNWIND_H
#define JITTRACE_TARGET_UNWIND_H

#include <elfutils/libdwfl.h>
#include <sys/types.h>

#include "cpu/regs.h"
#include "target/machine.h"

#define UNWIND_STACK 1024 /* bytes that are read at once */

/* A thread's stack that is being unwound. */
struct unwind {
    pid_t tid;
    uint64_t pc; /* of the instruction, or inside the call of a caller */
    uint64_t value[MACHINE_DWARF_REGISTERS];
    unsigned lost; /* bit i: that of register i is not known */
    uint64_t stack_at;
    size_t stack_size;
    uint8_t stack[UNWIND_STACK];
};

/* Begins with the innermost function of a stopped thread. */
void unwind_begin(struct unwind *unwind, pid_t tid, const struct regs *regs);

/* Goes to the caller. module is the one that has unwind->pc; rules is a tree of
 * tsearch(3) with what was found out of instructions, and grows. Returns the
 * return address, or 0 with nothing changed where the caller is not known. */
uint64_t unwind_step(struct unwind *unwind, void **rules, Dwfl_Module *module);

#endif
