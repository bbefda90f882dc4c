/* SPDX-License-Identifier: MIT */
/*
 * cpu/trap.h - the instructions that stop a program for its tracer, and what
 * of single-stepping a program can see.
 */
#ifndef JITTRACE_CPU_TRAP_H
#define JITTRACE_CPU_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/insn.h"

/* The shortest breakpoint instruction: one byte (Intel SDM vol. 2, INT3). The
 * program counter is behind it when it has trapped. */
extern const uint8_t trap_insn;

/*
 * The length of the breakpoint instruction that bytes end in, which lie in
 * front of the program counter; 0 if there is none. TRAP_LOOK_BACK bytes tell.
 */
#define TRAP_LOOK_BACK 2
size_t trap_length(const uint8_t bytes[TRAP_LOOK_BACK]);

/* The instruction that enters the kernel (Intel SDM vol. 2, SYSCALL). */
#define SYSCALL_LENGTH 2
extern const uint8_t syscall_bytes[SYSCALL_LENGTH];

/*
 * Whether Linux takes bytes for an instruction that loads the flags. It looks
 * at prefixes and opcode only, so also for a "lock popf", which is none
 * (is_setting_trap_flag in arch/x86/kernel/step.c).
 */
bool trap_loads_flags(const uint8_t *code, size_t len);

/*
 * The flags that insn will load, from the first len of the bytes that it reads
 * from memory: at least the lower 16. 0 if it loads none, or len is too small.
 */
uint64_t trap_flags_loaded(const struct insn *insn, const uint8_t *read,
                           size_t len);

/* Whether these flags have the CPU trap behind each instruction. */
bool trap_is_set(uint64_t flags);

/* Whether among them is one that entering the kernel clears: NT, which means
 * nothing in 64-bit mode (SDM vol. 1, 3.4.3.3). No step keeps it. */
bool trap_loses_flags(uint64_t flags);

#endif
