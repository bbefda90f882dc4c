/* SPDX-License-Identifier: MIT */
/*
 * A call pushes the address of what is behind it, and a return pops that: it
 * stays where it was, just below the stack pointer, until something is pushed
 * over it (Intel SDM vol. 2, CALL and RET).
 */
#include "cpu/calling.h"

#include "cpu/insn.h"

#define WORD  sizeof(uint64_t)
#define STACK (UINT64_C(8) << 20)

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

void calling_before(const struct regs *regs, struct regs *before)
{
    *before = *regs;
    before->value[X86_RSP] += WORD;
}
