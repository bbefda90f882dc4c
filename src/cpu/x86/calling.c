/* SPDX-License-Identifier: MIT */
/*
 * A call pushes the address of what is behind it, and a return pops that: it
 * stays where it was, just below the stack pointer, until something is pushed
 * over it (Intel SDM vol. 2, CALL and RET).
 */
#include "cpu/calling.h"

#define WORD sizeof(uint64_t)

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

void calling_before(const struct regs *regs, struct regs *before)
{
    *before = *regs;
    before->value[X86_RSP] += WORD;
}
