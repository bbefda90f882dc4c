/* SPDX-License-Identifier: MIT */
/*
 * values.c - a value is followed through moves to where it is used: computed
 * with, compared, an address, an argument of a known function, the result. What
 * a function outside, the kernel or another thread may have stored in the frame
 * is taken for set.
 */
#include "check/values.h"

#include <inttypes.h>
#include <string.h>

#include "check/calls.h"

enum dividend_kind {
    DIVIDEND_OTHER,
    DIVIDEND_EXTENDED, /* by cwd, cdq or cqo */
    DIVIDEND_ZERO,
};

/* A step that is looked at, or an instruction that was to be one. */
struct use {
    struct ledger *ledger;
    const struct event *event;
    struct call *call;
    const struct regs *now; /* before it */
    const struct insn *insn;
    struct insn_trait trait;
    struct place place;
    const char *verb; /* how what is told of that place begins */
};

void values_begin(struct values *values, bool free)
{
    memset(values, 0, sizeof *values);
    if (free)
        return;
    for (int reg = 0; reg < REG_GENERAL; reg++)
        values->regs[reg].kind = VALUE_ENTRY;
    for (size_t i = 0; i < CALLING_NOBODYS; i++)
        values->regs[calling_nobodys[i]].kind = VALUE_UNSET;
    values->regs[REG_STACK].kind = VALUE_SET;
    values->flags = FLAGS_ENTRY;
}

/* --- the frame ------------------------------------------------------------ */

/* How far below the stack pointer at entry, from 1 on; 0: not in the frame. */
static uint64_t depth_of(const struct call *call, uint64_t addr)
{
    uint64_t depth = call->regs.value[REG_STACK] - addr;

    return depth <= VALUES_STACK ? depth : 0;
}

static bool is_stored(const struct values *values, uint64_t depth)
{
    return values->stored[(depth - 1) / 64] >> ((depth - 1) % 64) & 1;
}

bool values_stored(const struct call *call, uint64_t addr, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        uint64_t depth = depth_of(call, addr + i);

        if (depth == 0 || is_stored(&call->values, depth))
            return true;
    }
    return false;
}

static void store(struct call *call, uint64_t addr, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        uint64_t depth = depth_of(call, addr + i);

        if (depth > 0)
            call->values.stored[(depth - 1) / 64] |= UINT64_C(1)
                                                     << ((depth - 1) % 64);
    }
}

static void store_all(struct call *call)
{
    memset(call->values.stored, 0xff, sizeof call->values.stored);
}

/* The first place of the frame that the step reads and that nothing has stored
 * to, or NULL. What is below the stack pointer is another rule's. */
static const struct mem_access *read_unset(const struct use *use)
{
    const struct mem_accesses *reads = &use->event->step.reads;

    if (use->event->kind != EVENT_STEP)
        return NULL;
    for (size_t i = 0; i < reads->count; i++) {
        const struct mem_access *read = &reads->list[i];

        if (read->old_bytes.len > 0 &&
            read->old_bytes.len <= sizeof(uint64_t) &&
            read->addr >= use->now->value[REG_STACK] &&
            !values_stored(use->call, read->addr, read->old_bytes.len))
            return read;
    }
    return NULL;
}

/* --- uses ----------------------------------------------------------------- */

/* So many bits of a register are used by what is at that place. */
static void judge_value(struct use *use, enum reg reg, unsigned bits)
{
    struct value *value = &use->call->values.regs[reg];
    struct ledger *ledger = use->ledger;
    const struct place *from = &value->from;
    struct buf name = {0};

    if (value->kind == VALUE_PART ? bits <= value->bits
                                  : value->kind <= VALUE_ENTRY)
        return;
    if (value->kind == VALUE_SLOT && use->trait.packs) {
        value->kind = VALUE_SET; /* a struct that goes into registers */
        return;
    }
    reg_part_name(reg, bits, false, &name);
    if (value->kind == VALUE_UNSET)
        ledger_found(ledger, RULE_SET_BEFORE_USE, &use->place, (uint64_t)reg,
                     "%s %s, which nothing has set since the code was called",
                     use->verb, buf_text(&name));
    else if (value->kind == VALUE_SLOT)
        ledger_found(ledger, RULE_SET_BEFORE_USE, from, (uint64_t)reg,
                     "it loads %s from a place of the stack that nothing has "
                     "stored to since the code was called, and code[%" PRIu64
                     "] uses that",
                     reg_name(reg), use->place.offset);
    else if (value->kind == VALUE_PART)
        ledger_found(ledger, RULE_SET_BEFORE_USE, &use->place, (uint64_t)reg,
                     "%s %s, of which only the low %u bits were set, at "
                     "code[%" PRIu64 "]; above them is what was there before",
                     use->verb, buf_text(&name), value->bits, from->offset);
    else if (value->kind == VALUE_STRAY)
        ledger_found(ledger, RULE_CALLER_SAVED, from, (uint64_t)reg,
                     "it moves %s, which a call or syscall before has changed, "
                     "and code[%" PRIu64
                     "] uses that as if it were still its own",
                     reg_name((enum reg)value->lost), use->place.offset);
    else
        ledger_found(ledger, RULE_SET_BEFORE_USE, &use->place, (uint64_t)reg,
                     "%s %s, in which the function that was called at "
                     "code[%" PRIu64 "] returns nothing",
                     use->verb, buf_text(&name), from->offset);
    value->kind = VALUE_SET;
    buf_release(&name);
}

/* Only for its lowest byte may a register be asked that is the count of vector
 * registers, or that was not set: whether there are some. */
static bool is_asked(const struct use *use, const struct insn_operand *operand)
{
    return use->trait.compares && operand->bits == 8 &&
           use->call->values.regs[operand->reg].kind == VALUE_UNSET;
}

static void judge_operand(struct use *use, const struct insn_operand *operand)
{
    if (operand->kind != OPERAND_REGISTER) {
        if (operand->base < REG_GENERAL)
            judge_value(use, operand->base, 64);
        if (operand->index < REG_GENERAL)
            judge_value(use, operand->index, 64);
    } else if (operand->reg < REG_GENERAL && operand->read &&
               !use->trait.moves && !is_asked(use, operand)) {
        judge_value(use, operand->reg, operand->high ? 16 : operand->bits);
    }
}

/* What fresh memory has: code that was never written. */
static bool is_fill(const struct insn *insn)
{
    for (uint8_t i = 0; i < insn->length; i++)
        if (insn->bytes[i] != 0)
            return false;
    return true;
}

static void judge_uses(struct use *use)
{
    const struct mem_access *read;

    if (use->trait.idles || use->trait.clears || is_fill(use->insn))
        return;
    for (uint8_t i = 0; i < use->insn->operand_count; i++)
        judge_operand(use, &use->insn->operands[i]);
    read = use->trait.moves || use->insn->kind == INSN_RETURN ? NULL
                                                              : read_unset(use);
    if (read)
        ledger_found(use->ledger, RULE_SET_BEFORE_USE, &use->place, REG_COUNT,
                     "it uses %zu bytes at 0x%" PRIx64 ", rsp + %" PRIu64
                     ", to which nothing has stored since the code was called",
                     read->old_bytes.len, read->addr,
                     read->addr - use->now->value[REG_STACK]);
    else
        ledger_held(use->ledger, RULE_SET_BEFORE_USE);
}

/* --- what is set ---------------------------------------------------------- */

/* Bits of a register that are set by a write to so many of them. */
static void set_bits(struct use *use, const struct insn_operand *operand)
{
    struct value *value = &use->call->values.regs[operand->reg];
    const bool garbage = use->now->value[operand->reg] >> 8 != 0;
    uint8_t bits = operand->high ? 16 : (uint8_t)operand->bits;

    use->call->values.computes |= operand->reg != REG_STACK;
    if (operand->bits >= 32) {
        value->kind = VALUE_SET;
    } else if (value->kind == VALUE_PART) {
        value->bits = value->bits < bits ? bits : value->bits;
    } else if (value->kind > VALUE_ENTRY ||
               (value->kind != VALUE_SET && use->trait.sets_byte && garbage)) {
        *value = (struct value){VALUE_PART, bits, 0, use->place};
    }
}

/* A move into a register: what is moved keeps its origin. */
static bool take_move(struct use *use)
{
    const struct insn_operand *to = &use->insn->operands[0], *from = to + 1;
    struct value *value, moved;

    if (!use->trait.moves || to->kind != OPERAND_REGISTER ||
        to->reg >= REG_GENERAL || to->bits < 32 || !to->written || to->read)
        return false;
    value = &use->call->values.regs[to->reg];
    if (read_unset(use)) {
        *value = (struct value){VALUE_SLOT, .from = use->place};
        return true;
    }
    if (from->hidden || from->kind != OPERAND_REGISTER ||
        from->reg >= REG_GENERAL)
        return false;
    moved = use->call->values.regs[from->reg];
    if (moved.kind == VALUE_LOST && !from->high && from->bits <= 64) {
        *value = (struct value){VALUE_STRAY, 0, from->reg, use->place};
        return true;
    }
    if (moved.kind == VALUE_ENTRY || from->high || from->bits > 64 ||
        (moved.kind == VALUE_PART && moved.bits >= from->bits))
        return false;
    *value = moved;
    return true;
}

/* Whether all that is stored is a register that was never set. */
static bool stores_unset(const struct use *use)
{
    if (!use->trait.moves)
        return false;
    for (uint8_t i = 0; i < use->insn->operand_count; i++) {
        const struct insn_operand *operand = &use->insn->operands[i];

        if (operand->kind == OPERAND_REGISTER && !operand->hidden)
            return operand->read && operand->reg < REG_GENERAL &&
                   (use->call->values.regs[operand->reg].kind == VALUE_UNSET ||
                    use->call->values.regs[operand->reg].kind == VALUE_SLOT);
    }
    return false;
}

static void take_set(struct use *use)
{
    const struct mem_accesses *writes = &use->event->step.writes;

    for (size_t i = 0; i < writes->count && !stores_unset(use); i++)
        store(use->call, writes->list[i].addr, writes->list[i].new_bytes.len);
    if (use->insn->kind == INSN_SYSCALL) { /* the kernel's results */
        store_all(use->call);
        use->call->values.regs[REG_RESULT].kind = VALUE_SET;
    }
    if (take_move(use))
        return;
    for (uint8_t i = 0; i < use->insn->operand_count; i++) {
        const struct insn_operand *operand = &use->insn->operands[i];

        if (operand->kind == OPERAND_REGISTER && operand->written &&
            operand->reg < REG_GENERAL)
            set_bits(use, operand);
    }
}

/* --- flags ---------------------------------------------------------------- */

static void judge_flags(struct use *use)
{
    struct values *values = &use->call->values;
    struct ledger *ledger = use->ledger;
    const uint64_t by = values->flags_by.offset;

    if (values->flags == FLAGS_SET)
        ledger_held(ledger, RULE_FLAGS);
    else if (values->flags == FLAGS_ENTRY)
        ledger_found(ledger, RULE_FLAGS, &use->place, 0,
                     "it decides by flags that nothing has set since the code "
                     "was called");
    else if (values->flags == FLAGS_LOST)
        ledger_found(ledger, RULE_FLAGS, &use->place, 0,
                     "it decides by what the function that was called at "
                     "code[%" PRIu64 "] has left in the flags; a call keeps "
                     "none",
                     by);
    else
        ledger_found(
            ledger, RULE_FLAGS, &values->flags_by, 0,
            "it sets the flags anew %s, so that code[%" PRIu64
            "] decides by them and not by what code[%" PRIu64 "] has compared",
            values->flags == FLAGS_CLEARED ? "(always the same ones)"
                                           : "(by the address of the stack)",
            use->place.offset, values->compare.offset);
}

static void take_flags(struct use *use)
{
    struct values *values = &use->call->values;
    const uint32_t flags = UINT32_C(1) << REG_FLAGS;
    struct insn_touch touch;

    insn_touches(use->insn, &touch);
    if (use->trait.decides)
        judge_flags(use);
    if (touch.read & flags || use->insn->kind == INSN_CALL ||
        use->insn->kind == INSN_RETURN)
        values->compare.known = false;
    if (!(touch.written & flags) || use->insn->kind == INSN_SYSCALL)
        return;
    values->flags = FLAGS_SET;
    values->flags_by = use->place;
    if (use->trait.compares)
        values->compare = use->place;
    else if (values->compare.known && use->trait.clears)
        values->flags = FLAGS_CLEARED;
    else if (values->compare.known && use->trait.on_stack)
        values->flags = FLAGS_STACK;
    else
        values->compare.known = false;
}

/* --- division ------------------------------------------------------------- */

static void judge_division(struct use *use)
{
    const struct values *values = &use->call->values;
    struct insn_division division;
    uint64_t high, low, extended;
    const char *what = NULL;

    if (!insn_divides(use->insn, &division))
        return;
    high = use->now->value[division.high] << (64 - division.bits);
    low = use->now->value[division.low] << (64 - division.bits);
    extended = low >> 63 ? UINT64_MAX << (64 - division.bits) : 0;
    if (values->regs[division.high].kind == VALUE_ENTRY && division.is_signed)
        what = "nothing has set since the code was called";
    else if (values->high == DIVIDEND_EXTENDED && high != extended)
        what = "is not the sign of the lower one";
    else if (values->high == DIVIDEND_EXTENDED && !division.is_signed && high)
        what = "is a sign, and this division has none";
    else if (values->high == DIVIDEND_ZERO && division.is_signed && low >> 63)
        what = "is 0, though the lower one is negative";
    if (!what) {
        ledger_held(use->ledger, RULE_DIVISION);
        return;
    }
    if (values->high != DIVIDEND_OTHER)
        ledger_found(use->ledger, RULE_DIVISION, &values->high_by, 1,
                     "it makes the upper half of what code[%" PRIu64
                     "] divides, and that does not go with the lower half",
                     use->place.offset);
    ledger_found(use->ledger, RULE_DIVISION, &use->place, 0,
                 "it divides %u bits, of which the upper half, %s = 0x%" PRIx64
                 ", %s",
                 2 * division.bits, reg_name(division.high),
                 use->now->value[division.high], what);
}

static void take_division(struct use *use)
{
    struct values *values = &use->call->values;
    const struct insn_operand *first = use->insn->operands;
    struct insn_touch touch;

    insn_touches(use->insn, &touch);
    if (!(touch.written >> insn_dividend_high & 1))
        return;
    values->high_by = use->place;
    values->high = use->trait.extends ? DIVIDEND_EXTENDED : DIVIDEND_OTHER;
    if (first->bits >= 32 &&
        (use->trait.clears ||
         (use->trait.moves && first[1].kind == OPERAND_IMMEDIATE &&
          first[1].immediate == 0)))
        values->high = DIVIDEND_ZERO;
}

static void judge_count(struct use *use)
{
    unsigned count, taken;

    if (insn_cuts_count(use->insn, &count, &taken))
        ledger_found(use->ledger, RULE_SHIFT_COUNT, &use->place, 0,
                     "it is to shift %u bits by %u, and the CPU takes %u for "
                     "that",
                     use->insn->operands[0].bits, count, taken);
    else
        ledger_held(use->ledger, RULE_SHIFT_COUNT);
}

/* What the kernel, or a function outside, has changed as it may. */
static void take_lost(struct call *call)
{
    for (int reg = 0; reg < REG_GENERAL; reg++)
        if (call->lost >> reg & 1)
            call->values.regs[reg].kind = VALUE_LOST;
}

/* --- events --------------------------------------------------------------- */

static void take_step(struct use *use)
{
    judge_uses(use);
    judge_division(use);
    judge_count(use);
    take_flags(use);
    take_division(use);
    take_set(use);
    if (use->insn->kind == INSN_SYSCALL)
        take_lost(use->call);
}

/* An instruction that faults has used what it was given, too. */
static void take_fault(struct use *use, const struct event *event,
                       struct insn *insn)
{
    const struct event_signal *signal = &event->signal;

    if (!signal->pc.known || signal->code <= 0 ||
        word_is(signal->access, "execute") ||
        !view_has_code(&use->ledger->view, signal->pc.value) ||
        !view_decode(&use->ledger->view, signal->pc.value, insn))
        return;
    use->place = ledger_place_at(use->ledger, event->seq, signal->pc.value);
    use->insn = insn;
    insn_traits(insn, &use->trait);
    judge_uses(use);
    judge_division(use);
}

/* A function outside came back. */
static void take_back(struct call *call)
{
    struct values *values = &call->values;
    const char *result = call->result;

    store_all(call);
    for (size_t i = 0; i < CALLING_LOST; i++)
        values->regs[calling_lost[i]].kind = VALUE_ENTRY;
    take_lost(call);
    values->regs[REG_RESULT].kind = VALUE_SET;
    if (call->plain && (word_is(result, "void") || word_is(result, "f32") ||
                        word_is(result, "f64")))
        values->regs[REG_RESULT] =
            (struct value){VALUE_NOTHING, .from = call->out};
    values->flags = call->plain ? FLAGS_LOST : FLAGS_SET;
    values->flags_by = call->out;
    values->compare.known = false;
    values->high = DIVIDEND_OTHER;
    values->regs[insn_dividend_high].kind = VALUE_SET;
    doubts_forget(&call->doubts);
}

void values_forget(struct call *call)
{
    store_all(call);
    for (int reg = 0; reg < REG_GENERAL; reg++)
        call->values.regs[reg].kind = VALUE_SET;
    call->values.flags = FLAGS_SET;
    call->values.high = DIVIDEND_OTHER;
    doubts_forget(&call->doubts);
}

void values_look(struct calls *calls, struct ledger *ledger,
                 const struct event *event)
{
    struct calls_thread *thread;
    struct use use = {.ledger = ledger, .event = event, .verb = "it uses"};
    struct insn insn;

    if (event->kind != EVENT_STEP && event->kind != EVENT_ENTER &&
        event->kind != EVENT_SIGNAL)
        return;
    thread = calls_thread(calls, event->tid);
    use.call = calls_now(thread, ledger);
    use.now = view_regs(&ledger->view, event->tid);
    if (!use.call || !use.now)
        return;
    if (event->kind == EVENT_SIGNAL) {
        take_fault(&use, event, &insn);
    } else if (event->kind == EVENT_ENTER) {
        if (word_is(event->enter.how, "return"))
            take_back(use.call);
        else
            values_forget(use.call);
        use.call->left = false;
    } else if (ledger->decoded) {
        if (use.call->left)
            values_forget(use.call);
        use.call->left = false;
        use.insn = &ledger->insn;
        use.place = ledger_place(event);
        insn_traits(use.insn, &use.trait);
        take_step(&use);
        doubts_step(&use.call->doubts, ledger, &use.place, use.now, &use.trait);
    }
}

void values_returned(const struct call *call, struct ledger *ledger,
                     const struct event *leave, const struct place *ret)
{
    struct call copy = *call;
    struct use use = {.ledger = ledger,
                      .event = leave,
                      .call = &copy,
                      .place = *ret,
                      .verb = "the caller takes"};
    enum reg part = REG_NONE;
    unsigned bits;

    if (!call->left)
        doubts_returned(&call->doubts, ledger, leave->leave.taken,
                        leave->leave.value.value);
    if (!leave->leave.taken || call->vector.known || call->left ||
        !call->values.computes)
        return;
    bits = reg_part_find(leave->leave.taken, &part);
    if (part == REG_RESULT)
        judge_value(&use, REG_RESULT, bits);
}
