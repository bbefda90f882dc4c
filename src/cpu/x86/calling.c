/* SPDX-License-Identifier: MIT */
/*
 * A call pushes the address of what is behind it, and a return pops that: it
 * stays where it was, just below the stack pointer, until something is pushed
 * over it (Intel SDM vol. 2, CALL and RET).
 */
#include "cpu/calling.h"

#include "cpu/touch.h"

#define WORD  sizeof(uint64_t)
#define STACK (UINT64_C(8) << 20)

const enum reg calling_interest[REG_COUNT] = {
    X86_RAX, X86_RDI, X86_RSP, X86_RFLAGS, X86_RSI,     X86_RDX,     X86_RCX,
    X86_R8,  X86_R9,  X86_RBP, X86_RBX,    X86_R10,     X86_R11,     X86_R12,
    X86_R13, X86_R14, X86_R15, X86_RIP,    X86_FS_BASE, X86_GS_BASE,
};

const enum reg calling_saved[CALLING_SAVED] = {X86_RBX, X86_RBP, X86_R12,
                                               X86_R13, X86_R14, X86_R15};

bool calling_is_saved(enum reg reg)
{
    for (size_t i = 0; i < CALLING_SAVED; i++)
        if (calling_saved[i] == reg)
            return true;
    return false;
}

const enum reg calling_lost[CALLING_LOST] = {X86_RCX, X86_RSI, X86_RDI, X86_R8,
                                             X86_R9,  X86_R10, X86_R11};
const enum reg calling_kernel_lost[CALLING_KERNEL_LOST] = {X86_RCX, X86_R11};
const enum reg calling_nobodys[CALLING_NOBODYS] = {X86_RAX, X86_R10, X86_R11};
const enum reg calling_windows[CALLING_WINDOWS] = {X86_RCX, X86_RDX, X86_R8,
                                                   X86_R9};

bool calling_is_frame(enum reg reg)
{
    return reg == X86_RSP || reg == X86_RBP;
}

uint64_t calling_stack_after(const struct regs *entry)
{
    return entry->value[X86_RSP] + WORD;
}

bool calling_is_aligned(const struct regs *entry)
{
    return calling_stack_after(entry) % CALLING_ALIGNMENT == 0;
}

bool calling_frame(int pid, memory_reader *read, const struct regs *regs,
                   struct call_frame *out)
{
    uint64_t slot = regs->value[X86_RSP];

    out->stack_after = slot + WORD;
    return read(pid, slot, &out->return_to, WORD) == WORD;
}

bool calling_frame_holds(int pid, memory_reader *read,
                         const struct call_frame *frame)
{
    uint64_t held;

    return read(pid, frame->stack_after - WORD, &held, WORD) == WORD &&
           held == frame->return_to;
}

bool calling_precedes(int pid, memory_reader *read, uint64_t addr)
{
    uint8_t code[CALLING_LONGEST];
    struct insn insn;

    if (read(pid, addr - sizeof code, code, sizeof code) != sizeof code)
        return false;
    for (size_t len = CALLING_SHORTEST; len <= sizeof code; len++)
        if (insn_decode(code + sizeof code - len, len, addr - len, &insn) ==
                1 &&
            insn.length == len && insn.kind == INSN_CALL)
            return true;
    return false;
}

/* To decode takes a while, and most instructions push nothing. */
bool calling_is_call(struct bytes insn, uint64_t addr,
                     const struct reg_change *changes, size_t count)
{
    struct insn decoded;

    for (size_t i = 0; i < count; i++)
        if (changes[i].reg == X86_RSP)
            return changes[i].new_value < changes[i].old_value &&
                   insn_decode(insn.data, insn.len, addr, &decoded) > 0 &&
                   decoded.kind == INSN_CALL;
    return false;
}

bool calling_is_over(const struct regs *entry, uint64_t sp)
{
    return sp > entry->value[X86_RSP] && sp - entry->value[X86_RSP] <= STACK;
}

/* The widest part of the result register that insn reads. */
static const char *part_read(const struct insn *insn)
{
    static const char *const names[] = {"al", "ax", "eax", "rax"};
    unsigned widest = 0;

    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];
        unsigned part = 3;

        if (operand->kind == OPERAND_REGISTER) {
            if (operand->reg != X86_RAX || !operand->read)
                continue;
            for (part = 0; part < 3 && 8u << part < operand->bits; part++)
                ;
        } else if (operand->base != X86_RAX && operand->index != X86_RAX) {
            continue;
        }
        widest = part > widest ? part : widest;
    }
    return names[widest];
}

const char *calling_taken(struct bytes code, uint64_t addr)
{
    bool general = true, vector = true; /* they may still be the result's */
    struct insn_touch touch;
    struct insn insn;
    size_t at = 0;

    while ((general || vector) &&
           insn_decode(code.data + at, code.len - at, addr + at, &insn) > 0 &&
           insn.kind == INSN_PLAIN) {
        insn_touches(&insn, &touch);
        if (general && touch.read >> X86_RAX & 1)
            return part_read(&insn);
        if (vector && touch.vectors_read & 1)
            return "xmm0";
        general &= !(touch.written >> X86_RAX & 1);
        vector &= !(touch.vectors_written & 1);
        at += insn.length;
    }
    return NULL;
}

void calling_before(const struct regs *regs, struct regs *before)
{
    *before = *regs;
    before->value[X86_RSP] += WORD;
}

/* --- traps ---------------------------------------------------------------- */

/* Intel SDM vol. 1, 3.4.3.3 */
#define TRAP_FLAG   0x100u
#define NESTED_TASK 0x4000u

#define INT_N 0xcd /* of two bytes; the second is the vector, 3 for #BP */

const uint8_t trap_insn = 0xcc;
const uint8_t idle_insn = 0x90;
const uint8_t syscall_bytes[SYSCALL_LENGTH] = {0x0f, 0x05};

size_t trap_length(const uint8_t bytes[TRAP_LOOK_BACK])
{
    if (bytes[1] == trap_insn)
        return 1;
    return bytes[0] == INT_N && bytes[1] == 3 ? 2 : 0;
}

bool trap_loads_flags(const uint8_t *code, size_t len)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};
    size_t i = 0;

    while (i < len && ((code[i] & 0xf0) == 0x40 /* REX */ ||
                       memchr(prefixes, code[i], sizeof prefixes)))
        i++;
    return i < len && (code[i] == 0x9d || code[i] == 0xcf); /* popf, iret */
}

/* An iret takes five words, of which the flags are the third. */
uint64_t trap_flags_loaded(const struct insn *insn, const uint8_t *read,
                           size_t len)
{
    size_t at = len % 5 == 0 ? len / 5 * 2 : 0;
    uint16_t flags;

    if (insn->kind != INSN_LOADS_FLAGS || len < at + sizeof flags)
        return 0;
    memcpy(&flags, read + at, sizeof flags);
    return flags;
}

bool trap_is_set(uint64_t flags)
{
    return flags & TRAP_FLAG;
}

bool trap_loses_flags(uint64_t flags)
{
    return flags & NESTED_TASK;
}
