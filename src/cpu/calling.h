/* SPDX-License-Identifier: MIT */
/*
 * cpu/calling.h - how a call keeps the address that it returns to, and what of
 * the stack belongs to whom (System V AMD64 psABI, 3.2.2).
 *
 * Where that takes memory of a process it is read with a function that is given
 * for it, which is proc_read() of target for a live one.
 */
#ifndef JITTRACE_CPU_CALLING_H
#define JITTRACE_CPU_CALLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cpu/regs.h"

/* Bytes below the stack pointer that belong to the function that runs. */
#define CALLING_RED_ZONE 128

/* Bytes of the calls that compilers make. */
#define CALLING_SHORTEST 2
#define CALLING_LONGEST  7

/* Copies up to size bytes of a process' memory to out, and returns how many. */
typedef size_t memory_reader(int pid, uint64_t addr, void *out, size_t size);

/* Where a call returns to, and the stack pointer behind that return. */
struct call_frame {
    uint64_t return_to;
    uint64_t stack_after;
};

/*
 * Finds the frame of a call that has just led to the first instruction of a
 * function, with these registers. Returns false if it cannot be read.
 */
bool calling_frame(int pid, memory_reader *read, const struct regs *regs,
                   struct call_frame *out);

/*
 * Whether the frame still holds the address that it returns to. Call it as long
 * as the function may run, or when it may just have returned.
 */
bool calling_frame_holds(int pid, memory_reader *read,
                         const struct call_frame *frame);

/*
 * Whether an instruction that was executed at addr, and changed these
 * registers, was a call.
 */
bool calling_is_call(struct bytes insn, uint64_t addr,
                     const struct reg_change *changes, size_t count);

/*
 * Whether a function that had these registers at its first instruction has
 * ended when the stack pointer is sp: it has returned, or was jumped out of.
 * What is further away than a stack is large, 8 MiB (RLIMIT_STACK in
 * getrlimit(2)), is another stack and says nothing.
 */
bool calling_is_over(const struct regs *entry, uint64_t sp);

/* All registers in the order of a reader's interest: what a function returns,
 * what it is given, the stack, and the others. */
extern const enum reg calling_interest[REG_COUNT];

/* The registers that a call had, which has just been executed. */
void calling_before(const struct regs *regs, struct regs *before);

#endif
