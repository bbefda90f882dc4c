/* SPDX-License-Identifier: MIT */
#include "target/breakpoint.h"

#include "cpu/calling.h"
#include "target/machine.h"
#include "target/proc.h"
#include "target/registers.h"

#define WORD sizeof(uint64_t)

/* On the stack are the number of arguments, these, a zero, the environment, a
 * zero, and the vector, which says where the program is to begin (psABI 3.4.1):
 * nothing but pointers in front of it, which are no AT_ENTRY. */
int entry_await(struct tracee *tracee, struct entry *entry)
{
    /* No program may execute there, and the fault tells it. */
    const uint64_t nowhere = MACHINE_KERNEL;
    uint64_t at, words[512];
    size_t got;

    *entry = (struct entry){.addr = proc_auxv(tracee->pid, AT_ENTRY)};
    if (!entry->addr || tracee_fetch(tracee) < 0)
        return -1;
    if (tracee_pc(tracee) == entry->addr)
        return 0;
    at = tracee_stack(tracee);
    do {
        got = proc_read(tracee->tid, at, words, sizeof words) / WORD;
        for (size_t i = 0; i + 1 < got && !entry->slot; i++)
            if (words[i] == AT_ENTRY && words[i + 1] == entry->addr)
                entry->slot = at + (i + 1) * WORD;
        at += (got - 1) * WORD; /* a pair may lie across */
    } while (got > 1 && !entry->slot);
    if (!entry->slot ||
        tracee_write(tracee, entry->slot, &nowhere, sizeof nowhere) < 0)
        return -1;
    entry->awaited = true;
    return 0;
}

bool entry_is_fault(const struct entry *entry, const struct tracee *tracee,
                    const siginfo_t *info)
{
    return entry->awaited && info->si_signo == SIGSEGV && info->si_code > 0 &&
           tracee_pc(tracee) == MACHINE_KERNEL;
}

int entry_arrive(struct tracee *tracee, struct entry *entry)
{
    entry->awaited = false;
    if (entry->slot)
        tracee_write(tracee, entry->slot, &entry->addr, sizeof entry->addr);
    return tracee_go_to(tracee, entry->addr);
}

int breakpoint_set(struct breakpoint *breakpoint, enum breakpoint_kind kind,
                   const struct tracee *tracee, uint64_t addr)
{
    uint8_t byte = 0;

    if (kind == BREAKPOINT_REGISTER
            ? tracee_break(tracee, addr) < 0
            : proc_read(tracee->tid, addr, &byte, 1) != 1 ||
                  byte == trap_insn ||
                  tracee_write(tracee, addr, &trap_insn, 1) < 0)
        return -1;
    *breakpoint = (struct breakpoint){kind, addr, byte};
    return 0;
}

void breakpoint_remove(struct breakpoint *breakpoint,
                       const struct tracee *tracee)
{
    if (breakpoint->kind == BREAKPOINT_REGISTER)
        tracee_break(tracee, 0);
    if (breakpoint->kind == BREAKPOINT_INSN)
        tracee_write(tracee, breakpoint->addr, &breakpoint->byte, 1);
    breakpoint->kind = BREAKPOINT_NONE;
}

/* The CPU stops in front of an instruction that a debug register holds, and
 * behind an int3 (Intel SDM vol. 3, 18.3). */
bool breakpoint_is_hit(const struct breakpoint *breakpoint,
                       const struct tracee *tracee, const siginfo_t *info)
{
    return breakpoint->kind != BREAKPOINT_NONE && info->si_signo == SIGTRAP &&
           info->si_code > 0 &&
           tracee_pc(tracee) ==
               breakpoint->addr + (breakpoint->kind == BREAKPOINT_INSN);
}

/* A register's breakpoint lets the instruction pass that it stopped at, by the
 * resume flag (Intel SDM vol. 3, 18.3.1.1). The other is passed by a step, if
 * that can be made with signals blocked, and is over then. */
bool breakpoint_pass(struct breakpoint *breakpoint, struct tracee *tracee,
                     struct stop *stop)
{
    const uint64_t addr = breakpoint->addr;
    uint8_t code[INSN_MAX_LENGTH];
    struct insn insn;
    uint64_t mask;
    size_t len;

    *stop = (struct stop){.kind = STOP_NONE};
    if (breakpoint->kind == BREAKPOINT_REGISTER)
        return true;
    breakpoint_remove(breakpoint, tracee);
    len = proc_read(tracee->tid, addr, code, sizeof code);
    if (insn_decode(code, len, addr, &insn) != 1 || insn.kind > INSN_BRANCH ||
        insn.repeated || tracee_mask(tracee, &mask) < 0)
        return false;
    tracee->undisturbed = true;
    if (tracee_resume(tracee, RESUME_STEP, 0) < 0 ||
        tracee_wait(tracee, stop) < 0 || stop->kind != STOP_SIGNAL ||
        stop->signal != SIGTRAP)
        return false;
    stop->kind = STOP_NONE;
    return breakpoint_set(breakpoint, BREAKPOINT_INSN, tracee, addr) == 0;
}
