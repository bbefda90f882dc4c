/* SPDX-License-Identifier: MIT */
#include "check/calls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cpu/fp.h"

/* So many nested calls of generated code are looked through for the call from
 * outside that they are a part of. */
#define DEPTH 256

void calls_release(struct calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        free(calls->threads[i].list);
    free(calls->threads);
    free(calls->program);
}

struct calls_thread *calls_thread(struct calls *calls, int tid)
{
    for (size_t i = 0; i < calls->count; i++)
        if (calls->threads[i].tid == tid)
            return &calls->threads[i];
    calls->threads = mem_grow(calls->threads, calls->count, &calls->capacity,
                              sizeof *calls->threads);
    calls->threads[calls->count] = (struct calls_thread){.tid = tid};
    return &calls->threads[calls->count++];
}

static struct call *innermost(struct calls_thread *thread)
{
    return thread->count ? &thread->list[thread->count - 1] : NULL;
}

struct call *calls_now(struct calls_thread *thread, const struct ledger *ledger)
{
    const struct frame *frame = view_frame(&ledger->view, thread->tid);
    struct call *call = innermost(thread);

    for (int i = 0; frame && frame->kind == FRAME_CALLED; i++) {
        frame = frame->caller;
        if (call && i == DEPTH)
            call->blind = true;
        if (i == DEPTH)
            return NULL;
    }
    return call && !call->blind && frame && frame->seq == call->seq ? call
                                                                    : NULL;
}

/* Whether the line has the word asm, or __asm__; wasm is none. */
static bool says_asm(const char *line)
{
    for (const char *at = line; (at = strstr(at, "asm")) != NULL; at++)
        if ((at == line || !isalnum((unsigned char)at[-1])) &&
            !isalnum((unsigned char)at[3]))
            return true;
    return false;
}

/* Whether the call was made in assembly: in a file of that, or by an asm
 * statement of C, at whose line its instructions are. */
static bool is_assembly(const struct srcline *source)
{
    const char *dot = source->file ? strrchr(source->file, '.') : NULL;

    return (dot && (strcmp(dot, ".s") == 0 || strcmp(dot, ".S") == 0 ||
                    strcmp(dot, ".asm") == 0)) ||
           (source->text && says_asm(source->text));
}

/* --- what happens -------------------------------------------------------- */

static void take_call(struct calls_thread *thread, struct ledger *ledger,
                      const struct event *event)
{
    const struct regs *regs = &event->enter.regs;
    const struct call *call;

    while ((call = innermost(thread)) &&
           calling_is_over(&call->regs, regs->value[REG_STACK] + 1))
        thread->count--;
    thread->list = mem_grow(thread->list, thread->count, &thread->capacity,
                            sizeof *thread->list);
    thread->list[thread->count++] =
        (struct call){.seq = event->seq,
                      .regs = *regs,
                      .fp = event->enter.fp_control,
                      .aligned = calling_is_aligned(regs)};
    values_begin(&innermost(thread)->values,
                 thread->left_to == event->enter.addr ||
                     is_assembly(&event->source));
    /* Who calls like that is no function of C. */
    ledger->foreign |= thread->count == 1 && !calling_is_aligned(regs) &&
                       !view_frame(&ledger->view, event->tid);
}

/* A function outside has come back: what it has changed is known now. */
static void take_back(struct calls_thread *thread,
                      const struct view_thread *was, const struct regs *now)
{
    struct call *call = innermost(thread);

    if (!call || !was || !was->regs_known)
        return;
    for (size_t i = 0; i < CALLING_SAVED; i++)
        if (was->regs.value[calling_saved[i]] != now->value[calling_saved[i]])
            call->kept[i].outside = true;
    call->lost = 0;
    for (size_t i = 0; call->plain && i < CALLING_LOST; i++)
        if (was->regs.value[calling_lost[i]] != now->value[calling_lost[i]])
            call->lost |= UINT32_C(1) << calling_lost[i];
    call->lost_by = call->out;
    call->lost_name = "the call";
    call->set = call->unread = call->vectors = call->vectors_given = 0;
    call->result_set = true;
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

static void take_kept(struct call *call, const struct event *event)
{
    const struct event_step *step = &event->step;

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

/* A store over the address that the call returns to. */
static void take_return_address(struct call *call, const struct event *event)
{
    const struct event_step *step = &event->step;
    const uint64_t slot = call->regs.value[REG_STACK];

    for (size_t i = 0; i < step->writes.count; i++) {
        const struct mem_access *write = &step->writes.list[i];

        if (write->addr != slot ||
            write->new_bytes.len != sizeof call->returns_to)
            continue;
        call->returns = ledger_place(event);
        memcpy(&call->returns_to, write->new_bytes.data,
               sizeof call->returns_to);
    }
}

static void take_touch(struct call *call, const struct ledger *ledger,
                       const struct event *event)
{
    const struct insn_touch *touch = &ledger->touch;
    const struct event_step *step = &event->step;
    const uint64_t direction = flag_find("DF");

    call->unread &= ~touch->read;
    call->unread |= touch->written;
    call->set |= touch->written;
    call->lost &= ~touch->written;
    if (!call->out.known)
        call->vectors_given |= touch->vectors_read & ~call->vectors_set;
    call->vectors_set |= touch->vectors_written;
    call->vectors &= ~touch->vectors_read;
    call->vectors |= touch->vectors_written;
    for (size_t i = 0; i < step->regs.count; i++)
        if (step->regs.list[i].reg == REG_FLAGS &&
            step->regs.list[i].new_value & ~step->regs.list[i].old_value &
                direction)
            call->direction = ledger_place(event);
    if (ledger->insn.kind == INSN_SYSCALL) {
        call->lost_by = ledger_place(event);
        call->lost_name = "syscall";
        call->lost = 0;
        for (size_t i = 0; i < step->regs.count; i++)
            for (size_t j = 0; j < CALLING_KERNEL_LOST; j++)
                if (step->regs.list[i].reg == calling_kernel_lost[j])
                    call->lost |= UINT32_C(1) << calling_kernel_lost[j];
    }
    if (touch->written >> REG_RESULT & 1) {
        call->narrow = 0;
        call->result_set = true;
    }
    if (touch->vectors_written & 1)
        call->vector = ledger_place(event);
    if (fp_sets_control(&ledger->insn))
        call->control = ledger_place(event);
    if (touch->is_x87 && !call->x87.known)
        call->x87 = ledger_place(event);
}

static void take_step(struct calls_thread *thread, const struct ledger *ledger,
                      const struct event *event)
{
    const struct frame *frame = view_frame(&ledger->view, event->tid);
    struct call *call = calls_now(thread, ledger);

    thread->last = ledger_place(event);
    thread->is_last_return =
        ledger->decoded && ledger->insn.kind == INSN_RETURN;
    thread->awaited =
        frame && frame->return_to.known ? frame->return_to.value : 0;
    if (!call)
        return;
    take_kept(call, event);
    take_return_address(call, event);
    if (ledger->decoded)
        take_touch(call, ledger, event);
    else
        call->blind = true;
}

static void take_limit(struct calls *calls, const struct event *event)
{
    const char *budget = event->limit.budget;
    bool all = word_is(budget, "steps");

    if (!all && !word_is(budget, "call-steps") && !word_is(budget, "nt-flag"))
        return;
    for (size_t i = 0; i < calls->count; i++)
        for (size_t j = 0; j < calls->threads[i].count; j++)
            if (all || calls->threads[i].tid == event->tid)
                calls->threads[i].list[j].blind = true;
}

/* Where control has gone, for as long as nothing else is known. */
static void take_way(struct calls_thread *thread, const struct event *event)
{
    const bool goes =
        event->kind == EVENT_LEAVE && !word_is(event->leave.how, "return");

    if (event->kind != EVENT_LEAVE && event->kind != EVENT_ENTER)
        return;
    thread->left_to = goes ? event->leave.to : 0;
    if (event->kind == EVENT_ENTER)
        thread->tail.known = false;
}

void calls_apply(struct calls *calls, struct ledger *ledger,
                 const struct event *event)
{
    const struct event_enter *enter = &event->enter;

    const char *slash;

    if (event->kind == EVENT_START && event->start.exe) {
        slash = strrchr(event->start.exe, '/');
        free(calls->program);
        calls->program = mem_copy_text(slash ? slash + 1 : event->start.exe);
    }
    if (event->kind == EVENT_STEP)
        take_step(calls_thread(calls, event->tid), ledger, event);
    else if (event->kind == EVENT_LIMIT)
        take_limit(calls, event);
    else if (event->kind == EVENT_ENTER && word_is(enter->how, "call"))
        take_call(calls_thread(calls, event->tid), ledger, event);
    else if (event->kind == EVENT_ENTER)
        take_back(calls_thread(calls, event->tid),
                  view_thread(&ledger->view, event->tid), &enter->regs);
    take_way(calls_thread(calls, event->tid), event);
}

bool calls_end(struct calls_thread *thread, const struct ledger *ledger,
               const struct event *leave, struct call *out)
{
    const struct view_thread *now = view_thread(&ledger->view, thread->tid);
    const struct frame *frame = view_returned(now, leave->leave.to);
    const struct call *call;

    if (!frame || frame->kind != FRAME_ENTERED || !frame->return_to.known)
        return false;
    while ((call = innermost(thread)) && call->seq > frame->seq)
        thread->count--; /* left by a jump */
    if (!call || call->seq != frame->seq)
        return false;
    thread->count--;
    *out = *call;
    return !call->blind && leave->leave.to == frame->return_to.value;
}
