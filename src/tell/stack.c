/* SPDX-License-Identifier: MIT */
/*
 * What a word on the stack is. Known for certain is only what was observed:
 *
 *   - it is where a call that the thread is in has put its return address
 *   - a step has stored it, by a push, a call or anything else
 *
 * A word that nobody was seen to store may be of the program, or from before;
 * of it is said at most that it is an address in generated code. The search
 * ends at the event where the thread came in from outside, for what ran there
 * may have stored anything below its stack pointer.
 */
#include "tell/stack.h"

#include <string.h>

#include "cpu/calling.h"

#define WORD      8u
#define LOOK_BACK 4096u /* events */

static bool has_stack(const struct event *event, struct opt_u64 *at,
                      struct bytes *words)
{
    switch (event->kind) {
    case EVENT_ENTER:
        *at = event->enter.stack_at;
        *words = event->enter.stack;
        break;
    case EVENT_STEP:
        *at = event->step.stack_at;
        *words = event->step.stack;
        break;
    case EVENT_LEAVE:
        *at = event->leave.stack_at;
        *words = event->leave.stack;
        break;
    default:
        return false;
    }
    return at->known && words->data && words->len >= WORD;
}

bool stack_find(struct history *history, uint64_t seq, struct stack_words *out)
{
    const int tid = history_event(history, seq)->tid;
    const struct regs *regs;
    struct opt_u64 at;
    struct bytes words;

    for (uint64_t i = seq + 1; i-- > 0 && seq - i < LOOK_BACK;) {
        const struct event *event = history_event(history, i);

        if (event->tid != tid || !has_stack(event, &at, &words))
            continue;
        out->seq = i;
        out->copy = event_keep(event);
        has_stack(out->copy, &at, &words);
        out->addr = at.value;
        out->words = words.data;
        out->count = words.len / WORD;
        regs = out->copy->kind == EVENT_LEAVE && out->copy->leave.regs.known
                   ? &out->copy->leave.regs.value
                   : view_regs(history_view(history, i), tid);
        out->top = regs ? regs->value[REG_STACK] : at.value;
        return true;
    }
    return false;
}

void stack_release(struct stack_words *stack)
{
    event_free(stack->copy);
    stack->copy = NULL;
}

uint64_t stack_word(const struct stack_words *stack, size_t n)
{
    uint64_t value;

    memcpy(&value, stack->words + n * WORD, sizeof value);
    return value;
}

/* "code[15]" of generated code, else the address. */
static const char *place_of(struct history *history, uint64_t seq,
                            uint64_t addr, struct phrases *phrases)
{
    const struct region *region =
        view_region_at(history_view(history, seq), addr);

    return region ? phrase_place(phrases, addr - region->start, 1)
                  : phrase_hex(phrases, addr);
}

/* Of a call that the thread is in: where it returns to. */
static const char *of_frame(struct history *history,
                            const struct stack_words *stack, uint64_t addr,
                            uint64_t value, struct phrases *phrases)
{
    const struct view *view = history_view(history, stack->seq);
    const struct frame *frame = view_frame(view, stack->copy->tid);
    struct srcline source = {0};
    struct event *entered;
    const char *line;

    while (frame &&
           !(frame->return_to.known && frame->return_to.value == value &&
             frame->regs.value[REG_STACK] == addr))
        frame = frame->caller;
    if (!frame)
        return NULL;
    if (frame->kind == FRAME_CALLED)
        return phrase(phrases, "return address, into %s",
                      place_of(history, stack->seq, value, phrases));
    entered = event_keep(history_event(history, frame->seq));
    source = entered->source;
    line = phrase_source(phrases, &source);
    event_free(entered);
    return *line ? phrase(phrases, "return address, to the call at %s", line)
                 : "return address";
}

/* Whether a register still has what the function was called with, before the
 * step that pushes it: nothing has set it since the frame began. */
static bool is_saved(struct history *history, uint64_t pushed, enum reg reg,
                     uint64_t value)
{
    const struct event *event = history_event(history, pushed);
    const int tid = event->tid;
    const struct view_thread *thread;

    if (!calling_is_saved(reg) || pushed == 0)
        return false;
    thread = view_thread(history_view(history, pushed - 1), tid);
    return thread && thread->frame && thread->frame->regs.value[reg] == value;
}

/* Of the latest step that has stored it. */
static const char *of_store(struct history *history,
                            const struct stack_words *stack, uint64_t addr,
                            uint64_t value, struct phrases *phrases)
{
    for (uint64_t i = stack->seq + 1; i-- > 0 && stack->seq - i < LOOK_BACK;) {
        const struct event *event = history_event(history, i);
        const struct mem_accesses *writes = &event->step.writes;
        struct insn insn;
        const char *place;

        if (event->tid != stack->copy->tid)
            continue;
        if (event->kind == EVENT_ENTER)
            return NULL;
        for (size_t w = 0; event->kind == EVENT_STEP && w < writes->count;
             w++) {
            if (addr - writes->list[w].addr >= writes->list[w].new_bytes.len)
                continue;
            if (!event->step.bytes.data ||
                insn_decode(event->step.bytes.data, event->step.bytes.len,
                            event->step.addr, &insn) <= 0)
                return NULL;
            place = place_of(history, i, insn.addr, phrases);
            if (insn.kind == INSN_CALL)
                return phrase(phrases, "return address, of %s at %s", insn.text,
                              place);
            if (strcmp(insn.mnemonic, "push") != 0)
                return phrase(phrases, "stored by %s at %s", insn.text, place);
            if (insn.operands[0].reg != REG_NONE &&
                is_saved(history, i, insn.operands[0].reg, value))
                return phrase(phrases, "the caller's %s, pushed at %s",
                              reg_name(insn.operands[0].reg), place);
            return phrase(phrases, "pushed by %s at %s", insn.text, place);
        }
    }
    return NULL;
}

const char *stack_meaning(struct history *history,
                          const struct stack_words *stack, size_t n,
                          struct phrases *phrases)
{
    const uint64_t addr = stack->addr + n * WORD, value = stack_word(stack, n);
    const char *meaning = of_frame(history, stack, addr, value, phrases);

    if (!meaning)
        meaning = of_store(history, stack, addr, value, phrases);
    if (!meaning && view_region_at(history_view(history, stack->seq), value))
        meaning = phrase(phrases, "the address of %s",
                         place_of(history, stack->seq, value, phrases));
    return meaning ? meaning : "";
}
