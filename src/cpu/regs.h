/* SPDX-License-Identifier: MIT */
/*
 * cpu/regs.h - what the architecture is called, its register file, and the
 * names that a calling convention gives to some of that.
 */
#ifndef JITTRACE_CPU_REGS_H
#define JITTRACE_CPU_REGS_H

#include <stdint.h>

#include "base/buf.h"

/* As a trace names it. */
#define ARCH_NAME "x86_64"

/* What objdump(1) must be told of it, to disassemble bare bytes. */
#define ARCH_OBJDUMP "-m i386:x86-64 -M intel"

/* Its e_machine in ELF files (elf(5)), whose header says what that is. */
#define ARCH_ELF EM_X86_64

/* Bytes of a page: the smallest that has a protection of its own (Intel SDM
 * vol. 3, 4.2). */
#define ARCH_PAGE_SIZE 4096u

/* Behind the last address that a program has, where it asks for no more than
 * the usual ones (Documentation/arch/x86/x86_64/mm.rst, 5level-paging.rst). */
#define ARCH_USER_END (UINT64_C(1) << 47)

/* Not REG_RAX: <sys/ucontext.h> owns those names. */
enum reg {
#define REGISTER(id, name) X86_##id,
#include "cpu/regs.def"
    REG_COUNT,
    REG_NONE = REG_COUNT,
};

/* The same registers under the names that do not depend on the CPU. */
#define REG_PC      X86_RIP
#define REG_STACK   X86_RSP
#define REG_THREAD  X86_FS_BASE /* what a thread has its own of */
#define REG_FLAGS   X86_RFLAGS
#define REG_RESULT  X86_RAX
#define REG_SYSCALL X86_RAX /* has its number (psABI A.2.1) */
#define REG_VECTORS \
    X86_RAX /* its low byte tells a variadic function how many
                             * vector registers have arguments (psABI 3.5.7) */

/* The general registers are the first so many of the list. */
#define REG_GENERAL 16

/* Integer arguments of a call, in order (System V AMD64 psABI, 3.2.3). */
#define REG_ARGUMENTS 6
extern const enum reg reg_argument[REG_ARGUMENTS];

struct regs {
    uint64_t value[REG_COUNT];
};

/* One register that an instruction changed. */
struct reg_change {
    enum reg reg;
    uint64_t old_value;
    uint64_t new_value;
};

/* The lower-case name; reg must be below REG_COUNT. */
const char *reg_name(enum reg reg);

/* The register of that lower-case name, or REG_NONE. */
enum reg reg_find(const char *name);

/* Appends the name of the part of a general register that an instruction uses:
 * its low 64, 32, 16 or 8 bits, or bits 15..8 if high ("rax" "eax" "ax" "al"
 * "ah"; Intel SDM vol. 1, table 3-2). */
void reg_part_name(enum reg reg, unsigned bits, bool high, struct buf *out);

/* The register that a name is of which reg_part_name gives to its low bits, as
 * *out, and how many; 0: none. */
unsigned reg_part_find(const char *name, enum reg *out);

/* The register whose lowest byte an instruction with a REX prefix uses where
 * one without uses bits 15..8 of reg: sil for dh (Intel SDM vol. 2, 2.2.1.2).
 * REG_NONE for a register that has no such part. */
enum reg reg_beside_high(enum reg reg);

/* Lists what differs between two register files, in the order of regs.def,
 * without the program counter (an instruction's address says that). out has
 * room for REG_COUNT entries. Returns how many were filled. */
size_t regs_diff(const struct regs *before, const struct regs *after,
                 struct reg_change *out);

/* Appends the names of the flags that are set, as "CF ZF", or "none" (Intel SDM
 * vol. 1, 3.4.3: the status flags CF PF AF ZF SF OF, and DF and TF). */
void flags_describe(uint64_t flags, struct buf *out);

/* The bit of the flag of that name, capitals or not; or 0. */
uint64_t flag_find(const char *name);

#endif
