/* SPDX-License-Identifier: MIT */
/*
 * convention.c - one record for each call that is going on, in the order in
 * which they began. A step belongs to the innermost one of its thread; what a
 * function outside has changed is seen when control comes back from it.
 *
 * The culprit. Of a register that was never put away, what changed it first
 * took it from the caller. Where it was put away and then loaded, what was
 * loaded last is wrong; where it was not loaded, the first change again.
 */
#include "check/convention.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void convention_release(struct convention *convention)
{
    for (size_t i = 0; i < convention->count; i++)
        free(convention->threads[i].calls);
    free(convention->threads);
}

static struct convention_thread *thread_of(struct convention *convention,
                                           int tid)
{
    struct convention_thread *thread;

    for (size_t i = 0; i < convention->count; i++)
        if (convention->threads[i].tid == tid)
            return &convention->threads[i];
    convention->threads = mem_grow(convention->threads, convention->count,
                                   &convention->capacity, sizeof *thread);
    thread = &convention->threads[convention->count++];
    *thread = (struct convention_thread){.tid = tid};
    return thread;
}

static struct call *innermost(struct convention_thread *thread)
{
    return thread->count ? &thread->calls[thread->count - 1] : NULL;
}

/* --- what happens -------------------------------------------------------- */

static void take_enter(struct convention_thread *thread,
                       const struct view_thread *was, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    struct call *call = innermost(thread);

    if (word_is(enter->how, "call")) {
        while ((call = innermost(thread)) &&
               calling_is_over(&call->regs, enter->regs.value[REG_STACK] + 1))
            thread->count--;
        thread->calls = mem_grow(thread->calls, thread->count,
                                 &thread->capacity, sizeof *call);
        thread->calls[thread->count++] =
            (struct call){.seq = event->seq, .regs = enter->regs};
    } else if (call && was && was->regs_known) {
        for (size_t i = 0; i < CALLING_SAVED; i++)
            if (was->regs.value[calling_saved[i]] !=
                enter->regs.value[calling_saved[i]])
                call->kept[i].outside = true;
    }
}

static bool stores_value(const struct event_step *step, uint64_t value)
{
    for (size_t i = 0; i < step->writes.count; i++) {
        struct bytes bytes = step->writes.list[i].new_bytes;

        if (bytes.data && bytes.len == sizeof value &&
            memcmp(bytes.data, &value, sizeof value) == 0)
            return true;
    }
    return false;
}

static void take_step(struct convention_thread *thread,
                      const struct event *event)
{
    const struct event_step *step = &event->step;
    struct call *call = innermost(thread);

    if (!call)
        return;
    for (size_t i = 0; i < CALLING_SAVED; i++) {
        struct kept *kept = &call->kept[i];

        if (step->writes.count > 0 && !kept->first.known)
            kept->stored |=
                stores_value(step, call->regs.value[calling_saved[i]]);
        for (size_t j = 0; j < step->regs.count; j++) {
            if (step->regs.list[j].reg != calling_saved[i])
                continue;
            kept->last = ledger_place(event);
            kept->loaded = step->reads.count > 0;
            if (!kept->first.known)
                kept->first = kept->last;
        }
    }
}

static void take_limit(struct convention *convention, const struct event *event)
{
    const char *budget = event->limit.budget;
    bool all = word_is(budget, "steps");

    if (!all && !word_is(budget, "call-steps") && !word_is(budget, "nt-flag"))
        return;
    for (size_t i = 0; i < convention->count; i++)
        for (size_t j = 0; j < convention->threads[i].count; j++)
            if (all || convention->threads[i].tid == event->tid)
                convention->threads[i].calls[j].blind = true;
}

/* --- what is right at a return ------------------------------------------- */

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
                         "%s is 0x%" PRIx64 " at the return (event %" PRIu64
                         ") and was 0x%" PRIx64 " at entry",
                         reg_name(reg), now->value[reg], seq,
                         call->regs.value[reg]);
    }
    if (held)
        ledger_held(ledger, RULE_CALLEE_SAVED);
}

static void take_return(struct convention_thread *thread, struct ledger *ledger,
                        const struct view_thread *now,
                        const struct event *event)
{
    const struct frame *frame = now->stepped;
    const struct call *call;

    if (!frame || frame->kind != FRAME_ENTERED || !frame->return_to.known)
        return;
    while ((call = innermost(thread)) && call->seq > frame->seq)
        thread->count--; /* left by a jump */
    if (!call || call->seq != frame->seq)
        return;
    thread->count--;
    if (call->blind || event->leave.to != frame->return_to.value)
        return;
    judge_saved(ledger, call, &now->regs, event->seq);
}

/* --- events -------------------------------------------------------------- */

void convention_before(struct convention *convention, struct ledger *ledger,
                       const struct event *event)
{
    const struct view_thread *now = view_thread(&ledger->view, event->tid);

    switch (event->kind) {
    case EVENT_ENTER:
        take_enter(thread_of(convention, event->tid), now, event);
        break;
    case EVENT_STEP:
        take_step(thread_of(convention, event->tid), event);
        break;
    case EVENT_LEAVE:
        if (now && word_is(event->leave.how, "return"))
            take_return(thread_of(convention, event->tid), ledger, now, event);
        break;
    case EVENT_LIMIT:
        take_limit(convention, event);
        break;
    default:
        break;
    }
}

void convention_after(struct convention *convention, struct ledger *ledger,
                      const struct event *event)
{
    (void)convention;
    (void)ledger;
    (void)event;
}
