/* SPDX-License-Identifier: MIT */
/*
 * cpu/insn.h - one instruction: its length, its text, and what each of its
 * bits is for, in the words of the Intel SDM vol. 2, chapter 2.
 *
 * Only insn.c knows Zydis. What comes out has no pointers and can be copied.
 */
#ifndef JITTRACE_CPU_INSN_H
#define JITTRACE_CPU_INSN_H

#include "cpu/regs.h"

/* The longest instruction in bytes (Intel SDM vol. 2, 2.3.11). */
#define INSN_MAX_LENGTH 15

/* How an instruction moves control, as far as a tracer must know. */
enum insn_kind {
    INSN_PLAIN,       /* on to the next one */
    INSN_CALL,        /* near call, direct or indirect */
    INSN_RETURN,      /* near return */
    INSN_JUMP,        /* unconditional jump */
    INSN_BRANCH,      /* conditional jump, loop, jrcxz */
    INSN_SYSCALL,     /* enters the kernel */
    INSN_SAVES_FLAGS, /* stores the flags, the trap flag among them */
    INSN_LOADS_FLAGS, /* loads the flags: popf, iret */
    INSN_TRAP,        /* raises the trap that a step raises, too: int1 */
    INSN_SHADOW,      /* the trap of a step may come behind the next one: where
                       * ss is loaded (Intel SDM vol. 3, 6.8.3), and of cpuid,
                       * which a hypervisor that executes it in place of the
                       * CPU (vol. 3, 25.1.2) may leave without that trap */
};

enum field_kind {
    FIELD_PREFIX, /* legacy prefixes, all of them together */
    FIELD_REX,
    FIELD_VEX, /* VEX, EVEX or XOP bytes */
    FIELD_OPCODE,
    FIELD_MODRM,
    FIELD_SIB,
    FIELD_DISPLACEMENT,
    FIELD_IMMEDIATE,
};

/* A stretch of an instruction's bytes that has one purpose. */
struct insn_field {
    enum field_kind kind;
    uint8_t offset; /* in bytes, from the instruction's first */
    uint8_t size;   /* in bytes */

    /* Displacement and immediate: the value, sign-extended if is_signed.
     * FIELD_VEX: the first byte (c4 and c5 VEX, 62 EVEX, 8f XOP). */
    bool is_signed;
    /* Immediate or displacement that adds to rip: where a jump goes. */
    bool is_relative;
    int64_t value;
    /* Immediate: bits the value is extended to when the CPU uses it (64 for
     * the imm32 of mov rax, imm32); equal to 8 * size where it is not. */
    uint8_t extended_bits;
    /* Opcode: the /digit in ModRM.reg that belongs to it, or -1. */
    int8_t digit;
    /* Opcode: the low three bits of its last byte name a register (push). */
    bool names_register;
};
#define INSN_MAX_FIELDS 10

enum operand_kind {
    OPERAND_REGISTER,
    OPERAND_MEMORY,
    OPERAND_IMMEDIATE,
    OPERAND_ADDRESS, /* a computed address that is not accessed, as of lea, or
                      * one that is not known from these registers (gather) */
};

/* Which bits name a register, by the prefix bit that they get their highest one
 * from (Intel SDM vol. 2, 2.2.1.2 and 2.3.5). */
enum insn_slot {
    SLOT_NONE,
    SLOT_REG,   /* ModRM.reg, R */
    SLOT_INDEX, /* SIB.index, X */
    SLOT_BASE,  /* ModRM.rm, SIB.base or the opcode's lowest three, B */
    SLOT_VVVV,  /* VEX.vvvv */
    SLOTS,
};

/* An operand, explicit or hidden (the stack of push, the flags of add are
 * hidden). Registers that regs.def does not list (vectors, segments) have reg
 * == REG_NONE and still say whether they are read or written. */
struct insn_operand {
    enum operand_kind kind;
    bool hidden;
    bool read;
    bool written;
    bool conditional; /* perhaps it is not: cmov, a string of length 0 */
    uint16_t bits;    /* the size accessed: 8, 16, 32, 64 ... */

    enum reg reg;      /* OPERAND_REGISTER: the full register it is part of */
    bool high;         /* ah, ch, dh, bh: bits 15..8 of it */
    uint8_t vector;    /* 1 + the number of xmm, ymm or zmm; 0: none of these */
    uint8_t mask;      /* 1 + the number of k0 to k7; 0: none of these */
    uint8_t x87;       /* 1 + that of st0 or mm0 and the like, which share
                     * registers; 0: none of these */
    bool is_mmx;       /* it is mm0 and the like */
    bool is_real;      /* what it holds are floating-point numbers ... */
    uint8_t lane_bits; /* ... or others, of so many bits each */
    uint16_t register_bits; /* of a vector: 128, 256, 512, used or not */
    enum insn_slot slot;    /* of a register: what names it */
    char name[8];           /* and its name: "eax", "xmm1" */

    /* OPERAND_MEMORY, OPERAND_ADDRESS: segment base + base + index * scale +
     * displacement. reg fields are REG_NONE where there is none; base ==
     * X86_RIP counts from the end of the instruction. */
    enum reg segment;
    enum reg base;
    enum reg index;
    uint8_t scale;
    uint8_t address_bits; /* 64, or 32 under an address-size prefix */
    int64_t displacement;

    int64_t immediate; /* OPERAND_IMMEDIATE; relative ones: the target */
};
#define INSN_MAX_OPERANDS 10

struct insn {
    uint64_t addr;
    uint8_t bytes[INSN_MAX_LENGTH];
    uint8_t length;
    enum insn_kind kind;
    bool repeated;      /* rep prefix on a string instruction */
    bool uses_vregs;    /* registers of cpu/vregs.h are read or written ... */
    bool changes_vregs; /* ... or may be, exception flags, too */
    bool is_masked;     /* EVEX: a mask, a rounding or a broadcast of its own */
    /* The legacy prefix (66, f2, f3) that is in truth a part of the opcode
     * (SDM vol. 2, 2.1.2, "mandatory prefix"), or 0. */
    uint8_t mandatory_prefix;
    /* A REX without effect, as a prefix is behind it (SDM 2.2.1), or 0. */
    uint8_t void_prefix;
    char mnemonic[16];
    char text[112]; /* Intel syntax, decimal: "mov rax, -4" */
    uint8_t field_count;
    uint8_t operand_count;
    struct insn_field fields[INSN_MAX_FIELDS];       /* in byte order */
    struct insn_operand operands[INSN_MAX_OPERANDS]; /* explicit ones first */
};

/* Which library decodes: its name and version. */
const char *insn_library(void);

/* Decodes the instruction that the len bytes at code begin with, which will run
 * at addr. Returns 1, 0 when they end too early, or -1 when they are none of
 * 64-bit mode; then *out is unchanged. Relative targets appear as addresses. */
int insn_decode(const uint8_t *code, size_t len, uint64_t addr,
                struct insn *out);

/* The same for whatever a tracee stands at: what is no instruction has length
 * 0, and the kind that Linux takes it for when it steps it. */
void insn_decode_any(const uint8_t *code, size_t len, uint64_t addr,
                     struct insn *out);

/* Whether what is behind insn can be next: not after a jump, ret or ud2. */
bool insn_goes_on(const struct insn *insn);
/* Whether the first `length` bytes of insn are prefixes, and no others; a REX
 * is none, as it says what the registers of the opcode are. */
bool insn_are_prefixes(const struct insn *insn, uint64_t length);
/* The distance that insn adds to rip to jump or call, or NULL. */
const struct insn_field *insn_distance(const struct insn *insn);
/* The address that a memory or address operand stands for with these registers.
 * For the hidden stack operand of push and call that is where rsp points before
 * it is lowered; insn_accesses knows better. */
uint64_t insn_address(const struct insn *insn,
                      const struct insn_operand *operand,
                      const struct regs *regs);

/* Memory that an instruction reads or writes. */
struct insn_access {
    uint64_t addr;
    uint32_t size; /* bytes */
    bool read;
    bool written;
};

/*
 * The memory that insn will access when it runs with these registers, hidden
 * accesses (push, call, ret) at the address where they really happen. A
 * repeated string instruction is one iteration, as single-stepping sees it (SDM
 * vol. 3, 17.3.1.4), or none when rcx is 0. Nothing is told of instructions
 * that access no data (nop, lea, prefetch), nor of gathers and scatters, whose
 * addresses are in vector registers. A masked vector store is given in full,
 * and xsave only up to its header. Returns how many entries of out were filled.
 */
size_t insn_accesses(const struct insn *insn, const struct regs *regs,
                     struct insn_access *out, size_t max);

/* "REX", "opcode", "ModRM", "SIB", "disp8", "imm32", "rel8", "prefix",
 * "prefixes", "VEX", "EVEX", "XOP" */
void field_name(const struct insn_field *field, struct buf *out);

#endif
