/* SPDX-License-Identifier: MIT */
/*
 * Stage 5: generated code runs.
 *
 * A step takes one or two lines: what ran, what it did in words; then the
 * registers that changed, in hex. Registers are kept for each thread, because
 * a sentence needs those that did not change, too.
 */
#include "format/text_parts.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "cpu/effect.h"

#define INDENT        5u
#define TEXT_COLUMN   27u
#define EFFECT_COLUMN 45u

struct text_thread *text_thread(struct text *text, int tid)
{
    struct text_thread *thread;

    for (size_t i = 0; i < text->thread_count; i++)
        if (text->threads[i].tid == tid)
            return &text->threads[i];
    text->threads = mem_grow(text->threads, text->thread_count,
                             &text->thread_capacity, sizeof *text->threads);
    thread = &text->threads[text->thread_count++];
    *thread = (struct text_thread){.tid = tid};
    return thread;
}

void text_label(struct text *text, struct text_thread *thread, uint64_t addr)
{
    const struct label *label = labels_at(&text->view.labels, addr);
    struct buf name = {0};

    thread->named = label ? label->addr : 0;
    if (labels_describe(&text->view.labels, addr, &name))
        pen_print(&text->pen, ROLE_HEADING, "<%s>", buf_text(&name));
    buf_release(&name);
}

/* Above the first step of each stretch that has a name, as objdump does. */
static void tell_label(struct text *text, struct text_thread *thread,
                       uint64_t addr)
{
    const struct label *label = labels_at(&text->view.labels, addr);

    if (thread->named == (label ? label->addr : 0))
        return;
    text_label(text, thread, addr);
    if (label)
        pen_text(&text->pen, ROLE_HEADING, ":");
    if (label)
        pen_end(&text->pen);
}

static void tell_register(struct pen *pen, enum role role, enum reg reg,
                          uint64_t value)
{
    struct buf item = {0};

    buf_printf(&item, "%s = ", reg_name(reg));
    value_describe(value, 64, &item);
    pen_item(pen, INDENT, item.len);
    pen_text(pen, role, buf_text(&item));
    buf_release(&item);
}

/* The first argument always, the others if they are not as last time. */
static void tell_arguments(struct pen *pen, struct text_thread *thread)
{
    bool same = false;

    for (size_t i = 0; i < REG_ARGUMENTS; i++) {
        enum reg reg = reg_argument[i];
        uint64_t value = thread->regs.value[reg];

        if (i > 0 && thread->arguments_shown &&
            thread->entered.value[reg] == value) {
            same = true;
            continue;
        }
        tell_register(pen, i ? ROLE_REGISTER : ROLE_RESULT, reg, value);
    }
    if (same) {
        pen_item(pen, INDENT, 27);
        pen_text(pen, ROLE_NOTE, "the others as at last entry");
    }
    thread->arguments_shown = true;
    thread->entered = thread->regs;
}

static void tell_return_to(struct pen *pen, uint64_t addr)
{
    pen_item(pen, INDENT, 29);
    pen_print(pen, ROLE_NOTE, "return to ");
    pen_print(pen, ROLE_ADDRESS, "0x%llx", (unsigned long long)addr);
}

static void tell_entry(struct text *text, const struct event *event,
                       struct text_thread *thread, uint64_t base)
{
    const struct event_enter *enter = &event->enter;
    struct pen *pen = &text->pen;

    if (word_is(enter->how, "call"))
        pen_print(pen, ROLE_HEADING, "call %llu to ",
                  (unsigned long long)text->view.calls);
    else
        pen_print(pen, ROLE_HEADING, "%s to ",
                  enter->how ? enter->how : "control");
    pen_print(pen, ROLE_HEADING, "code[%llu]",
              (unsigned long long)(enter->addr - base));
    if (text->many)
        pen_print(pen, ROLE_HEADING, " at 0x%llx",
                  (unsigned long long)enter->addr);
    if (labels_at(&text->view.labels, enter->addr))
        pen_text(pen, ROLE_PLAIN, " ");
    text_label(text, thread, enter->addr);
    pen_gap(pen, 0);
    text_source(text, event);
    pen_end(pen);
}

static void explain_arguments(struct pen *pen)
{
    pen_words(pen, ROLE_NOTE, 0,
              "Arguments go into rdi, rsi, rdx, rcx, r8, r9, in this order; "
              "how many of them count is up to the function. The result comes "
              "back in rax.");
    pen_blank(pen);
}

/* Which mapping it is: by its address, where there is more than one. */
static void name_entered(struct text *text, uint64_t base)
{
    text->many |= text->base && text->base != base;
    if (!text->many)
        text_name_code(text, base);
    text->named = true;
    text->base = base;
}

/* The code that is entered, if it was not shown when it was executable. */
static void show_code(struct text *text, const struct event_enter *enter,
                      uint64_t base)
{
    const struct region *region = view_region_at(&text->view, enter->addr);
    struct text_area *area = text_area(text, base);
    struct pen *pen = &text->pen;

    if (region && region->prot & PROT_EXEC && !area->flipped &&
        !area->entered) {
        pen_blank(pen);
        pen_text(pen, ROLE_NOTE,
                 "no mprotect: the page was executable from the start");
        pen_end(pen);
    }
    area->entered = true;
    if (region && text_show_code(text, base, region->addr + enter->code_offset,
                                 enter->code))
        pen_blank(pen);
    if (!word_is(enter->how, "return"))
        text_show_entered(text, base, enter->addr);
}

void text_enter(struct text *text, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    uint64_t base = text_base(text, enter->addr, enter->offset);
    struct text_thread *thread = text_thread(text, event->tid);
    struct pen *pen = &text->pen;

    thread->regs = enter->regs;
    thread->regs_known = true;
    show_code(text, enter, base);
    if (text_first_time(text, TOPIC_ARGUMENTS))
        explain_arguments(pen);
    pen_blank(pen);
    text->entries++;
    name_entered(text, base);
    tell_entry(text, event, thread, base);
    if (word_is(enter->how, "return"))
        tell_register(pen, ROLE_RESULT, REG_RESULT,
                      enter->regs.value[REG_RESULT]);
    else
        tell_arguments(pen, thread);
    if (enter->return_to.known)
        tell_return_to(pen, enter->return_to.value);
    pen_end(pen);
}

/* The registers around a step: what it says itself wins over what we kept. */
static void around(const struct event_step *step, const struct regs *kept,
                   struct regs *before, struct regs *after)
{
    *before = *kept;
    before->value[REG_PC] = step->addr;
    for (size_t i = 0; i < step->regs.count; i++)
        before->value[step->regs.list[i].reg] = step->regs.list[i].old_value;
    *after = *before;
    after->value[REG_PC] = step->next;
    for (size_t i = 0; i < step->regs.count; i++)
        after->value[step->regs.list[i].reg] = step->regs.list[i].new_value;
}

static void append_effect(const struct event_step *step,
                          const struct regs *before, const struct regs *after,
                          struct buf *out)
{
    struct insn insn;

    if (insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) > 0)
        effect_describe(&insn, before, after, step->reads.list,
                        step->reads.count, step->writes.list,
                        step->writes.count, out);
}

static void append_change(const struct reg_change *change, struct buf *out)
{
    if (change->reg == REG_FLAGS) {
        buf_append_text(out, "flags ");
        flags_describe(change->old_value, out);
        buf_append_text(out, " -> ");
        flags_describe(change->new_value, out);
        return;
    }
    buf_printf(out, "%s 0x%llx -> 0x%llx", reg_name(change->reg),
               (unsigned long long)change->old_value,
               (unsigned long long)change->new_value);
}

void text_tell_changes(struct pen *pen, const struct reg_changes *changes)
{
    struct buf item = {0};

    if (pen->column > 0)
        pen_end(pen);
    for (size_t i = 0; i < changes->count; i++) {
        buf_clear(&item);
        append_change(&changes->list[i], &item);
        pen_item(pen, INDENT, item.len);
        pen_text(pen, ROLE_CHANGED, buf_text(&item));
    }
    if (pen->column > 0)
        pen_end(pen);
    buf_release(&item);
}

/* In a column of its own, behind the instruction, or on the next lines. */
static void tell_effect(struct pen *pen, struct buf *effect)
{
    pen_item(pen, INDENT, effect->len);
    if (pen->column > 0 && pen->column < EFFECT_COLUMN - 2 &&
        EFFECT_COLUMN + effect->len <= PEN_WIDTH)
        pen_column(pen, EFFECT_COLUMN);
    if (pen->column == 0)
        pen_words(pen, ROLE_RESULT, INDENT, buf_text(effect));
    else
        pen_text(pen, ROLE_RESULT, buf_text(effect));
}

void text_tell_insn(struct pen *pen, uint64_t offset, struct bytes bytes,
                    const char *words)
{
    pen_print(pen, ROLE_ADDRESS, "+%llu", (unsigned long long)offset);
    pen_gap(pen, INDENT);
    for (size_t i = 0; i < bytes.len; i++)
        pen_print(pen, ROLE_BYTE, i ? " %02x" : "%02x", bytes.data[i]);
    pen_gap(pen, TEXT_COLUMN);
    pen_cut(pen, ROLE_MNEMONIC, words ? words : "");
}

/* Notes what a thread is known to be after a step. */
static void note_step(struct text_thread *thread, const struct event_step *step,
                      const struct regs *after)
{
    thread->regs = *after;
    thread->last_addr = step->addr;
    thread->last_end = step->addr + step->bytes.len;
}

void text_pass_step(struct text_thread *thread, const struct event_step *step)
{
    struct regs before, after;

    around(step, &thread->regs, &before, &after);
    note_step(thread, step, &after);
}

void text_step(struct text *text, const struct event *event)
{
    const struct event_step *step = &event->step;
    struct text_thread *thread = text_thread(text, event->tid);
    struct pen *pen = &text->pen;
    struct regs before, after;
    struct buf effect = {0};

    around(step, &thread->regs, &before, &after);
    tell_label(text, thread, step->addr);
    text_tell_insn(pen, step->offset, step->bytes, step->text);
    if (thread->regs_known)
        append_effect(step, &before, &after, &effect);
    note_step(thread, step, &after);
    if (effect.len > 0)
        tell_effect(pen, &effect);
    buf_release(&effect);
    text_tell_changes(pen, &step->regs);
}

static void tell_result(struct pen *pen, uint64_t value)
{
    int64_t as_long = (int64_t)value;
    int32_t as_int = (int32_t)value;

    pen_column(pen, INDENT);
    pen_print(pen, ROLE_RESULT, "%s = 0x%llx = %lld", reg_name(REG_RESULT),
              (unsigned long long)value, (long long)as_long);
    if (as_int != as_long)
        pen_print(pen, ROLE_RESULT, ", as a 32-bit int %d", as_int);
    if (pen->column + 21 > PEN_WIDTH)
        pen_item(pen, INDENT, 20);
    else
        pen_column(pen, pen->column + 1);
    pen_text(pen, ROLE_NOTE, "(the result, if any)");
}

/* Whether the last instruction was the last of its mapping and went on. */
static bool ran_past_the_end(struct text *text, const struct event *event)
{
    const struct text_thread *thread = text_thread(text, event->tid);
    const struct region *region =
        view_region_at(&text->view, thread->last_addr);

    return region && word_is(event->leave.how, "jump") &&
           event->leave.to == region->addr + region->length &&
           event->leave.to == thread->last_end;
}

void text_leave(struct text *text, const struct event *event)
{
    const struct event_leave *leave = &event->leave;
    struct pen *pen = &text->pen;

    if (leave->value.known)
        tell_result(pen, leave->value.value);
    pen_item(pen, INDENT, 22);
    if (ran_past_the_end(text, event))
        pen_text(pen, ROLE_WARNING, "runs past the end of the mapping to ");
    else if (word_is(leave->how, "return"))
        pen_text(pen, ROLE_NOTE, "back at ");
    else
        pen_print(pen, ROLE_NOTE, "leaves%s%s to ", leave->how ? " by a " : "",
                  leave->how ? leave->how : "");
    pen_print(pen, ROLE_ADDRESS, "0x%llx", (unsigned long long)leave->to);
    pen_end(pen);
}
