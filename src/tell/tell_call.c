/* SPDX-License-Identifier: MIT */
/*
 * Generated code runs: it is entered, and steps.
 *
 * In a paragraph a step takes one or two lines: what ran, what it did in words;
 * then the registers that changed, in hex. Registers are kept for each thread,
 * because a sentence needs those that did not change, too.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/effect.h"
#include "tell/tell_parts.h"

#define LOOK_BACK 4096u /* events */

#define INDENT        5u
#define EFFECT_COLUMN 45u

/* "call 3 to code[0]" */
static const char *entry(struct phrases *phrases, const struct view *view,
                         const struct event_enter *enter)
{
    const char *place = phrase_place(phrases, enter->offset, 1);
    uint64_t number = view->calls;

    /* Where not all calls are told, it has another number in the program. */
    if (enter->number.known && enter->number.value > number)
        number = enter->number.value;
    return word_is(enter->how, "call")
               ? phrase(phrases, "call %" PRIu64 " to %s", number, place)
               : phrase(phrases, "%s to %s",
                        enter->how ? enter->how : "control", place);
}

static void enter_words(struct story *story, enum tell_form form)
{
    static const char *const ways[][2] = {
        {"return", "Control comes back to "},
        {"call", "The program calls "},
        {"jump", "The program jumps to "},
        {"signal", "To handle a signal, the kernel starts "},
    };
    const struct event_enter *enter = &story->event->enter;
    const struct regions *regions = &story_view(story)->regions;
    const char *words = "Control enters ", *left = NULL, *at = "";
    const char *label = story_label(story, enter->addr);
    const char *place = phrase_place(&story->phrases, enter->offset, 1);
    bool is_return = word_is(enter->how, "return");
    enum reg reg = is_return ? REG_RESULT : reg_argument[0];
    const char *value = story_register(story, enter->regs.value[reg]);

    if (form == TELL_TITLE)
        say(story, "%s%s", entry(&story->phrases, story_view(story), enter),
            label);
    if (form == TELL_NEXT)
        say(story, "a %s to %s%s", enter->how ? enter->how : "way", place,
            label);
    if (form != TELL_SENTENCE)
        return;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (word_is(enter->how, ways[i][0]))
            words = ways[i][1];
    for (size_t i = 0; i < regions->count && !*at; i++)
        if (regions->list[i].start != enter->addr - enter->offset)
            at = phrase(&story->phrases, " at 0x%" PRIx64, enter->addr);
    say(story, "%s%s%s%s%s", words, place, label, at, story_in_source(story));
    if (!is_return) {
        say(story, ": %s = %s is the first argument, if it takes one.",
            reg_name(reg), value);
        say_vector_arguments(story, enter->addr);
        if (enter->return_to.known)
            say(story, " It will return to 0x%" PRIx64 ".",
                enter->return_to.value);
        return;
    }
    /* Why the thread left generated code the last time. */
    for (uint64_t i = story->seq; i-- > 0 && story->seq - i < LOOK_BACK;) {
        const struct event *event = history_event(story->history, i);

        if (event->kind == EVENT_LEAVE && event->tid == story->event->tid) {
            left = event->leave.how;
            break;
        }
    }
    if (word_is(left, "call") || word_is(left, "jump"))
        say(story,
            ". %s = %s is the result of what was called, if there is one",
            reg_name(reg), value);
    else if (word_is(left, "signal"))
        say(story, ", from which a signal had taken it");
    say(story, ".");
}

static void tell_register(struct telling *telling, enum role role, enum reg reg,
                          const struct regs *regs)
{
    const char *item =
        phrase(&telling->phrases, "%s = %s", reg_name(reg),
               phrase_value(&telling->phrases, regs->value[reg]));

    pen_item(&telling->pen, INDENT, strlen(item));
    pen_text(&telling->pen, role, item);
}

static void enter_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    const struct view *view = &telling->view;
    uint64_t base = telling_base(telling, enter->addr, enter->offset);
    struct telling_thread *thread = telling_thread(telling, event->tid);
    const struct region *region = view_region_at(view, enter->addr);
    struct telling_area *area = telling_area(telling, base);
    const struct label *label = ranges_at(&view->labels.ranges, enter->addr);
    bool is_return = word_is(enter->how, "return"), same = false;
    struct pen *pen = &telling->pen;
    struct telling_thread was;

    was = *thread;
    thread->regs = enter->regs;
    thread->regs_known = true;
    stack_note(&thread->stores, event);
    telling_take_vregs(thread, &enter->vregs);
    /* The code, if it was not shown when it became executable. */
    if (region && region->prot & PROT_EXEC && !area->executable) {
        pen_blank(pen);
        pen_line(pen, ROLE_NOTE,
                 "no mprotect: the page was executable from the start");
    }
    area->executable = true;
    if (region &&
        telling_show_code(telling, base, region->addr + enter->code_offset,
                          enter->code))
        pen_blank(pen);
    if (!is_return)
        telling_show_entered(telling, base, enter->addr);
    if (telling_first_time(telling, TOPIC_ARGUMENTS)) {
        pen_words(pen, ROLE_NOTE, 0,
                  "Arguments go into rdi, rsi, rdx, rcx, r8, r9, in this "
                  "order; how many of them count is up to the function. The "
                  "result comes back in rax.");
        pen_blank(pen);
    }
    pen_blank(pen);
    telling->entries++;
    /* Which mapping it is: by its address, where there is more than one. */
    telling->many |= telling->base && telling->base != base;
    if (!telling->many)
        telling_name_code(telling, base);
    telling->named = true;
    telling->base = base;
    pen_text(pen, ROLE_HEADING, entry(&telling->phrases, view, enter));
    if (telling->many)
        pen_print(pen, ROLE_HEADING, " at 0x%" PRIx64, enter->addr);
    if (enter->mapping.known) /* as --only counts them */
        pen_print(pen, ROLE_HEADING, ", code%" PRIu64 "+%" PRIu64,
                  enter->mapping.value, enter->offset);
    thread->named = label ? label->addr : 0;
    pen_column(pen, pen->column + 1);
    pen_text(pen, ROLE_HEADING,
             phrase_label(&telling->phrases, view, enter->addr));
    pen_column(pen, pen->column + 1);
    pen_text(pen, ROLE_SOURCE,
             phrase_line(&telling->phrases, view, enter->addr));
    thread->line = 0;
    pen_gap(pen, 0);
    pen_source(pen, &event->source);
    pen_end(pen);
    if (is_return)
        tell_register(telling, ROLE_RESULT, REG_RESULT, &enter->regs);
    /* The first argument always, the others if they are not as last time. */
    for (size_t i = 0; !is_return && i < REG_ARGUMENTS; i++) {
        enum reg reg = reg_argument[i];

        if (i == 0 || !thread->arguments_shown ||
            thread->entered.value[reg] != enter->regs.value[reg])
            tell_register(telling, i ? ROLE_REGISTER : ROLE_RESULT, reg,
                          &enter->regs);
        else
            same = true;
    }
    if (same) {
        pen_item(pen, INDENT, 27);
        pen_text(pen, ROLE_NOTE, "the others as at last entry");
    }
    if (!is_return) {
        thread->arguments_shown = true;
        thread->entered = enter->regs;
        telling_vector_arguments(telling, thread, enter->addr);
        thread->vectors_set = 0;
    }
    if (is_return)
        telling_came_back(telling, &was, thread);
    if (enter->return_to.known && !enter->stack_at.known) {
        pen_item(pen, INDENT, 29);
        pen_text(pen, ROLE_NOTE, "return to ");
        pen_hex(pen, ROLE_ADDRESS, enter->return_to.value);
    }
    pen_end(pen);
    telling_stack(telling, thread, event, NULL);
}

const struct tell_kind kind_enter = {enter_words, enter_paragraph, 0};

/* The registers around a step: what it says itself wins over what is known. */
struct around {
    struct insn insn; /* length 0: not known */
    struct regs before, after;
    struct vregs vregs_before, vregs_after;
};

static void around(const struct event_step *step, const struct regs *known,
                   const struct vregs *vregs, struct around *out)
{
    const struct reg_change *list = step->regs.list;
    struct regs *before = &out->before, *after = &out->after;

    *before = *known;
    before->value[REG_PC] = step->addr;
    for (size_t i = 0; i < step->regs.count; i++)
        before->value[list[i].reg] = list[i].old_value;
    *after = *before;
    after->value[REG_PC] = step->next;
    for (size_t i = 0; i < step->regs.count; i++)
        after->value[list[i].reg] = list[i].new_value;
    out->insn.length = 0;
    if (step->bytes.data)
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &out->insn);
    out->vregs_before.known = out->vregs_after.known = vregs && vregs->known;
    if (!out->vregs_after.known)
        return;
    out->vregs_before = *vregs;
    for (size_t i = 0; i < step->vregs.count; i++)
        vregs_set(&out->vregs_before, step->vregs.list[i].reg,
                  step->vregs.list[i].old_bytes, false);
    out->vregs_after = out->vregs_before;
    for (size_t i = 0; i < step->vregs.count; i++)
        vregs_set(&out->vregs_after, step->vregs.list[i].reg,
                  step->vregs.list[i].new_bytes, false);
}

/* What a step did, in words. Where it went to is said to be there, unless that
 * is NULL. */
static const char *effect_of(struct phrases *phrases,
                             const struct event_step *step,
                             const struct around *around, const char *there)
{
    const char *address = phrase(phrases, "s to 0x%" PRIx64, step->next), *at;
    const bool has_vregs = around->vregs_after.known;
    const char *said, *end;
    struct buf effect = {0};

    if (around->insn.length > 0)
        effect_describe(
            &(struct executed){
                .insn = &around->insn,
                .before = &around->before,
                .after = &around->after,
                .vregs_before = has_vregs ? &around->vregs_before : NULL,
                .vregs_after = has_vregs ? &around->vregs_after : NULL,
                .reads = step->reads.list,
                .read_count = step->reads.count,
                .writes = step->writes.list,
                .write_count = step->writes.count,
            },
            &effect);
    said = phrase_of(phrases, &effect);
    at = there ? strstr(said, address) : NULL;
    end = at ? at + strlen(address) : NULL;
    if (!at || isxdigit((unsigned char)*end))
        return said;
    return phrase(phrases, "%.*ss to %s%s", (int)(at - said), said, there, end);
}

static void step_words(struct story *story, enum tell_form form)
{
    const struct event_step *step = &story->event->step;
    const char *label = story_label(story, step->addr), *effect;
    const struct view_thread *thread = NULL;
    const struct view *before;
    const struct vregs *vregs = NULL;
    struct regs known = {0};
    const char *text = step->text;
    struct around all;
    struct insn insn;
    size_t verb;

    if (view_decode_step(story_view(story), step, &insn))
        text = insn.text;
    if (form == TELL_TITLE)
        say(story, "%s%s", text ? text : "an instruction", label);
    if (form == TELL_NEXT)
        say(story, "%s", text ? text : "a step");
    if (form != TELL_SENTENCE)
        return;
    before = story_view_before(story);
    if (before)
        thread = view_thread(before, story->event->tid);
    if (thread)
        known = thread->regs;
    if (thread && thread->vregs)
        vregs = &thread->vregs->value;
    around(step, &known, vregs, &all);
    effect = effect_of(&story->phrases, step, &all,
                       view_region_at(story_view(story), step->next)
                           ? story_where(story, step->next)
                           : NULL);
    say(story, "%s was executed%s%s", text ? text : "An instruction",
        *label ? " at" : "", label);
    if (*effect) { /* a verb in front, "returns to", wants a subject */
        verb = strspn(effect, "abcdefghijklmnopqrstuvwxyz");
        say(story, verb > 3 && effect[verb - 1] == 's' && effect[verb] == ' ' &&
                           effect[verb + 1] != '=' &&
                           strncmp(effect, "flags ", 6) != 0
                       ? ": it "
                       : ": ");
    }
    say(story, "%s.", effect);
}

/* Notes what a thread is known to be after a step. */
static void note_step(struct telling_thread *thread, const struct event *event,
                      const struct around *around)
{
    const struct event_step *step = &event->step;

    stack_note(&thread->stores, event);
    if (step->stack_at.known)
        thread->stack_told = 0;
    thread->regs = around->after;
    thread->vregs = around->vregs_after;
    telling_note_vectors(thread, &around->insn);
    thread->last_addr = step->addr;
    thread->last_end = step->addr + step->bytes.len;
}

void telling_pass(struct telling *telling, const struct event *event)
{
    const struct event_write *write = &event->write;
    struct telling_thread *thread;
    struct around all;

    if (event->kind == EVENT_STEP) {
        thread = telling_thread(telling, event->tid);
        around(&event->step, &thread->regs, &thread->vregs, &all);
        note_step(thread, event, &all);
    } else if (event->kind == EVENT_WRITE) {
        telling_note_fresh(telling, write->addr - write->offset, write->addr,
                           write->addr + write->new.len - 1);
    }
}

void telling_changes(struct telling *telling, const struct reg_changes *changes,
                     const struct insn *insn, const struct vreg_changes *vregs,
                     const struct vregs *after)
{
    struct pen *pen = &telling->pen;

    if (pen->column > 0)
        pen_end(pen);
    for (size_t i = 0; i < changes->count; i++) {
        const struct reg_change *change = &changes->list[i];
        struct buf item = {0};

        if (change->reg == REG_FLAGS) {
            buf_append_text(&item, "flags ");
            flags_describe(change->old_value, &item);
            buf_append_text(&item, " -> ");
            flags_describe(change->new_value, &item);
        } else {
            buf_printf(&item, "%s 0x%" PRIx64 " -> 0x%" PRIx64,
                       reg_name(change->reg), change->old_value,
                       change->new_value);
        }
        pen_item(pen, INDENT, item.len);
        pen_text(pen, ROLE_CHANGED, buf_text(&item));
        buf_release(&item);
    }
    for (size_t i = 0; i < vregs->count; i++) {
        struct buf item = {0};

        if (effect_change(insn, &vregs->list[i], after, &item)) {
            pen_item(pen, INDENT, item.len);
            pen_text(pen, ROLE_CHANGED, buf_text(&item));
        }
        buf_release(&item);
    }
    if (pen->column > 0)
        pen_end(pen);
}

static void step_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_step *step = &event->step;
    const struct view *view = &telling->view;
    struct telling_thread *thread = telling_thread(telling, event->tid);
    const struct label *label = ranges_at(&view->labels.ranges, step->addr);
    const struct region *there = view_region_at(view, step->next);
    uint64_t named = label ? label->addr : 0;
    struct pen *pen = &telling->pen;
    const char *effect;
    struct around all;

    /* Above the first step of each stretch with a name, as objdump does. */
    if (label && thread->named != named)
        pen_line(pen, ROLE_HEADING,
                 "%s:", phrase_label(&telling->phrases, view, step->addr));
    thread->named = named;
    /* And above the first one of each line, as objdump -S does. */
    if (event->source.file && event->source.line != thread->line) {
        pen_source(pen, &event->source);
        pen_end(pen);
    }
    thread->line = event->source.file ? event->source.line : 0;
    around(step, &thread->regs, &thread->vregs, &all);
    if (all.insn.length)
        view_name_target(view, &all.insn);
    telling_insn(telling, step->offset, step->bytes,
                 all.insn.length ? all.insn.text : step->text);
    effect = effect_of(
        &telling->phrases, step, &all,
        there && there->start == step->addr - step->offset
            ? phrase_place(&telling->phrases, step->next - there->start, 1)
            : NULL);
    note_step(thread, event, &all);
    if (thread->regs_known && *effect) {
        /* In a column of its own, or on the next lines. */
        pen_item(pen, INDENT, strlen(effect));
        if (pen->column > 0 && pen->column < EFFECT_COLUMN - 2 &&
            EFFECT_COLUMN + strlen(effect) <= PEN_WIDTH)
            pen_column(pen, EFFECT_COLUMN);
        if (pen->column == 0)
            pen_words(pen, ROLE_RESULT, INDENT, effect);
        else
            pen_text(pen, ROLE_RESULT, effect);
    }
    telling_changes(telling, &step->regs,
                    all.insn.length > 0 ? &all.insn : NULL, &step->vregs,
                    all.vregs_after.known ? &all.vregs_after : NULL);
    telling_stack(telling, thread, event, &all.insn);
}

const struct tell_kind kind_step = {step_words, step_paragraph,
                                    TELL_SEARCHED(step, text)};
