/* SPDX-License-Identifier: MIT */
/*
 * cpu/fault.h - why the CPU could not execute an instruction, as far as the
 * instruction and the registers before it tell.
 */
#ifndef JITTRACE_CPU_FAULT_H
#define JITTRACE_CPU_FAULT_H

#include "cpu/insn.h"
#include "cpu/regs.h"

/* A division that failed. */
struct fault_division {
    const struct insn_operand *divisor; /* of the instruction */
    enum reg upper;  /* that the upper half of the dividend is in */
    bool known;      /* what follows is: the divisor is in a register */
    bool is_zero;    /* else the quotient is too large */
    bool stale_half; /* ... for the upper half of the dividend does not go with
                      * the lower one, as cqo or xor edx, edx would make it */
};

/* Whether insn divides integers, and then why that raises #DE (Intel SDM vol.
 * 2, DIV, IDIV). */
bool fault_division(const struct insn *insn, const struct regs *regs,
                    struct fault_division *out);

/* Appends the numbers of that division, if it is known:
 * "-9223372036854775808 / -1". */
void fault_division_text(const struct insn *insn, const struct regs *regs,
                         struct buf *out);

/* The names of the halves of the dividend, as "rdx" and "rax"; "ah", "al". */
void fault_division_halves(const struct insn *insn, struct buf *upper,
                           struct buf *lower);

/* How the upper half is made from the lower one: "by cqo". */
const char *fault_division_extension(const struct insn *insn);

/* The explicit or hidden memory operand that makes insn access addr with these
 * registers, or NULL. */
const struct insn_operand *
fault_operand(const struct insn *insn, const struct regs *regs, uint64_t addr);

/* Whether insn is a string instruction that goes from higher addresses to lower
 * ones with these flags: DF is set (Intel SDM vol. 1, 3.4.3.2), which has to be
 * clear at calls and returns (psABI 3.2.1). Whether flags have DF. */
bool fault_goes_down(const struct insn *insn, const struct regs *regs);
bool fault_is_down(uint64_t flags);

/* Whether insn gives the whole register a value that does not depend on what
 * was there: mov ecx, 0 and xor ecx, ecx do, add rcx, 1 and mov cl, 0 do not. */
bool insn_sets(const struct insn *insn, enum reg reg);

/* Whether insn writes to the register, or a part of it. */
bool insn_writes(const struct insn *insn, enum reg reg);

/* Whether a register may have that value behind insn: false only for one that
 * always gives it another, as mov ecx, 1 and xor ecx, ecx do. */
bool insn_may_give(const struct insn *insn, enum reg reg, uint64_t value);

/* Why an access raises #GP, for which the kernel gives no address. */
enum fault_protection {
    FAULT_UNCLEAR,
    FAULT_NOT_CANONICAL, /* no address: bits 63..47 differ (SDM vol. 1, 3.3.7.1)
                          */
    FAULT_MISALIGNED,    /* 16, 32 or 64 bytes at an address that is no multiple
                          * of that, which some vector instructions refuse */
    FAULT_PRIVILEGED,    /* only the kernel may execute it */
};

/* *access is what was to be accessed if that is not canonical or misaligned. */
enum fault_protection fault_protection(const struct insn *insn,
                                       const struct regs *regs,
                                       struct insn_access *access);

/* How many of the bytes it takes to see that they are no instruction, or 0 when
 * they are one, or the beginning of one. */
size_t fault_bad_length(const uint8_t *code, size_t len);

#endif
