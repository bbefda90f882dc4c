/* SPDX-License-Identifier: MIT */
/*
 * target/registers.h - what of a stopped tracee depends on its CPU: its
 * registers, what it can see of being stepped, where the kernel keeps the
 * number and the result of a system call, and the hardware breakpoints.
 * Implemented once for each CPU (x86.c).
 *
 * But for tracee_fetch all of it works on the registers that were fetched.
 */
#ifndef JITTRACE_TARGET_REGISTERS_H
#define JITTRACE_TARGET_REGISTERS_H

#include "target/tracee.h"

/* Whether it runs a program of 64 bits (by the registers fetched). */
bool tracee_is_64bit(const struct tracee *tracee);

/* Reads the registers into tracee->regs, once for each stop, or writes them
 * back. Each returns 0, or -1 with errno. */
int tracee_fetch(struct tracee *tracee);
int tracee_store(const struct tracee *tracee);

/* Where the fetched registers say that the tracee is, and its stack. */
uint64_t tracee_pc(const struct tracee *tracee);
int tracee_go_to(struct tracee *tracee, uint64_t pc);
uint64_t tracee_stack(const struct tracee *tracee);

/* An AMD CPU does not go back from the kernel to a stack pointer that is no
 * address (canonical, Intel SDM vol. 1, 3.3.7.1): the kernel raises SIGSEGV in
 * front of the next instruction. A program may have such a one for as long as
 * nothing interrupts it, and our stops do. So one of ours is lent for a step to
 * instructions that do not read it, up to where there is an address again.
 *
 * At a fault of the code SI_KERNEL: whether it can be due to that, and the
 * instruction is to be repeated so; from then on it is done as often as need
 * be. And for tracee_resume: whether it is, so that it must be a step. The stop
 * that this ends in has tracee->stepped_lent, and tracee_fetch gives the stack
 * pointer back. */
bool tracee_lacks_stack(struct tracee *tracee);
bool tracee_lend_stack(struct tracee *tracee);

/* Whether the program itself has set the trap flag: it wants the trap behind
 * each instruction (call it before a step is hidden). And makes that so, where
 * the kernel takes the flag for that of a step. */
bool tracee_traps_itself(const struct tracee *tracee);
void tracee_keep_trap(struct tracee *tracee);

/* Hides that the tracee was stepped where the instruction that was executed has
 * made it visible; call it with the registers fetched after that. Or where it
 * has not been executed, because a signal came before it; and in what the
 * kernel has saved for the return from its handler, which has just begun. */
void tracee_hide_step(struct tracee *tracee, enum insn_kind executed);
void tracee_hide_stepping(struct tracee *tracee, enum insn_kind next);
void tracee_hide_in_frame(const struct tracee *tracee, enum insn_kind next);

/* tracee->regs as the other rooms know registers. */
void tracee_regs(const struct tracee *tracee, struct regs *out);

/* The registers that a signal handler will give back when it returns, read from
 * the frame that the kernel has made: for a tracee that stands at the first
 * instruction of the handler. Returns -1 if there is none. */
int tracee_interrupted(const struct tracee *tracee, struct regs *out);

/* For calls of ours: has the registers say that the tracee is to execute the
 * system call instruction at insn, for that call. What comes back is in
 * tracee_result when it is behind that instruction, where tracee_has_called. */
void tracee_prepare_call(struct tracee *tracee, uint64_t insn, uint64_t number,
                         const uint64_t args[6]);
bool tracee_has_called(const struct tracee *tracee, uint64_t insn);
int64_t tracee_result(const struct tracee *tracee);

/* Sets a register of regs.def but for the last two, or the result of the system
 * call at whose exit it is. Returns 0, or -1 with errno. */
int tracee_set_register(struct tracee *tracee, enum reg reg, uint64_t value);
int tracee_set_result(struct tracee *tracee, int64_t result);

/* At the entry of a system call: has the kernel skip it, with ENOSYS; and has
 * the tracee stand in front of it again, by the registers of its entry. */
void tracee_skip_call(struct tracee *tracee);
void tracee_before_call(struct tracee *tracee);

/* At the entry of a system call, or its exit: exchanges the first two arguments
 * that its registers hold for these. */
void tracee_exchange_args(struct tracee *tracee, uint64_t args[2]);

/* Whether the system call at whose exit it is will be made anew. */
bool tracee_awaits_restart(const struct tracee *tracee);

/* The place in tracee->regs of a register that has no purpose of its own. */
uint64_t *tracee_free_register(struct tracee *tracee);

/* Stops at addr when it is executed (a hardware breakpoint); 0 removes it. */
int tracee_break(const struct tracee *tracee, uint64_t addr);

#endif
