/* SPDX-License-Identifier: MIT */
#include "check/doubts.h"

#include <inttypes.h>

#include "cpu/calling.h"

#define BIT(reg) (UINT32_C(1) << (reg))

void doubts_forget(struct doubts *doubts)
{
    doubts->ready = doubts->lost = 0;
    doubts->set = doubts->read = UINT32_MAX;
    doubts->cut.known = false;
}

/* --- values that are lost ------------------------------------------------- */

static void judge_lost(struct doubts *doubts, struct ledger *ledger,
                       const struct place *place)
{
    for (uint8_t i = 0; i < ledger->insn.operand_count; i++) {
        const struct insn_operand *operand = &ledger->insn.operands[i];
        const enum reg reg = operand->reg;
        const struct place *by;

        if (operand->kind != OPERAND_REGISTER || operand->hidden ||
            !operand->read || reg >= REG_GENERAL || !(doubts->lost & BIT(reg)))
            continue;
        by = &doubts->lost_by[reg];
        ledger_found(ledger, RULE_LOST_VALUE, by, (uint64_t)reg,
                     "it writes to %s, too, where code[%" PRIu64
                     "] has put a value that nothing has used; code[%" PRIu64
                     "] reads %s then",
                     reg_name(reg), doubts->set_at[reg], place->offset,
                     reg_name(reg));
        doubts->lost &= ~BIT(reg);
    }
}

/* A zero is put in front of what overwrites it anyway. */
static bool is_zero(const struct insn *insn, const struct insn_trait *trait)
{
    return trait->clears || (trait->moves && insn->operand_count > 1 &&
                             insn->operands[1].kind == OPERAND_IMMEDIATE &&
                             insn->operands[1].immediate == 0);
}

static void take_values(struct doubts *doubts, struct ledger *ledger,
                        const struct place *place,
                        const struct insn_trait *trait)
{
    const struct insn *insn = &ledger->insn;

    doubts->ready &= ~ledger->touch.read;
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];
        const enum reg reg = operand->reg;

        if (operand->kind != OPERAND_REGISTER || !operand->written ||
            reg >= REG_GENERAL || reg == REG_STACK)
            continue;
        doubts->lost &= ~BIT(reg);
        if (operand->hidden && !operand->read && insn->kind == INSN_PLAIN) {
            ledger_held(ledger, RULE_LOST_VALUE);
            doubts->lost |= doubts->ready & BIT(reg);
            doubts->lost_by[reg] = *place;
        }
        doubts->ready &= ~BIT(reg);
        if (operand->hidden || is_zero(insn, trait))
            continue;
        doubts->ready |= BIT(reg);
        doubts->set_at[reg] = place->offset;
    }
}

/* --- sizes ---------------------------------------------------------------- */

static void take_sizes(struct doubts *doubts, struct ledger *ledger,
                       const struct place *place, const struct regs *now)
{
    const struct insn *insn = &ledger->insn;
    uint64_t whole;

    if (insn_keeps_all(insn))
        ledger_found(ledger, RULE_OPERAND_SIZE, place, 1,
                     "it changes nothing: its immediate is extended with its "
                     "sign to all %u bits, which makes -1 of it",
                     insn->operands[0].bits);
    if (!(ledger->touch.written & BIT(REG_RESULT)))
        return;
    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_REGISTER &&
            insn->operands[i].reg == REG_RESULT && insn->operands[i].read &&
            insn->operands[i].bits < 64) /* so much of it is meant */
            doubts->cut.known = false;
    if (!(ledger->touch.read & BIT(REG_RESULT)))
        doubts->cut.known = false;
    if (insn->operands[0].reg == REG_RESULT &&
        insn_cuts_result(insn, now, &whole)) {
        doubts->cut = *place;
        doubts->whole = whole;
    }
}

/* --- events --------------------------------------------------------------- */

void doubts_step(struct doubts *doubts, struct ledger *ledger,
                 const struct place *place, const struct regs *now,
                 const struct insn_trait *trait)
{
    const enum reg count = insn_count_register(&ledger->insn);

    judge_lost(doubts, ledger, place);
    if (count != REG_NONE && !(doubts->set & BIT(count)) &&
        !doubts->count.known) {
        doubts->count = *place;
        doubts->count_reg = count;
    }
    take_values(doubts, ledger, place, trait);
    take_sizes(doubts, ledger, place, now);
    doubts->read |= ledger->touch.read;
    doubts->set |= ledger->touch.written;
}

/* How many arguments are in front of that register; 0 if it is none. */
static size_t arguments_before(enum reg reg)
{
    for (size_t i = 0; i < REG_ARGUMENTS; i++)
        if (reg_argument[i] == reg)
            return i;
    return 0;
}

static void judge_count(const struct doubts *doubts, struct ledger *ledger)
{
    const size_t before = arguments_before(doubts->count_reg);

    for (size_t i = 1; i < before; i++)
        if (doubts->read & BIT(reg_argument[i]))
            return;
    if (before > 1)
        ledger_noted(ledger, RULE_SHIFT_COUNT, &doubts->count, 2,
                     "it shifts by what is in %s, which nothing has set since "
                     "the code was called: that is argument %zu, and the code "
                     "takes none of those from the second one up to it",
                     reg_name(doubts->count_reg), before + 1);
}

void doubts_returned(const struct doubts *doubts, struct ledger *ledger,
                     const char *taken, uint64_t result)
{
    enum reg part = REG_NONE;

    if (doubts->count.known)
        judge_count(doubts, ledger);
    if (!taken || reg_part_find(taken, &part) != 64 || part != REG_RESULT)
        return;
    if (doubts->cut.known)
        ledger_found(ledger, RULE_OPERAND_SIZE, &doubts->cut, 0,
                     "it makes 32 bits, and 0 of the upper half, though its "
                     "operands have more; of 64 bits, with REX.W, it would "
                     "make 0x%" PRIx64 ". The caller takes all of %s, "
                     "0x%" PRIx64,
                     doubts->whole, reg_name(REG_RESULT), result);
    else
        ledger_held(ledger, RULE_OPERAND_SIZE);
}
