/* SPDX-License-Identifier: MIT */
/*
 * target/machine.h - of this room only: what the kernel and the formats of files
 * call this CPU, and the one call of ptrace(2).
 */
#ifndef JITTRACE_TARGET_MACHINE_H
#define JITTRACE_TARGET_MACHINE_H

#include <elf.h>
#include <linux/audit.h>
#include <sys/types.h>

#include "cpu/regs.h"

/* The architecture of a system call (seccomp(2)); those of int 0x80 have another
 * one, and other numbers. */
#define MACHINE_AUDIT AUDIT_ARCH_X86_64

/* The lowest address of the kernel's half (Intel SDM vol. 1, 3.3.7.1; Linux'
 * mm.rst for x86-64). */
#define MACHINE_KERNEL UINT64_C(0xffff800000000000)

/* The relocations of slots that the dynamic linker fills with the address of a
 * function: for calls, and for pointers (psABI 4.4.1). */
#define MACHINE_JUMP_SLOT   R_X86_64_JUMP_SLOT
#define MACHINE_GLOBAL_SLOT R_X86_64_GLOB_DAT

/* Those of an address in an object file that was not linked: of eight bytes, and
 * of four, which the CPU widens with zeros or with the sign (psABI 4.4.1). */
#define MACHINE_WORD64  R_X86_64_64
#define MACHINE_WORD32  R_X86_64_32
#define MACHINE_WORD32S R_X86_64_32S

/* The registers by their DWARF numbers (psABI, figure 3.36). */
#define MACHINE_DWARF_REGISTERS 17
extern const enum reg machine_dwarf_register[MACHINE_DWARF_REGISTERS];
#define MACHINE_DWARF_FRAME  6
#define MACHINE_DWARF_STACK  7
#define MACHINE_DWARF_RETURN 16

/* Whether a function that begins with these bytes has made the frame pointer
 * its own before the instruction at that offset: it has pushed its caller's and
 * set it to where that is (psABI 3.2.2). MACHINE_PROLOGUE bytes tell. */
#define MACHINE_PROLOGUE 8
bool machine_sets_frame(const uint8_t *code, size_t len, uint64_t offset);

/* Makes a request (PTRACE_*). data is a pointer or, where the request takes a
 * number, that number. Returns what the request does, or -1 with errno. */
long ptrace_request(int op, pid_t tid, uintptr_t addr, const void *data);

#endif
