/* SPDX-License-Identifier: MIT */
#include "check/callout.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

#define STACK_SIZE (8u << 20) /* the usual RLIMIT_STACK (getrlimit(2)) */
#define BIT(reg)   (UINT32_C(1) << (reg))

/* "printf", or "the function" where its name is not known. */
static const char *name_of(const struct callee *callee)
{
    return callee->symbol ? callee->symbol : "the function";
}

/* --- the stack and flags ------------------------------------------------- */

static void judge_stack(struct ledger *ledger, const struct call *call,
                        const struct place *place, const struct regs *now,
                        const struct callee *callee)
{
    if (calling_is_aligned(now))
        ledger_held(ledger, RULE_STACK_ALIGNED);
    else if (call->aligned)
        ledger_found(ledger, RULE_STACK_ALIGNED, place, 0,
                     "it calls %s while rsp is 0x%" PRIx64
                     ", no multiple of 16 (it ends in %" PRIx64 ")",
                     name_of(callee), calling_stack_after(now),
                     calling_stack_after(now) & 15);
}

static void judge_direction(struct ledger *ledger, const struct call *call,
                            const struct regs *now, const struct callee *callee)
{
    if (now->value[REG_FLAGS] & flag_find("DF") && call->direction.known)
        ledger_found(ledger, RULE_DIRECTION_FLAG, &call->direction, 1,
                     "it sets DF, which is still set when %s is called",
                     name_of(callee));
    else
        ledger_held(ledger, RULE_DIRECTION_FLAG);
}

/* --- arguments ----------------------------------------------------------- */

/* Whether a parameter of that type is passed in a general register. */
static bool is_integer(const char *type)
{
    static const char *const words[] = {"bool", "i8",  "u8",  "i16", "u16",
                                        "i32",  "u32", "i64", "u64", "pointer"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word_is(type, words[i]))
            return true;
    return false;
}

/* How many general registers the named parameters take, or -1: not known. */
static int registers_of(const struct callee *callee)
{
    int count = word_is(callee->result, "memory");

    for (size_t i = 0; i < callee->params.count; i++) {
        const char *type = callee->params.list[i];

        if (word_is(type, "other") || word_is(type, "struct"))
            return -1;
        count += is_integer(type);
    }
    return count < REG_ARGUMENTS ? count : REG_ARGUMENTS;
}

/* A stub leads to another module (psABI 5.2). */
static bool is_stub(const struct callee *callee)
{
    const char *at = callee->symbol ? strchr(callee->symbol, '@') : NULL;

    return at && strcmp(at, "@plt") == 0;
}

static bool is_variadic(const struct callee *callee)
{
    return callee->params.count > 0 &&
           word_is(callee->params.list[callee->params.count - 1], "...");
}

/* Arguments are in xmm0 and those that follow it: set for the call, or, below
 * one that was, an argument of the caller's that the code has looked at. */
static void judge_variadic(struct ledger *ledger, const struct call *call,
                           const struct place *place, const struct regs *now,
                           const struct callee *callee)
{
    const uint32_t hold = call->vectors | call->vectors_given;
    unsigned given = now->value[REG_VECTORS] & 0xff, set = 0;

    if (!is_variadic(callee))
        return;
    for (unsigned n = 0; n < CALLING_VECTORS && hold >> n & 1; n++)
        if (call->vectors >> n & 1)
            set = n + 1;
    if (given >= set)
        ledger_held(ledger, RULE_VARIADIC_AL);
    else
        ledger_found(ledger, RULE_VARIADIC_AL, place, 0,
                     "al is %u at the call of %s, which is variadic, and "
                     "xmm%u was set for it",
                     given, name_of(callee), set - 1);
}

/* Whether the first n registers of another convention were set for the call,
 * and those of this one were not. */
static bool is_windows(const struct call *call, int n)
{
    for (int i = 0; i < n && i < CALLING_WINDOWS; i++)
        if (!(call->unread & BIT(calling_windows[i])) ||
            (i < 2 && call->set & BIT(reg_argument[i])))
            return false;
    return n > 0;
}

/* Whether it may be the address of a struct of the caller's, handed on. */
static bool is_near(uint64_t addr, uint64_t sp)
{
    return addr >= sp && addr - sp < STACK_SIZE;
}

static void judge_arguments(struct ledger *ledger, const struct call *call,
                            const struct place *place, const struct regs *now,
                            const struct callee *callee)
{
    int n = callee->known_by ? registers_of(callee) : 0;
    bool in_memory = word_is(callee->result, "memory");
    enum reg last;

    if (n <= 0)
        return;
    last = reg_argument[n - 1];
    if (is_windows(call, n))
        ledger_found(ledger, RULE_ARGUMENTS, place, 0,
                     "it calls %s, which takes its first argument from %s; "
                     "only %s, as of the Windows convention, was set",
                     name_of(callee), reg_name(reg_argument[0]),
                     reg_name(calling_windows[0]));
    else if (in_memory && !(call->set & BIT(last)) &&
             (n == 1 ? !is_near(now->value[last], now->value[REG_STACK])
                     : (call->set & BIT(reg_argument[n - 2])) != 0))
        ledger_found(ledger, RULE_ARGUMENTS, place, 0,
                     "it calls %s, which returns a struct in memory and takes "
                     "its address from %s, all other arguments one register "
                     "later; nothing has set %s",
                     name_of(callee), reg_name(reg_argument[0]),
                     reg_name(last));
    else
        ledger_held(ledger, RULE_ARGUMENTS);
}

/* How many words on the stack the named parameters take, or -1: not known. */
static int words_of(const struct callee *callee)
{
    int general = word_is(callee->result, "memory"), vectors = 0;

    for (size_t i = 0; i < callee->params.count; i++) {
        const char *type = callee->params.list[i];

        if (is_integer(type))
            general++;
        else if (word_is(type, "f32") || word_is(type, "f64"))
            vectors++;
        else if (!word_is(type, "void") && !word_is(type, "..."))
            return -1;
    }
    return (general > REG_ARGUMENTS ? general - REG_ARGUMENTS : 0) +
           (vectors > CALLING_VECTORS ? vectors - CALLING_VECTORS : 0);
}

/* Arguments that registers do not hold lie from rsp on before the call pushes
 * (psABI 3.2.3); of the Windows convention, behind room for four more. */
static void judge_stacked(struct ledger *ledger, const struct call *call,
                          const struct place *place, const struct regs *now,
                          const struct callee *callee)
{
    const uint64_t size = sizeof(uint64_t), first = calling_stack_after(now);
    int count = callee->known_by ? words_of(callee) : 0;

    for (int i = 0; i < count; i++) {
        uint64_t addr = first + size * (unsigned)i;

        if (values_stored(call, addr, size)) {
            ledger_held(ledger, RULE_ARGUMENTS);
            continue;
        }
        ledger_found(ledger, RULE_ARGUMENTS, place, 3,
                     "it calls %s, which takes %d argument%s from the stack, "
                     "the first at rsp + 0; nothing has stored to rsp + "
                     "%" PRIu64 "%s",
                     name_of(callee), count, count == 1 ? "" : "s",
                     addr - first,
                     values_stored(call, first + size * CALLING_WINDOWS, size)
                         ? ", but to rsp + 32, as of the Windows convention"
                         : "");
        return;
    }
}

/* --- results ------------------------------------------------------------- */

/* Notes how much of the result will count. */
static void take_result(struct call *call, const struct callee *callee)
{
    static const struct {
        const char *type;
        uint8_t bits;
        bool is_signed;
    } narrow[] = {{"bool", 8, false}, {"u8", 8, false},  {"i8", 8, true},
                  {"u16", 16, false}, {"i16", 16, true}, {"u32", 32, false},
                  {"i32", 32, true}};

    call->narrow = 0;
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
        if (word_is(callee->result, narrow[i].type)) {
            call->narrow = narrow[i].bits;
            call->narrow_signed = narrow[i].is_signed;
        }
}

/* The value with what is above its low bits made from them. */
static uint64_t extended(uint64_t value, unsigned bits, bool is_signed)
{
    uint64_t low = value << (64 - bits);

    return is_signed ? (uint64_t)((int64_t)low >> (64 - bits))
                     : low >> (64 - bits);
}

/* More of a narrow result is used than was returned, and that is other than it
 * would be if it had been extended. Where it is only moved it may be used as
 * what it is later. */
static void judge_result(struct ledger *ledger, const struct call *call,
                         const struct place *place, const struct regs *now)
{
    uint64_t value = now->value[REG_RESULT];

    if (!call->narrow || ledger->touch.moves)
        return;
    for (uint8_t i = 0; i < ledger->insn.operand_count; i++) {
        const struct insn_operand *operand = &ledger->insn.operands[i];
        unsigned bits = operand->bits;
        uint64_t wrong;

        if (operand->kind != OPERAND_REGISTER || operand->reg != REG_RESULT ||
            !operand->read || operand->hidden || bits <= call->narrow ||
            bits > 64)
            continue;
        wrong = value ^ extended(value, call->narrow, call->narrow_signed);
        if (!(wrong << (64 - bits)))
            continue;
        ledger_found(ledger, RULE_ARGUMENTS, place, 1,
                     "it uses %u bits of the result of the call, of which "
                     "only %u count; above them is what was there before",
                     bits, call->narrow);
    }
}

/* --- what is lost -------------------------------------------------------- */

static void judge_lost(struct ledger *ledger, struct call *call,
                       const struct place *place, const struct regs *now)
{
    uint32_t used = call->lost & ledger->touch.read;

    if (ledger->touch.moves) /* it may only be put away */
        return;
    for (int reg = 0; used; used >>= 1, reg++) {
        if (!(used & 1))
            continue;
        ledger_found(ledger, RULE_CALLER_SAVED, &call->lost_by, (uint64_t)reg,
                     "%s changes %s to 0x%" PRIx64 ", and code[%" PRIu64
                     "] reads that as if it were still its own",
                     call->lost_name, reg_name((enum reg)reg), now->value[reg],
                     place->offset);
        ledger_found(ledger, RULE_CALLER_SAVED, place, (uint64_t)reg,
                     "it reads %s, which %s at code[%" PRIu64 "] has changed "
                     "to 0x%" PRIx64,
                     reg_name((enum reg)reg), call->lost_name,
                     call->lost_by.offset, now->value[reg]);
        call->lost &= ~BIT(reg);
    }
}

/* --- events -------------------------------------------------------------- */

static void take_leave(const struct calls *calls, struct calls_thread *thread,
                       struct ledger *ledger, const struct event *event)
{
    const struct callee *callee = &event->leave.callee;
    const struct regs *now = view_regs(&ledger->view, event->tid);
    struct call *call = calls_now(thread, ledger);

    if (!call)
        return;
    call->plain = call->known = false;
    call->result[0] = 0;
    call->out = thread->last;
    call->left = true;
    if (!word_is(event->leave.how, "call"))
        return;
    /* What no debug information knows may be assembly, with ways of its own,
     * where it is in the program itself. */
    call->known = callee->known_by != NULL;
    snprintf(call->result, sizeof call->result, "%s",
             callee->result ? callee->result : "");
    call->plain = callee->known_by || is_stub(callee) ||
                  (callee->module && calls->program &&
                   strcmp(callee->module, calls->program) != 0);
    if (call->plain) {
        judge_stack(ledger, call, &thread->last, now, callee);
        judge_direction(ledger, call, now, callee);
    }
    judge_variadic(ledger, call, &thread->last, now, callee);
    judge_arguments(ledger, call, &thread->last, now, callee);
    judge_stacked(ledger, call, &thread->last, now, callee);
    take_result(call, callee);
}

void callout_look(struct calls *calls, struct ledger *ledger,
                  const struct event *event)
{
    struct calls_thread *thread;
    const struct regs *now;
    struct place place;
    struct call *call;

    if (event->kind != EVENT_LEAVE && event->kind != EVENT_STEP &&
        event->kind != EVENT_ENTER)
        return;
    thread = calls_thread(calls, event->tid);
    call = calls_now(thread, ledger);
    if (event->kind == EVENT_LEAVE) {
        take_leave(calls, thread, ledger, event);
        return;
    }
    if (event->kind == EVENT_ENTER) {
        if (call && call->plain && word_is(event->enter.how, "return"))
            ledger_held(ledger, RULE_CALLER_SAVED);
        return;
    }
    if (!call || !ledger->decoded || !(call->lost || call->narrow))
        return;
    now = view_regs(&ledger->view, event->tid);
    place = ledger_place(event);
    judge_lost(ledger, call, &place, now);
    judge_result(ledger, call, &place, now);
}
