/* SPDX-License-Identifier: MIT */
/*
 * The canonical frame address (CFA, DWARF 5, 6.4) is the stack pointer behind a
 * function's return. Rules that compilers write for their own code are all of
 * one kind: the CFA is a register and an offset, and a register of the caller
 * is the same, or at an offset from the CFA. What has other ones (signal frames,
 * the stubs of the dynamic linker) ends the unwinding.
 */
#include "target/unwind.h"

#include <dwarf.h>
#include <search.h>

#include "base/mem.h"
#include "target/lines_parts.h"
#include "target/proc.h"

struct rule {
    enum { RULE_LOST, RULE_SAME, RULE_SAVED, RULE_IS_ADDRESS } kind;
    int32_t offset; /* from the CFA */
};

struct rules_at {
    uint64_t pc;
    const Dwfl_Module *module;
    bool known;
    unsigned cfa_register;
    int64_t cfa_offset;
    unsigned return_register;
    struct rule rule[MACHINE_DWARF_REGISTERS];
};

/* --- rules ---------------------------------------------------------------- */

/* A register's rule from what libdw makes of it: no operation at all for what
 * is lost or, without a place for operations, the same; else CFA [+ offset],
 * the address of the value or, with DW_OP_stack_value, the value itself. */
static struct rule read_rule(Dwarf_Frame *frame, int reg)
{
    struct rule rule = {.kind = RULE_SAVED};
    Dwarf_Op room[3], *ops;
    size_t count, i = 1;

    if (dwarf_frame_register(frame, reg, room, &ops, &count) != 0)
        return (struct rule){.kind = RULE_LOST};
    if (count == 0)
        return (struct rule){.kind = ops ? RULE_LOST : RULE_SAME};
    if (ops[0].atom != DW_OP_call_frame_cfa)
        return (struct rule){.kind = RULE_LOST};
    if (i < count && ops[i].atom == DW_OP_plus_uconst)
        rule.offset = (int32_t)ops[i++].number;
    if (i < count && ops[i].atom == DW_OP_stack_value) {
        rule.kind = RULE_IS_ADDRESS;
        i++;
    }
    return i == count ? rule : (struct rule){.kind = RULE_LOST};
}

static bool read_cfi(Dwarf_CFI *cfi, Dwarf_Addr pc, struct rules_at *out)
{
    Dwarf_Frame *frame;
    Dwarf_Op *ops;
    size_t count;
    int reg;

    if (!cfi || dwarf_cfi_addrframe(cfi, pc, &frame) != 0)
        return false;
    reg = dwarf_frame_info(frame, NULL, NULL, NULL);
    if (reg >= 0 && reg < MACHINE_DWARF_REGISTERS &&
        dwarf_frame_cfa(frame, &ops, &count) == 0 && count == 1 &&
        ops[0].atom == DW_OP_bregx && ops[0].number < MACHINE_DWARF_REGISTERS) {
        out->known = true;
        out->return_register = (unsigned)reg;
        out->cfa_register = (unsigned)ops[0].number;
        out->cfa_offset = (int64_t)ops[0].number2;
        for (int i = 0; i < MACHINE_DWARF_REGISTERS; i++)
            out->rule[i] = read_rule(frame, i);
    }
    free(frame);
    return true;
}

/* A function that keeps the frame pointer of its caller, and sets its own. */
static void read_code(pid_t tid, Dwfl_Module *module, uint64_t pc,
                      struct rules_at *out)
{
    uint8_t code[MACHINE_PROLOGUE];
    GElf_Off offset;
    GElf_Sym symbol;
    size_t length;

    if (!dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL))
        return;
    length = proc_read(tid, pc - offset, code, sizeof code);
    if (!machine_sets_frame(code, length, offset))
        return;
    out->known = true;
    out->return_register = MACHINE_DWARF_RETURN;
    out->cfa_register = MACHINE_DWARF_FRAME;
    out->cfa_offset = 2 * sizeof(uint64_t);
    out->rule[MACHINE_DWARF_FRAME] =
        (struct rule){RULE_SAVED, -2 * (int)sizeof(uint64_t)};
    out->rule[MACHINE_DWARF_RETURN] =
        (struct rule){RULE_SAVED, -(int)sizeof(uint64_t)};
    out->rule[MACHINE_DWARF_STACK] = (struct rule){RULE_IS_ADDRESS, 0};
}

static const struct rules_at *
find_rules(void **rules, const struct unwind *unwind, Dwfl_Module *module)
{
    uint64_t pc = unwind->pc;
    struct rules_at **found = tfind(&pc, rules, lines_by_key);
    struct rules_at *at = found ? *found : mem_alloc(sizeof *at);
    Dwarf_Addr bias = 0;
    Dwarf_CFI *cfi;

    if (at->module == module)
        return at;
    *at = (struct rules_at){.pc = pc, .module = module};
    if (!found)
        tsearch(at, rules, lines_by_key);
    cfi = dwfl_module_eh_cfi(module, &bias);
    if (read_cfi(cfi, pc - bias, at))
        return at;
    cfi = dwfl_module_dwarf_cfi(module, &bias);
    if (!read_cfi(cfi, pc - bias, at))
        read_code(unwind->tid, module, pc, at);
    return at;
}

/* --- steps ---------------------------------------------------------------- */

void unwind_begin(struct unwind *unwind, pid_t tid, const struct regs *regs)
{
    unwind->tid = tid;
    unwind->pc = regs->value[REG_PC];
    unwind->lost = 0;
    for (size_t i = 0; i < MACHINE_DWARF_REGISTERS; i++)
        unwind->value[i] = regs->value[machine_dwarf_register[i]];
    unwind->stack_at = regs->value[REG_STACK];
    unwind->stack_size =
        proc_read(tid, unwind->stack_at, unwind->stack, sizeof unwind->stack);
}

static bool read_word(const struct unwind *unwind, uint64_t addr, uint64_t *out)
{
    uint64_t at = addr - unwind->stack_at;

    if (at > unwind->stack_size || unwind->stack_size - at < sizeof *out)
        return proc_read(unwind->tid, addr, out, sizeof *out) == sizeof *out;
    memcpy(out, unwind->stack + at, sizeof *out);
    return true;
}

uint64_t unwind_step(struct unwind *unwind, void **rules, Dwfl_Module *module)
{
    const struct rules_at *at = find_rules(rules, unwind, module);
    uint64_t value[MACHINE_DWARF_REGISTERS], cfa, return_to;
    unsigned lost = 0;

    if (!at->known || unwind->lost >> at->cfa_register & 1 ||
        at->rule[at->return_register].kind != RULE_SAVED)
        return 0;
    cfa = unwind->value[at->cfa_register] + (uint64_t)at->cfa_offset;
    if (cfa <= unwind->value[MACHINE_DWARF_STACK]) /* also: no circles */
        return 0;
    for (unsigned i = 0; i < MACHINE_DWARF_REGISTERS; i++) {
        uint64_t addr = cfa + (uint64_t)(int64_t)at->rule[i].offset;
        bool known = true;

        value[i] = at->rule[i].kind == RULE_SAME ? unwind->value[i] : addr;
        if (at->rule[i].kind == RULE_SAVED)
            known = read_word(unwind, addr, &value[i]);
        else if (at->rule[i].kind == RULE_SAME)
            known = !(unwind->lost >> i & 1);
        else if (at->rule[i].kind == RULE_LOST)
            known = false;
        lost |= (unsigned)!known << i;
    }
    return_to = value[at->return_register];
    if (lost >> at->return_register & 1 || return_to == 0)
        return 0;
    memcpy(unwind->value, value, sizeof value);
    unwind->value[MACHINE_DWARF_STACK] = cfa;
    unwind->lost = lost & ~(1u << MACHINE_DWARF_STACK);
    unwind->pc = return_to - 1;
    return return_to;
}
