/* SPDX-License-Identifier: MIT */
/*
 * convention.c - what is right when a call returns.
 *
 * The culprit. Of a register that was never put away, what changed it first
 * took it from the caller. Where it was put away and then loaded, what was
 * loaded last is wrong; where it was not loaded, the first change again.
 */
#include "check/convention.h"

#include <inttypes.h>

#include "cpu/fp.h"

#define HEX "0x%" PRIx64

static void judge_saved(struct ledger *ledger, const struct call *call,
                        const struct regs *now, uint64_t seq)
{
    bool held = true;

    for (size_t i = 0; i < CALLING_SAVED; i++) {
        const struct kept *kept = &call->kept[i];
        const enum reg reg = calling_saved[i];
        const struct place *culprit =
            kept->stored && kept->loaded ? &kept->last : &kept->first;

        if (call->regs.value[reg] == now->value[reg])
            continue;
        held = false;
        if (kept->outside || !culprit->known)
            ledger_missed(ledger, RULE_CALLEE_SAVED,
                          "a function outside changed such a register");
        else
            ledger_found(ledger, RULE_CALLEE_SAVED, culprit, (uint64_t)reg,
                         "%s was " HEX " at entry and is " HEX
                         " at the return (event %" PRIu64 ")",
                         reg_name(reg), call->regs.value[reg], now->value[reg],
                         seq);
    }
    if (held)
        ledger_held(ledger, RULE_CALLEE_SAVED);
}

static void judge_stack(struct ledger *ledger, const struct call *call,
                        const struct place *ret, const struct regs *now)
{
    uint64_t expected = calling_stack_after(&call->regs);
    uint64_t sp = now->value[REG_STACK];

    if (sp == expected)
        ledger_held(ledger, RULE_STACK_BALANCED);
    else
        ledger_found(ledger, RULE_STACK_BALANCED, ret, 0,
                     "rsp is " HEX " behind the return, which is %" PRId64
                     " bytes off: " HEX " at entry and 8 for the address that "
                     "ret takes",
                     sp, (int64_t)(sp - expected), call->regs.value[REG_STACK]);
}

static void judge_direction(struct ledger *ledger, const struct call *call,
                            const struct regs *now, uint64_t seq)
{
    const uint64_t flag = flag_find("DF");

    if (!(now->value[REG_FLAGS] & flag))
        ledger_held(ledger, RULE_DIRECTION_FLAG);
    else if (call->direction.known)
        ledger_found(ledger, RULE_DIRECTION_FLAG, &call->direction, 0,
                     "it sets DF, which is still set at the return (event "
                     "%" PRIu64 ")",
                     seq);
}

static void judge_fp(struct ledger *ledger, const struct call *call,
                     const struct event *event)
{
    const struct opt_u64 *now = &event->leave.fp_control;
    enum fp_difference difference;
    struct buf text = {0};

    if (!call->fp.known || !now->known)
        return;
    difference = fp_compare(call->fp.value, now->value, &text);
    if (difference == FP_SAME)
        ledger_held(ledger, RULE_FP_CONTROL);
    else if (difference == FP_CONTROL && call->control.known)
        ledger_found(ledger, RULE_FP_CONTROL, &call->control, 0,
                     "%s at entry; it is the last to set them before the "
                     "return (event %" PRIu64 ")",
                     buf_text(&text), event->seq);
    else if (difference == FP_IN_USE && call->x87.known)
        ledger_found(ledger, RULE_FP_CONTROL, &call->x87, 1,
                     "%s at entry; it is the first to use them, and nothing "
                     "has freed them before the return (event %" PRIu64 ")",
                     buf_text(&text), event->seq);
    else
        ledger_missed(ledger, RULE_FP_CONTROL,
                      "a function outside changed that state");
    buf_release(&text);
}

static void judge_result(struct ledger *ledger, const struct call *call,
                         const struct event *event)
{
    const char *taken = event->leave.taken;
    enum reg part;

    if (call->result_set || !call->vector.known || !taken ||
        !reg_part_find(taken, &part) || part != REG_RESULT)
        ledger_held(ledger, RULE_RESULT);
    else
        ledger_found(ledger, RULE_RESULT, &call->vector, 0,
                     "it leaves the result in xmm0, and the caller takes it "
                     "from %s, which nothing has set (event %" PRIu64 ")",
                     taken, event->seq);
}

/* The caller's address was stored over, and what was stored is what ret took.
 */
static void judge_address(struct ledger *ledger, const struct call *call,
                          const struct event *event)
{
    if (call->seq > 0 && call->returns.known &&
        call->returns_to == event->leave.to)
        ledger_found(ledger, RULE_STACK_BALANCED, &call->returns, 2,
                     "it stores over the address to return to; the return goes "
                     "to " HEX " and not to the caller (event %" PRIu64 ")",
                     call->returns_to, event->seq);
}

static void take_return(struct calls_thread *thread, struct ledger *ledger,
                        const struct event *event)
{
    const struct regs *now = view_regs(&ledger->view, event->tid);
    struct call call = {.seq = 0};

    if (!calls_end(thread, ledger, event, &call)) {
        judge_address(ledger, &call, event);
        return;
    }
    judge_saved(ledger, &call, now, event->seq);
    judge_stack(ledger, &call, &thread->last, now);
    judge_direction(ledger, &call, now, event->seq);
    judge_fp(ledger, &call, event);
    judge_result(ledger, &call, event);
    values_returned(&call, ledger, event, &thread->last);
}

/* A jump to a function of C as the last thing a call does: it returns to what is
 * at rsp, which must be the caller's address. Whether it is that is known when
 * it has returned to where nothing can run. */
static void take_tail(struct calls_thread *thread, const struct ledger *ledger,
                      const struct event *event)
{
    const struct regs *now = view_regs(&ledger->view, event->tid);
    const struct call *call = calls_now(thread, ledger);

    thread->tail.known = false;
    if (!call || !now || !event->leave.callee.symbol)
        return;
    thread->tail = thread->last;
    thread->tail_off =
        (int64_t)(now->value[REG_STACK] - call->regs.value[REG_STACK]);
}

static void judge_tail(const struct calls_thread *thread, struct ledger *ledger,
                       const struct event *event)
{
    ledger_found(ledger, RULE_STACK_BALANCED, &thread->tail, 3,
                 "it jumps to a function while rsp is %" PRId64 " bytes off "
                 "where the address to return to is; that returns to " HEX
                 " (signal in event %" PRIu64 ")",
                 thread->tail_off, event->signal.pc.value, event->seq);
}

/* A return to where nothing can run, right after it, or one that fails itself,
 * as it does where the address is none (Intel SDM vol. 2, RET: #GP). That one
 * goes elsewhere than to the caller may be meant; that it crashes is not. */
static void take_crash(struct calls_thread *thread, struct ledger *ledger,
                       const struct event *event)
{
    const struct event_signal *signal = &event->signal;
    const struct view_thread *now = view_thread(&ledger->view, event->tid);
    uint64_t sp, went;
    struct place place;
    struct insn insn;

    if (thread->tail.known && thread->tail_off != 0 && signal->pc.known &&
        word_is(signal->access, "execute"))
        judge_tail(thread, ledger, event);
    if (!now || !now->regs_known || !now->frame || !signal->pc.known)
        return;
    went = now->regs.value[REG_PC];
    sp = now->regs.value[REG_STACK];
    if (went != signal->pc.value)
        return;
    if (thread->is_last_return && thread->awaited && went != thread->awaited &&
        word_is(signal->access, "execute")) {
        ledger_found(ledger, RULE_STACK_BALANCED, &thread->last, 1,
                     "it takes " HEX " from the stack for the address to "
                     "return to, which is " HEX " (signal in event %" PRIu64
                     ")",
                     went, thread->awaited, event->seq);
    } else if (now->inside && view_decode(&ledger->view, went, &insn) &&
               insn.kind == INSN_RETURN &&
               sp != now->frame->regs.value[REG_STACK] &&
               now->frame->return_to.known) { /* of an address that is none */
        place = ledger_place_at(ledger, event->seq, went);
        ledger_found(ledger, RULE_STACK_BALANCED, &place, 1,
                     "rsp is " HEX ", %" PRId64 " bytes off " HEX
                     ", where the address to return to is",
                     sp, (int64_t)(sp - now->frame->regs.value[REG_STACK]),
                     now->frame->regs.value[REG_STACK]);
    }
}

void convention_look(struct calls *calls, struct ledger *ledger,
                     const struct event *event)
{
    struct calls_thread *thread;

    if (event->kind != EVENT_LEAVE && event->kind != EVENT_SIGNAL)
        return;
    thread = calls_thread(calls, event->tid);
    if (event->kind == EVENT_LEAVE && word_is(event->leave.how, "jump"))
        take_tail(thread, ledger, event);
    else if (event->kind == EVENT_SIGNAL)
        take_crash(thread, ledger, event);
    else if (word_is(event->leave.how, "return"))
        take_return(thread, ledger, event);
}
