/* SPDX-License-Identifier: MIT */
/*
 * vectors.c - what a vector register holds is known only by the instruction
 * that made it: one of the scalar ones, or a function that returns such a
 * number. What packed instructions, shuffles and loads make may be anything.
 */
#include "check/vectors.h"

#include <inttypes.h>

#include "check/calls.h"
#include "cpu/trait.h"

#define BIT(n) (UINT32_C(1) << (n))

/* The number of an operand's register, or VECTORS. */
static unsigned number_of(const struct insn_operand *operand)
{
    return operand->kind == OPERAND_REGISTER && operand->vector > 0 &&
                   operand->vector <= VECTORS
               ? operand->vector - 1u
               : VECTORS;
}

/* --- steps ---------------------------------------------------------------- */

static void judge_read(struct vectors *vectors, struct ledger *ledger,
                       const struct place *place,
                       const struct insn_trait *trait, unsigned n)
{
    const struct place *by = &vectors->by[n];
    const uint32_t other = trait->reads_single  ? vectors->twice
                           : trait->reads_twice ? vectors->single
                                                : 0;

    if (other & BIT(n))
        ledger_found(ledger, RULE_FLOAT_SIZE, place, n,
                     "it uses xmm%u as a %s, and what code[%" PRIu64
                     "] has left there is a %s",
                     n, trait->reads_single ? "float" : "double", by->offset,
                     trait->reads_single ? "double" : "float");
    else if (trait->reads_single || trait->reads_twice)
        ledger_held(ledger, RULE_FLOAT_SIZE);
    if (!(vectors->lost & BIT(n)) || trait->moves)
        return;
    ledger_found(ledger, RULE_CALLER_SAVED, place, REG_COUNT + n,
                 "it uses xmm%u, which was set at code[%" PRIu64 "], before a "
                 "function was called; that may change all vector registers",
                 n, by->offset);
    vectors->lost &= ~BIT(n);
}

/* A move between registers brings along what is known. */
static void take_move(struct vectors *vectors, unsigned to, unsigned from)
{
    uint32_t *const sets[] = {&vectors->single, &vectors->twice,
                              &vectors->lost};

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        *sets[i] = (*sets[i] & ~BIT(to)) | (*sets[i] >> from & 1u) << to;
    if (vectors->lost & BIT(to))
        vectors->by[to] = vectors->by[from];
}

static void take_step(struct vectors *vectors, struct ledger *ledger,
                      const struct event *event)
{
    const struct insn *insn = &ledger->insn;
    const struct place place = ledger_place(event);
    struct insn_trait trait;
    unsigned to, from;

    if (!ledger->touch.vectors_read && !ledger->touch.vectors_written)
        return;
    insn_traits(insn, &trait);
    for (uint8_t i = 0; i < insn->operand_count && !trait.idles; i++)
        if ((from = number_of(&insn->operands[i])) < VECTORS &&
            i != trait.merges && insn->operands[i].read &&
            ledger->touch.vectors_read >> from & 1)
            judge_read(vectors, ledger, &place, &trait, from);
    to = insn->operand_count > 0 && insn->operands[0].written
             ? number_of(&insn->operands[0])
             : VECTORS;
    if (to == VECTORS)
        return;
    vectors->set |= BIT(to);
    from = insn->operand_count > 1 ? number_of(&insn->operands[1]) : VECTORS;
    if (trait.moves && from < VECTORS && !insn->operands[1].hidden) {
        take_move(vectors, to, from);
        if (vectors->lost & BIT(to))
            return;
    } else {
        vectors->lost &= ~BIT(to);
        vectors->single &= ~BIT(to);
        vectors->twice &= ~BIT(to);
    }
    if (trait.single)
        vectors->single |= BIT(to);
    if (trait.twice)
        vectors->twice |= BIT(to);
    vectors->by[to] = place;
}

/* --- calls of functions outside ------------------------------------------- */

static void judge_argument(const struct vectors *vectors, struct ledger *ledger,
                           const struct place *call, const char *callee,
                           const char *type, unsigned n)
{
    const bool wants_single = word_is(type, "f32");
    const uint32_t wrong = wants_single ? vectors->twice : vectors->single;

    if (wrong & BIT(n))
        ledger_found(ledger, RULE_FLOAT_SIZE, call, n,
                     "it calls %s, which takes a %s from xmm%u%s; what "
                     "code[%" PRIu64 "] has left there is a %s",
                     callee, wants_single ? "float" : "double", n,
                     word_is(type, "...") ? ", as variadic functions do" : "",
                     vectors->by[n].offset, wants_single ? "double" : "float");
    else
        ledger_held(ledger, RULE_FLOAT_SIZE);
}

/* A function that takes numbers in vector registers only, none of which was set,
 * while the first general one was. */
static void judge_kind(const struct call *call, struct ledger *ledger,
                       const struct place *place, const struct callee *callee,
                       unsigned vectors, unsigned others)
{
    const uint32_t set = call->vector_state.set & (BIT(vectors) - 1);
    const uint32_t first = UINT32_C(1) << reg_argument[0];

    if (vectors > 0 && others == 0 && set == 0 && call->unread & first)
        ledger_found(ledger, RULE_ARGUMENTS, place, 2,
                     "it calls %s, which takes its argument from xmm0; nothing "
                     "has set that, but %s",
                     callee->symbol, reg_name(reg_argument[0]));
}

static void take_call(const struct call *call, struct ledger *ledger,
                      const struct place *place, const struct callee *callee,
                      const struct regs *now)
{
    const unsigned given = now->value[REG_VECTORS] & 0xff;
    unsigned n = 0, others = word_is(callee->result, "memory");

    for (size_t i = 0; i < callee->params.count && n < CALLING_VECTORS; i++) {
        const char *type = callee->params.list[i];

        if (word_is(type, "struct") || word_is(type, "other"))
            return;
        if (word_is(type, "...")) {
            for (; n < CALLING_VECTORS && n < given; n++)
                judge_argument(&call->vector_state, ledger, place,
                               callee->symbol, type, n);
            return;
        }
        if (word_is(type, "f32") || word_is(type, "f64"))
            judge_argument(&call->vector_state, ledger, place, callee->symbol,
                           type, n++);
        else
            others += !word_is(type, "void");
    }
    judge_kind(call, ledger, place, callee, n, others);
}

static void take_back(struct call *call)
{
    struct vectors *vectors = &call->vector_state;
    const bool is_single = word_is(call->result, "f32");
    const bool is_twice = word_is(call->result, "f64");

    vectors->lost = call->plain ? vectors->lost | vectors->set : 0;
    vectors->set = vectors->single = vectors->twice = 0;
    if (!call->plain)
        return;
    /* One that returns nothing there may still have changed it. */
    if (!call->known || word_is(call->result, "struct") ||
        word_is(call->result, "other"))
        vectors->lost &= ~3u; /* two registers may have a result */
    if (is_single || is_twice)
        vectors->lost &= ~1u;
    if (is_single || is_twice)
        vectors->by[0] = call->out;
    vectors->single = is_single;
    vectors->twice = is_twice;
}

void vectors_look(struct calls *calls, struct ledger *ledger,
                  const struct event *event)
{
    struct calls_thread *thread;
    const struct regs *now;
    struct call *call;

    if (event->kind != EVENT_STEP && event->kind != EVENT_ENTER &&
        event->kind != EVENT_LEAVE)
        return;
    thread = calls_thread(calls, event->tid);
    call = calls_now(thread, ledger);
    now = view_regs(&ledger->view, event->tid);
    if (!call || !now)
        return;
    if (event->kind == EVENT_STEP && ledger->decoded)
        take_step(&call->vector_state, ledger, event);
    else if (event->kind == EVENT_LEAVE && word_is(event->leave.how, "call") &&
             event->leave.callee.known_by)
        take_call(call, ledger, &thread->last, &event->leave.callee, now);
    else if (event->kind == EVENT_ENTER && word_is(event->enter.how, "return"))
        take_back(call);
    else if (event->kind == EVENT_ENTER)
        call->vector_state = (struct vectors){0};
}
