/* SPDX-License-Identifier: MIT */
/*
 * cpu/trait.h - what an instruction is for, as far as it can tell that a value
 * is not the one that was meant: what compares, what decides by that, what
 * divides or shifts (Intel SDM vol. 1, 5.1, and vol. 2).
 */
#ifndef JITTRACE_CPU_TRAIT_H
#define JITTRACE_CPU_TRAIT_H

#include "cpu/insn.h"
#include "cpu/regs.h"

struct insn_trait {
    bool compares;  /* it is for its flags only: cmp, test, ucomisd */
    bool decides;   /* by flags: jcc, setcc, cmovcc */
    bool sets_byte; /* setcc of a register */
    bool clears;    /* xor eax, eax: its flags are always the same */
    bool on_stack;  /* add, sub and the like, of the stack pointer */
    bool moves;     /* it brings a value elsewhere, extended perhaps */
    bool idles;     /* it uses no value that it reads: nop; or rax, -1; sbb of
                     * a register and itself; lock or [rsp], 0; a test of memory,
                      * which may only ask for a page */
    bool packs;     /* it brings bits to another place: shl, or */
    int8_t merges;  /* the number of an operand that gives only the upper part
                     * of the result: of cvtsi2sd; or -1 */
    bool extends;   /* cwd, cdq, cqo: makes the upper half of a dividend */
    bool single;    /* it makes a float, a scalar single (SDM vol. 1, 10.4) */
    bool twice;     /* it makes a double */
    bool reads_single; /* it computes with floats, or converts them */
    bool reads_twice;  /* with doubles */
    bool asks; /* it asks the CPU or the kernel, which may tell anything:
                        * rdtsc, cpuid, syscall */
};

void insn_traits(const struct insn *insn, struct insn_trait *out);

/* The register that has the upper half of a dividend. */
extern const enum reg insn_dividend_high;

/* A division of high:low, of 32 or 64 bits each. */
struct insn_division {
    enum reg high;
    enum reg low;
    unsigned bits;
    bool is_signed;
};

/* Returns false if insn is none. */
bool insn_divides(const struct insn *insn, struct insn_division *out);

/* A shift or rotation by a number that stands in the instruction and of which
 * the CPU takes the low 5 bits, or 6 of an operand of 64 (SDM vol. 2, SAL/SAR/
 * SHL/SHR): whether that is another one. Both in bits. */
bool insn_cuts_count(const struct insn *insn, unsigned *count, unsigned *taken);

/* The register that has the number by which insn shifts or rotates, or
 * REG_NONE. */
enum reg insn_count_register(const struct insn *insn);

/* Whether insn, of 32 bits, moves or computes with registers that have more,
 * and would make something else of their 64 bits (SDM vol. 1, 3.4.1.1: the upper
 * half of the result is 0): *whole, for its first operand. */
bool insn_cuts_result(const struct insn *insn, const struct regs *before,
                      uint64_t *whole);

/* Whether it is an AND whose immediate has all of its bits set, and is extended
 * to all ones (SDM vol. 2, AND). */
bool insn_keeps_all(const struct insn *insn);

#endif
