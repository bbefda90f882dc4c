/* SPDX-License-Identifier: MIT */
#include "check/address.h"

#include "base/buf.h"
#include "cpu/calling.h"

/* How far behind the number itself an access may be: within an object. */
#define NEAR 4096u

/* --- what registers were given ------------------------------------------- */

static uint64_t value_after(const struct ledger *ledger,
                            const struct event *event, enum reg reg)
{
    const struct reg_changes *changes = &event->step.regs;
    const struct regs *regs = view_regs(&ledger->view, event->tid);

    for (size_t i = 0; i < changes->count; i++)
        if (changes->list[i].reg == reg)
            return changes->list[i].new_value;
    return regs ? regs->value[reg] : 0;
}

/* Where the value comes from that insn has put into a register: its own bytes,
 * or another register. */
static struct given source_of(const struct givens *givens,
                              const struct insn *insn, uint64_t value,
                              const struct place *place, const struct regs *now)
{
    const struct given own = {true, value, *place};
    const struct given *other;

    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_IMMEDIATE &&
            ((uint64_t)operand->immediate == value ||
             (uint32_t)operand->immediate == value))
            return own;
        if (operand->kind == OPERAND_ADDRESS && operand->base == REG_NONE &&
            operand->index == REG_NONE &&
            (uint64_t)operand->displacement == value)
            return own;
        if (operand->kind != OPERAND_REGISTER || !operand->read ||
            operand->reg >= REG_GENERAL)
            continue;
        if (now && operand->bits == 32 && !operand->written &&
            now->value[operand->reg] >> 32 &&
            (uint32_t)now->value[operand->reg] == value)
            return own; /* it moves the lower half only */
        other = &givens->list[operand->reg];
        if (other->known && other->value == value)
            return *other;
    }
    return (struct given){.known = false};
}

void address_step(struct givens *givens, struct ledger *ledger,
                  const struct event *event, const struct insn *insn,
                  const struct place *place)
{
    const struct givens before = *givens;

    for (uint8_t i = 0; i < insn->field_count; i++)
        if (insn->fields[i].size == sizeof(uint32_t))
            ledger_held(ledger, RULE_CUT_ADDRESS);
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_REGISTER && operand->written &&
            operand->reg < REG_GENERAL)
            givens->list[operand->reg] = source_of(
                &before, insn, value_after(ledger, event, operand->reg), place,
                view_regs(&ledger->view, event->tid));
    }
}

void address_returned(struct givens *givens)
{
    for (unsigned reg = 0; reg < REG_GENERAL; reg++)
        if (!calling_is_saved((enum reg)reg))
            givens->list[reg].known = false;
}

/* --- faults -------------------------------------------------------------- */

static void tell(struct ledger *ledger, const struct event *event,
                 const struct place *place, uint64_t addr, const char *what,
                 const char *how)
{
    const struct event_signal *signal = &event->signal;
    const char *symbol = signal->twin_symbol;
    uint64_t twin = signal->twin.value;

    ledger_found(ledger, RULE_CUT_ADDRESS, place, 1,
                 "%s is 0x%" PRIx64 ", and 0x%" PRIx64
                 "%s%s%s has the same low 32 bits: %s",
                 what, addr, twin, symbol ? " (" : "", symbol ? symbol : "",
                 symbol ? ")" : "", how);
}

/* The number is in the instruction that faulted. */
static bool is_own(const struct event_signal *signal, struct insn *insn,
                   const struct insn_operand **out)
{
    if (!signal->pc.known || !signal->bytes.data ||
        insn_decode(signal->bytes.data, signal->bytes.len, signal->pc.value,
                    insn) <= 0)
        return false;
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = *out = &insn->operands[i];
        uint64_t low = (uint32_t)operand->displacement;

        if (operand->kind == OPERAND_MEMORY &&
            (operand->base == REG_PC || operand->base == REG_NONE) &&
            low == (uint32_t)signal->twin.value)
            return true;
    }
    return false;
}

/* The register that was given about this address, or NULL: that it is used by
 * the instruction is not asked, as a function that was called may have it. */
static const struct given *find_given(const struct givens *givens,
                                      uint64_t addr)
{
    const struct given *best = NULL;

    for (unsigned reg = 0; reg < REG_GENERAL; reg++) {
        const struct given *given = &givens->list[reg];

        if (given->known && addr - given->value < NEAR &&
            (!best || given->value > best->value))
            best = given;
    }
    return best;
}

void address_fault(const struct givens *givens, struct ledger *ledger,
                   const struct event *event, const struct insn *last,
                   const struct place *place)
{
    const struct event_signal *signal = &event->signal;
    const struct insn_field *distance = insn_distance(last);
    const struct insn_operand *operand;
    uint64_t addr = signal->addr.value;
    const struct given *given;
    struct place own;
    struct insn insn;

    if (!signal->twin.known || !signal->addr.known)
        return;
    if (distance && distance->size == sizeof(uint32_t) &&
        word_is(signal->access, "execute") &&
        last->addr + last->length + (uint64_t)distance->value == addr) {
        tell(ledger, event, place, addr, "its target",
             "the distance does not fit 32 bits");
    } else if (is_own(signal, &insn, &operand)) {
        own = ledger_place_at(ledger, event->seq, signal->pc.value);
        tell(ledger, event, &own, (uint64_t)operand->displacement,
             "its displacement",
             operand->base == REG_PC ? "but it counts from rip"
                                     : "it has 32 bits only");
    } else if ((given = find_given(givens, addr))) {
        tell(ledger, event, &given->place, addr,
             given->value == addr ? "what it loads"
                                  : "the address made of what it loads",
             "the upper half is lost");
    }
}
