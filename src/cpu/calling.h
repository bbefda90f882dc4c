/* SPDX-License-Identifier: MIT */
/*
 * cpu/calling.h - how a call keeps the address that it returns to, and what of
 * the stack belongs to whom (System V AMD64 psABI, 3.2.2); the instructions
 * that stop a program for its tracer, and what of single-stepping it can see.
 *
 * Where that takes memory of a process it is read with a function that is given
 * for it, which is proc_read() of target for a live one.
 */
#ifndef JITTRACE_CPU_CALLING_H
#define JITTRACE_CPU_CALLING_H

#include "cpu/insn.h"

/* --- calls ---------------------------------------------------------------- */

/* Bytes below the stack pointer that belong to the function that runs. */
#define CALLING_RED_ZONE 128

/* The registers that a function gives back as it found them, but for the stack
 * pointer (psABI 3.2.1). */
#define CALLING_SAVED 6
extern const enum reg calling_saved[CALLING_SAVED];
bool calling_is_saved(enum reg reg);

/* What the stack pointer is a multiple of at a call (psABI 3.2.2), in bytes. */
#define CALLING_ALIGNMENT 16u

/* Those that it may change and returns nothing in, and those that the kernel
 * changes at a system call (psABI A.2.1). */
#define CALLING_LOST 7
extern const enum reg calling_lost[CALLING_LOST];
#define CALLING_KERNEL_LOST 2
extern const enum reg calling_kernel_lost[CALLING_KERNEL_LOST];

/* Those that have no argument and are not the caller's. */
#define CALLING_NOBODYS 3
extern const enum reg calling_nobodys[CALLING_NOBODYS];

/* Arguments of the other convention for this CPU ("x64 calling convention",
 * learn.microsoft.com). */
#define CALLING_WINDOWS 4
extern const enum reg calling_windows[CALLING_WINDOWS];

/* Vector registers that have arguments (psABI 3.2.3). */
#define CALLING_VECTORS 8
/* Those that results are returned in (psABI 3.2.3). */
#define CALLING_VECTOR_RESULTS 2

/* The stack pointer behind the return of a function that has these registers at
 * its first instruction, and whether that is aligned (psABI 3.2.2). */
uint64_t calling_stack_after(const struct regs *entry);
bool calling_is_aligned(const struct regs *entry);

/* Whether functions address their frames by that register. */
bool calling_is_frame(enum reg reg);

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

/* Finds the frame of a call that has just led to the first instruction of a
 * function, with these registers. Returns false if it cannot be read. */
bool calling_frame(int pid, memory_reader *read, const struct regs *regs,
                   struct call_frame *out);

/* Whether the frame still holds the address that it returns to. Call it as long
 * as the function may run, or when it may just have returned. */
bool calling_frame_holds(int pid, memory_reader *read,
                         const struct call_frame *frame);

/* Whether the bytes that end before addr can be a call. */
bool calling_precedes(int pid, memory_reader *read, uint64_t addr);

/* Whether an instruction that was executed at addr, and changed these
 * registers, was a call. */
bool calling_is_call(struct bytes insn, uint64_t addr,
                     const struct reg_change *changes, size_t count);

/* Whether a function that had these registers at its first instruction has
 * ended when the stack pointer is sp: it has returned, or was jumped out of.
 * What is further away than a stack is large, 8 MiB (RLIMIT_STACK in
 * getrlimit(2)), is another stack and says nothing. */
bool calling_is_over(const struct regs *entry, uint64_t sp);

/* All registers in the order of a reader's interest: what a function returns,
 * what it is given, the stack, and the others. */
extern const enum reg calling_interest[REG_COUNT];

/* The name of the register that the code which a function returns to takes a
 * result from, or of the part of it ("eax"): that which it reads before it sets
 * it. NULL if that cannot be told from these bytes, up to the first instruction
 * that leads elsewhere. */
const char *calling_taken(struct bytes code, uint64_t addr);

/* The registers that a call had, which has just been executed. */
void calling_before(const struct regs *regs, struct regs *before);

/* --- traps ---------------------------------------------------------------- */

/* The shortest breakpoint instruction: one byte (Intel SDM vol. 2, INT3). The
 * program counter is behind it when it has trapped. */
extern const uint8_t trap_insn;

/* The shortest instruction that does nothing: one byte (SDM vol. 2, NOP). */
extern const uint8_t idle_insn;

/* The length of the breakpoint instruction that bytes end in, which lie before
 * the program counter; 0 if there is none. TRAP_LOOK_BACK bytes tell. */
#define TRAP_LOOK_BACK 2
size_t trap_length(const uint8_t bytes[TRAP_LOOK_BACK]);

/* The instruction that enters the kernel (Intel SDM vol. 2, SYSCALL). */
#define SYSCALL_LENGTH 2
extern const uint8_t syscall_bytes[SYSCALL_LENGTH];

/* Whether Linux takes bytes for an instruction that loads the flags. It looks
 * at prefixes and opcode only, so also for a "lock popf", which is none
 * (is_setting_trap_flag in arch/x86/kernel/step.c). */
bool trap_loads_flags(const uint8_t *code, size_t len);

/* The flags that insn will load, at least the lower 16, from the first len of
 * the bytes that it reads. 0 if it loads none, or len is too small. */
uint64_t trap_flags_loaded(const struct insn *insn, const uint8_t *read,
                           size_t len);

/* Whether these flags have the CPU trap behind each instruction. */
bool trap_is_set(uint64_t flags);

/* Whether among them is one that entering the kernel clears: NT, which means
 * nothing in 64-bit mode (SDM vol. 1, 3.4.3.3). No step keeps it. */
bool trap_loses_flags(uint64_t flags);

#endif
