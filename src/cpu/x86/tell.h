/* SPDX-License-Identifier: MIT */
/*
 * cpu/x86/tell.h - the words and the sentences of effect.c. Used in this folder only.
 *
 * A sentence is a tell_function: it appends to step->out what its instruction
 * did, or returns false when the arguments do not tell, and then effect.c
 * takes back what was appended. detail is what the table in effect.c says.
 */
#ifndef JITTRACE_CPU_X86_TELL_H
#define JITTRACE_CPU_X86_TELL_H

#include "cpu/effect.h"

/* Everything that is known of one executed instruction. */
struct step {
    const struct insn *insn;
    const struct regs *before;
    const struct regs *after;
    const struct mem_access *reads;
    size_t read_count;
    const struct mem_access *writes;
    size_t write_count;
    struct buf *out;
};

typedef bool tell_function(const struct step *step, const char *detail);

/* The low bits of a value. */
uint64_t value_truncate(uint64_t value, unsigned bits);

/* How the numbers of an equation are taken, and written so that they are. */
enum reading {
    READ_AS_SHOWN, /* by value_describe: signed in decimal, unsigned in hex */
    READ_SIGNED,   /* with a sign in hex too: "-0x8000000000000000" */
    READ_UNSIGNED,
    READING_COUNT,
};

/* The number that the value is in that reading. */
__int128 value_read(uint64_t value, unsigned bits, enum reading reading);

/* As value_describe, for what has no sign (a dividend, shifted bits). */
void value_describe_unsigned(unsigned __int128 value, struct buf *out);

/* A number from little-endian bytes, at most 8. */
uint64_t little_endian(struct bytes bytes);

/* The same, if there are bytes and they are as many as bits says. */
bool bytes_number(struct bytes bytes, unsigned bits, uint64_t *value);

/* The access that begins at addr, or NULL. */
const struct mem_access *access_at(const struct mem_access *list, size_t count,
                                   uint64_t addr);

/* The counter of loop, jrcxz and rep is ecx under an address-size prefix. */
unsigned insn_counter_bits(const struct insn *insn);

/* How many operands are written in the text. They come first. */
unsigned insn_visible_operands(const struct insn *insn);

/* A register of regs.def: only of these are the values known. */
bool operand_is_register(const struct insn_operand *operand);
bool operand_is_same(const struct insn_operand *a,
                     const struct insn_operand *b);

/* The part of the register that the operand uses, as an unsigned number. */
uint64_t operand_part(const struct insn_operand *operand,
                      const struct regs *regs);

/*
 * What a register, an immediate or a place in memory held before, or holds
 * after the instruction. False when it is not known.
 */
bool operand_before(const struct step *step, const struct insn_operand *operand,
                    uint64_t *value);
bool operand_after(const struct step *step, const struct insn_operand *operand,
                   uint64_t *value);

/* "8 bytes", "0x7fff0010", "-4", "00 00 80 3f" */
void tell_words(const struct step *step, const char *text);
void tell_value(const struct step *step, uint64_t value, unsigned bits);
void tell_read(const struct step *step, uint64_t value, unsigned bits,
               enum reading reading);
void tell_address(const struct step *step, uint64_t addr);
void tell_size(const struct step *step, size_t size);
void tell_hex(const struct step *step, struct bytes bytes);

/* "eax" */
void tell_register(const struct step *step, const struct insn_operand *operand);

/* "eax" or "4 bytes at 0x1000" */
void tell_place(const struct step *step, const struct insn_operand *operand);

/* "0x1000 (4 bytes)", of a memory operand */
void tell_extent(const struct step *step, const struct insn_operand *operand);

/* "loaded from 0x1000 (4 bytes)" */
void tell_loaded(const struct step *step, const struct insn_operand *operand);

/* ", 7 loaded from 0x1000 (4 bytes)" where a value is from memory, or nothing
 */
void tell_origin(const struct step *step, const struct insn_operand *operand,
                 uint64_t value, enum reading reading);

/* a symbol b = result, of that many bits; symbol is one of + - * & | ^ */
struct equation {
    char symbol;
    uint64_t a;
    uint64_t b;
    uint64_t result;
    unsigned bits;
    const unsigned *carry; /* that is added or subtracted too, or NULL */
};

/* The first reading in which it is true as ordinary arithmetic; where there is
 * none the result wrapped around, and it is READ_AS_SHOWN. */
enum reading equation_reading(const struct equation *equation);

/*
 * "5 + 3 = 8", in equation_reading, or "..., wrapped around at 32 bits".
 * False when the result is not that of a and b.
 */
bool tell_equation(const struct step *step, const struct equation *equation);

/* tell_move.c */
tell_function tell_move;
tell_function tell_extend;     /* movzx, movsx; "zero" or "sign" */
tell_function tell_extend_rax; /* cbw, cwde, cdqe; the new size in bits */
tell_function tell_sign_rdx;   /* cwd, cdq, cqo; the size in bits */
tell_function tell_xchg;
tell_function tell_cmpxchg;

/* tell_math.c */
tell_function tell_binary; /* the symbol: + - * & | ^ */
tell_function tell_xadd;
tell_function tell_with_carry; /* adc, sbb; + or - */
tell_function tell_unary;      /* inc, dec; + or -; neg: 0 */
tell_function tell_not;
tell_function tell_shift;  /* shl << ; shr >> ; sar >>s */
tell_function tell_rotate; /* "left" or "right" */
tell_function tell_lea;
tell_function tell_multiply; /* "signed" or "unsigned" */
tell_function tell_divide;
tell_function tell_compare; /* cmp - ; test & */

/* tell_flow.c; where there is a condition, detail is what is in front of it */
tell_function tell_cmov;
tell_function tell_setcc;
tell_function tell_branch;
tell_function tell_jrcxz;
tell_function tell_loop; /* the ZF that it asks for, or nothing */
tell_function tell_jump;
tell_function tell_call;
tell_function tell_return;
tell_function tell_push;
tell_function tell_pop;
tell_function tell_flags_moved; /* "pushes" or "pops" */
tell_function tell_leave;

/* tell_string.c */
tell_function tell_string_move;    /* movs */
tell_function tell_string;         /* stos, lods */
tell_function tell_string_compare; /* scas, cmps */

/* tell_cpu.c */
tell_function tell_cpuid;
tell_function tell_counter; /* rdtsc, rdtscp */
tell_function tell_xgetbv;
tell_function tell_syscall;

#endif
