/* SPDX-License-Identifier: MIT */
/*
 * What a word on the stack is. Known for certain is only what was observed:
 *
 *   - it is where a call that the thread is in has put its return address
 *   - a step has stored it, by a push, a call or anything else
 *
 * A word that nobody was seen to store may be of the program, or from before;
 * of it is said at most that it is an address in generated code. Where a thread
 * comes in from outside, what ran there may have stored anything below its
 * stack pointer, so that stores there are forgotten; and above it, so that a
 * word counts as stored only if it still has that value.
 */
#include "tell/stack.h"

#include <string.h>

#include "base/mem.h"
#include "cpu/calling.h"
#include "tell/tell.h"

#define WORD      8u
#define LOOK_BACK 4096u /* events */
#define NEAR      1024u /* bytes on either side of the stack pointer */

/* --- stores onto the stack ------------------------------------------------ */

static void remove_store(struct stack_stores *stores, size_t n)
{
    memmove(&stores->list[n], &stores->list[n + 1],
            (--stores->count - n) * sizeof *stores->list);
}

static void note_store(struct stack_stores *stores, const struct event *event,
                       const struct mem_access *write)
{
    struct stack_store store = {.addr = write->addr,
                                .seq = event->seq,
                                .pc = event->step.addr,
                                .size = (uint32_t)write->new_bytes.len,
                                .length = (uint8_t)event->step.bytes.len};
    const size_t len = store.size < WORD ? store.size : WORD;

    if ((stores->top && store.addr - (stores->top - NEAR) >= 2 * NEAR) ||
        event->step.bytes.len > sizeof store.insn || !event->step.bytes.data)
        return;
    memcpy(&store.value, write->new_bytes.data, len);
    memcpy(store.insn, event->step.bytes.data, store.length);
    for (size_t i = 0; i < stores->count; i++)
        if (stores->list[i].addr == store.addr &&
            stores->list[i].size <= store.size) {
            remove_store(stores, i);
            break;
        }
    if (stores->count == STACK_STORES)
        remove_store(stores, 0);
    stores->list[stores->count++] = store;
}

void stack_note(struct stack_stores *stores, const struct event *event)
{
    const struct event_step *step = &event->step;
    size_t kept = 0;

    if (event->kind == EVENT_ENTER) {
        stores->top = event->enter.regs.value[REG_STACK];
        for (size_t i = 0; i < stores->count; i++)
            if (stores->list[i].addr >= stores->top)
                stores->list[kept++] = stores->list[i];
        stores->count = kept;
    } else if (event->kind == EVENT_STEP) {
        for (size_t i = 0; i < step->regs.count; i++)
            if (step->regs.list[i].reg == REG_STACK)
                stores->top = step->regs.list[i].new_value;
        for (size_t i = 0; i < step->writes.count; i++)
            note_store(stores, event, &step->writes.list[i]);
    }
}

/* --- words ---------------------------------------------------------------- */

bool stack_take(const struct event *event, struct stack_words *out)
{
    struct opt_u64 at = {0};
    struct bytes words = {0};

    if (event->kind == EVENT_ENTER) {
        at = event->enter.stack_at;
        words = event->enter.stack;
    } else if (event->kind == EVENT_STEP) {
        at = event->step.stack_at;
        words = event->step.stack;
    } else if (event->kind == EVENT_LEAVE) {
        at = event->leave.stack_at;
        words = event->leave.stack;
    }
    if (!at.known || !words.data || words.len < WORD)
        return false;
    *out = (struct stack_words){.seq = event->seq,
                                .tid = event->tid,
                                .addr = at.value,
                                .count = words.len / WORD,
                                .words = words.data};
    return true;
}

bool stack_find(struct history *history, uint64_t seq, struct stack_words *out)
{
    const int tid = history_event(history, seq)->tid;
    const uint64_t oldest = seq < LOOK_BACK ? 0 : seq - LOOK_BACK + 1;
    const struct regs *regs;
    struct event *copy;
    uint64_t i = seq;

    while (history_event(history, i)->tid != tid ||
           !stack_take(history_event(history, i), out))
        if (i-- == oldest)
            return false;
    copy = event_keep(history_event(history, i));
    stack_take(copy, out);
    out->copy = copy;
    out->seq = i;
    out->past = history_past(history, false);
    out->stores = mem_alloc(sizeof *out->stores);
    for (uint64_t n = i < LOOK_BACK ? 0 : i - LOOK_BACK + 1; n <= i; n++)
        if (history_event(history, n)->tid == tid)
            stack_note(out->stores, history_event(history, n));
    out->view = history_view(history, i);
    regs = copy->kind == EVENT_LEAVE && copy->leave.regs.known
               ? &copy->leave.regs.value
               : view_regs(out->view, tid);
    out->top = regs ? regs->value[REG_STACK] : out->addr;
    return true;
}

void stack_release(struct stack_words *stack)
{
    event_free(stack->copy);
    free(stack->stores);
    *stack = (struct stack_words){0};
}

uint64_t stack_word(const struct stack_words *stack, size_t n)
{
    uint64_t value;

    memcpy(&value, stack->words + n * WORD, sizeof value);
    return value;
}

/* --- what they are -------------------------------------------------------- */

/* "code[15]" of generated code, else the address. */
static const char *place_of(const struct stack_words *stack, uint64_t addr,
                            struct phrases *phrases)
{
    const struct region *region = view_region_at(stack->view, addr);

    return region ? phrase_place(phrases, addr - region->start, 1)
                  : phrase_hex(phrases, addr);
}

/* Where the call was made that began a frame, "jit.c:12", or "". Where a
 * recording lacks events, the one of that seq has a lower number. */
static const char *line_of(const struct stack_words *stack, uint64_t seq,
                           struct phrases *phrases)
{
    const struct past *past = &stack->past;
    uint64_t index = seq < past->count ? seq + 1 : past->count;
    const struct event *event = NULL;

    while (index-- > 0 && (event = past->event(past->from, index)) &&
           event->seq > seq)
        ;
    return event && event->seq == seq ? phrase_source(phrases, &event->source)
                                      : "";
}

static const struct frame *find_frame(const struct frame *frame, uint64_t addr,
                                      uint64_t value)
{
    while (frame &&
           !(frame->return_to.known && frame->return_to.value == value &&
             frame->regs.value[REG_STACK] == addr))
        frame = frame->caller;
    return frame;
}

/* The return address of a call that the thread is in, or has just ended. */
static const char *of_frame(const struct stack_words *stack, uint64_t addr,
                            uint64_t value, struct phrases *phrases)
{
    const struct view_thread *thread = view_thread(stack->view, stack->tid);
    const struct frame *frame = NULL;
    const char *line;

    if (thread)
        frame = find_frame(thread->frame, addr, value);
    if (thread && !frame)
        frame = find_frame(thread->stepped, addr, value);
    if (!frame)
        return NULL;
    if (frame->kind == FRAME_CALLED)
        return phrase(phrases, "return address, into %s",
                      place_of(stack, value, phrases));
    line = line_of(stack, frame->seq, phrases);
    return *line ? phrase(phrases, "return address, to %s", line)
                 : "return address";
}

/* Whether a register that was pushed by that step still had what the function
 * was called with. */
static bool is_saved(const struct stack_words *stack, uint64_t pushed,
                     enum reg reg, uint64_t value)
{
    const struct view_thread *thread = view_thread(stack->view, stack->tid);
    const struct frame *frame = thread ? thread->frame : NULL;

    if (!calling_is_saved(reg))
        return false;
    if (thread && thread->stepped &&
        (!frame || thread->stepped->depth > frame->depth))
        frame = thread->stepped;
    while (frame && frame->seq > pushed)
        frame = frame->caller;
    return frame && frame->regs.value[reg] == value;
}

/* Of the latest step that has stored it. */
static const char *of_store(const struct stack_words *stack, uint64_t addr,
                            uint64_t value, struct phrases *phrases)
{
    const struct stack_store *store = NULL;
    struct insn insn;
    const char *place;
    enum reg reg;

    for (size_t i = stack->stores->count; i-- > 0 && !store;)
        if (addr - stack->stores->list[i].addr < stack->stores->list[i].size)
            store = &stack->stores->list[i];
    if (!store ||
        (store->addr == addr && store->size == WORD && store->value != value) ||
        insn_decode(store->insn, store->length, store->pc, &insn) <= 0)
        return NULL;
    view_name_target(stack->view, &insn);
    place = place_of(stack, store->pc, phrases);
    if (insn.kind == INSN_CALL)
        return phrase(phrases, "return address, of %s at %s", insn.text, place);
    if (strcmp(insn.mnemonic, "push") != 0)
        return phrase(phrases, "stored by %s at %s", insn.text, place);
    reg = insn.operands[0].reg;
    if (reg != REG_NONE && is_saved(stack, store->seq, reg, value))
        return phrase(phrases, "the caller's %s, pushed at %s", reg_name(reg),
                      place);
    return phrase(phrases, "pushed by %s at %s", insn.text, place);
}

const char *stack_meaning(const struct stack_words *stack, size_t n, bool *seen,
                          struct phrases *phrases)
{
    const uint64_t addr = stack->addr + n * WORD, value = stack_word(stack, n);
    const char *meaning = of_frame(stack, addr, value, phrases);

    if (!meaning)
        meaning = of_store(stack, addr, value, phrases);
    if (seen)
        *seen = meaning;
    if (!meaning && view_region_at(stack->view, value))
        meaning = phrase(phrases, "the address of %s",
                         place_of(stack, value, phrases));
    if (!meaning)
        return "";
    return addr + WORD > stack->top ? meaning
           : strncmp(meaning, "stored", 6) == 0 ||
                   strncmp(meaning, "the address", 11) == 0
               ? phrase(phrases, "below; %s", meaning)
               : phrase(phrases, "popped; %s", meaning);
}
