/* SPDX-License-Identifier: MIT */
/*
 * The stack, told below what has moved its pointer or is addressed by it, the
 * highest address at first, as it grows:
 *
 *     [rsp+8]  0x5555555551f3  return address, to jit.c:9
 *     [rsp]    0x5             pushed by push 5 at code[4]
 *     [rsp-8]  0x0             popped; the caller's rbx, pushed at code[0]
 *
 * A paragraph has few of them: from the topmost one of which something is
 * known, ABOVE words from the top, to the lowest one, BELOW words from it.
 */
#include "tell/tell_parts.h"

#define INDENT 5u
#define VALUE  (INDENT + 10)
#define WORDS  (VALUE + 16)

#define WORD  8u
#define ABOVE 3u
#define BELOW 2u

/* A row of the word that is that many words above the top, or none if there is
 * no such word. */
static void tell_word(struct telling *telling, const struct stack_words *stack,
                      int64_t above, const char *meaning)
{
    const size_t n =
        (size_t)((stack->top - stack->addr) / WORD) + (size_t)above;
    struct pen *pen = &telling->pen;

    pen_column(pen, INDENT);
    pen_print(pen, ROLE_ADDRESS, above ? "[%s%+d]" : "[%s]",
              reg_name(REG_STACK), (int)(above * (int64_t)WORD));
    pen_gap(pen, VALUE);
    pen_hex(pen, above < 0 ? ROLE_NOTE : ROLE_REGISTER, stack_word(stack, n));
    if (*meaning) {
        pen_gap(pen, WORDS);
        pen_cut(pen, ROLE_NOTE, meaning);
    }
    pen_end(pen);
}

static void tell_around(struct telling *telling,
                        const struct stack_words *stack)
{
    const uint64_t top = (stack->top - stack->addr) / WORD;
    const char *meaning[ABOVE + 1 + BELOW] = {NULL};
    int64_t first = 0, last = 0;

    for (int64_t i = -(int64_t)BELOW; i <= (int64_t)ABOVE; i++) {
        const uint64_t n = top + (uint64_t)i;
        bool seen;

        if (n >= stack->count)
            continue;
        meaning[i + BELOW] =
            stack_meaning(stack, (size_t)n, &seen, &telling->phrases);
        if (seen && i < first)
            first = i;
        if (seen && i > last)
            last = i;
    }
    for (int64_t i = last; i >= first; i--)
        if (meaning[i + BELOW])
            tell_word(telling, stack, i, meaning[i + BELOW]);
}

/* The words that the step has accessed, at most as many as are told else. */
static void tell_accessed(struct telling *telling,
                          const struct stack_words *stack,
                          const struct event_step *step)
{
    const uint64_t top = (stack->top - stack->addr) / WORD;
    const struct mem_accesses *lists[] = {&step->reads, &step->writes};
    uint64_t told = UINT64_MAX;

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < lists[i]->count; k++) {
            const uint64_t n = (lists[i]->list[k].addr - stack->addr) / WORD;

            if (n < stack->count && n != told)
                tell_word(
                    telling, stack, (int64_t)(n - top),
                    stack_meaning(stack, (size_t)n, NULL, &telling->phrases));
            told = n;
        }
}

static bool is_moved(const struct event_step *step)
{
    for (size_t i = 0; i < step->regs.count; i++)
        if (step->regs.list[i].reg == REG_STACK)
            return true;
    return false;
}

static bool addresses_stack(const struct insn *insn)
{
    for (size_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_MEMORY &&
            insn->operands[i].base == REG_STACK)
            return true;
    return false;
}

void telling_stack(struct telling *telling, struct telling_thread *thread,
                   const struct event *event, const struct insn *insn)
{
    const bool is_step = event->kind == EVENT_STEP;
    const uint64_t top = event->kind == EVENT_LEAVE && event->leave.regs.known
                             ? event->leave.regs.value.value[REG_STACK]
                             : thread->regs.value[REG_STACK];
    struct stack_words stack;

    if (!thread->regs_known || !stack_take(event, &stack) ||
        top - stack.addr >= stack.count * WORD ||
        (event->kind == EVENT_LEAVE && thread->stack_told == top))
        return;
    stack.top = top;
    stack.view = &telling->view;
    stack.past = recent_past(&telling->recent, NULL);
    stack.stores = &thread->stores;
    thread->stack_told = 0;
    if (is_step && !is_moved(&event->step)) {
        if (insn->length > 0 && addresses_stack(insn))
            tell_accessed(telling, &stack, &event->step);
        return;
    }
    tell_around(telling, &stack);
    thread->stack_told = top;
}
