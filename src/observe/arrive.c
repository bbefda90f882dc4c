/* SPDX-License-Identifier: MIT */
#include "observe/arrive.h"

#include "cpu/calling.h"
#include "target/calls.h"
#include "target/proc.h"
#include "target/registers.h"

void arrive_await(struct thread *thread, struct place at)
{
    if (thread->awaited_count == MAX_AWAITED) {
        memmove(&thread->awaited[0], &thread->awaited[1],
                sizeof thread->awaited - sizeof thread->awaited[0]);
        thread->awaited_count--;
    }
    thread->awaited[thread->awaited_count++] =
        (struct awaited){at, thread->back};
}

bool arrive_awaited(struct thread *thread, struct place at, struct place *back)
{
    for (unsigned i = thread->awaited_count; i > 0; i--) {
        const struct awaited *awaited = &thread->awaited[i - 1];

        if (awaited->at.pc == at.pc && awaited->at.sp == at.sp) {
            *back = awaited->back;
            thread->awaited_count = i - 1;
            return true;
        }
    }
    return false;
}

enum call_before {
    NO_CALL_BEFORE,
    CALL_ELSEWHERE, /* one that did not lead to the present pc */
    CALL_HERE,
};

/* Where that call led to with these registers before it. */
static uint64_t call_target(pid_t pid, const struct insn *insn,
                            const struct regs *before)
{
    const struct insn_operand *operand = &insn->operands[0];
    uint64_t target = 0;

    if (operand->kind == OPERAND_IMMEDIATE)
        target = (uint64_t)operand->immediate;
    else if (operand->kind == OPERAND_REGISTER)
        target = before->value[operand->reg];
    else if (operand->kind == OPERAND_MEMORY)
        proc_read(pid, insn_address(insn, operand, before), &target,
                  sizeof target);
    return target;
}

/* Is there a call whose last byte is the one before addr? Where it led to is
 * known if nothing has been executed since. A loop makes the same call again
 * and again: it is decoded once. */
static enum call_before call_before(struct thread *thread, uint64_t addr,
                                    const struct regs *regs)
{
    pid_t pid = thread->tracee.tid;
    uint8_t code[CALLING_LONGEST];
    enum call_before found = NO_CALL_BEFORE;
    struct insn *last = &thread->called_by, insn;
    struct regs before;

    calling_before(regs, &before);
    if (proc_read(pid, addr - sizeof code, code, sizeof code) != sizeof code)
        return NO_CALL_BEFORE;
    if (last->length > 0 && last->addr + last->length == addr &&
        memcmp(last->bytes, code + sizeof code - last->length, last->length) ==
            0 &&
        call_target(pid, last, &before) == regs->value[REG_PC])
        return CALL_HERE;
    for (size_t len = CALLING_SHORTEST; len <= sizeof code; len++) {
        if (insn_decode(code + sizeof code - len, len, addr - len, &insn) !=
                1 ||
            insn.length != len || insn.kind != INSN_CALL)
            continue;
        if (call_target(pid, &insn, &before) == regs->value[REG_PC]) {
            *last = insn;
            return CALL_HERE;
        }
        found = CALL_ELSEWHERE;
    }
    return found;
}

bool arrive_follows_call(pid_t pid, uint64_t addr)
{
    return calling_precedes(pid, proc_read, addr);
}

/* Whether code can be there, for which permission is held back or not. */
static bool may_be_code(const struct thread *thread, uint64_t addr)
{
    const struct region *region = regions_at(&thread->space->regions, addr);
    struct maps_line line;

    if (region)
        return region->prot & PROT_EXEC;
    return proc_maps_find(thread->tracee.tid, addr, &line) &&
           line.start <= addr && (line.prot & PROT_EXEC);
}

/*
 * Judges by the address on top of the stack, and takes it for the return. A
 * word that only looks like one would have the end of this stay waited for in
 * vain. A call that leads here proves itself; nothing need be looked up then.
 */
const char *arrive_how(struct thread *thread, const struct regs *regs)
{
    struct place here = {regs->value[REG_PC], regs->value[REG_STACK]};
    bool known = thread->left_by && thread->left_to.pc == here.pc &&
                 thread->left_to.sp == here.sp;
    const char *left_by = thread->left_by, *how = "jump";
    enum call_before found = CALL_HERE;
    pid_t tid = thread->tracee.tid;
    struct call_frame top;

    thread->left_by = NULL;
    if (arrive_awaited(thread, here, &thread->back))
        return "return";
    thread->back = (struct place){0, 0};
    if (calling_frame(tid, proc_read, regs, &top)) {
        if (call_ends_handler(tid, top.return_to))
            how = "signal";
        else if ((found = call_before(thread, top.return_to, regs)) ==
                 CALL_HERE)
            how = "call";
        if (found == CALL_HERE ||
            (found == CALL_ELSEWHERE && may_be_code(thread, top.return_to)))
            thread->back = (struct place){top.return_to, top.stack_after};
    }
    if (known)
        return left_by;
    if (strcmp(how, "jump") == 0 &&
        calling_frame_holds(tid, proc_read,
                            &(struct call_frame){here.pc, here.sp}) &&
        arrive_follows_call(tid, here.pc))
        return "return"; /* it has just taken pc from the stack */
    return how;
}
