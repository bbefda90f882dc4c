/* SPDX-License-Identifier: MIT */
/*
 * What of vector registers is told where generated code is entered and left.
 *
 * No event says which of them have arguments. So of a function that begins in
 * generated code those are told which its first instructions read before they
 * set them; of one outside those that its types ask for, or else the ones that
 * generated code has set since it was called. They are taken for numbers as the
 * instruction takes them that reads, or has set, them.
 */
#include <string.h>

#include "cpu/effect.h"
#include "cpu/touch.h"
#include "tell/tell_parts.h"

#define INDENT    5u
#define LOOKED_AT 64u   /* instructions of a function that are looked at */
#define LOOK_BACK 4096u /* events */

/* The vectors that can have arguments. */
#define ARGUMENTS ((UINT32_C(1) << CALLING_VECTORS) - 1)

/* What sets the low part of a register only, as conversions of integers do,
 * does not read the rest for its sake. */
static uint32_t vectors_read(const struct insn *insn,
                             const struct insn_touch *touch)
{
    const bool keeps = strstr(insn->mnemonic, "cvtsi2") != NULL;

    return touch->vectors_read & ~(keeps ? touch->vectors_written : 0);
}

/* The vectors that the code at addr reads before it sets them, up to the first
 * call or return, as far as that is known: bit n. by has the mnemonic of what
 * reads each. */
static uint32_t vectors_taken(const struct view *view, uint64_t addr,
                              char by[CALLING_VECTORS][16])
{
    uint32_t taken = 0, set = 0;
    struct insn_touch touch;
    struct insn insn;

    for (unsigned n = 0; n < LOOKED_AT; n++) {
        if (!view_has_code(view, addr) || !view_decode(view, addr, &insn))
            break;
        insn_touches(&insn, &touch);
        for (unsigned i = 0; i < CALLING_VECTORS; i++) {
            const uint32_t bit = UINT32_C(1) << i;

            if (!(vectors_read(&insn, &touch) & ~set & ~taken & bit))
                continue;
            taken |= bit;
            memcpy(by[i], insn.mnemonic, sizeof by[i]);
        }
        set |= touch.vectors_written;
        if (insn.kind == INSN_JUMP && insn_distance(&insn))
            addr = (uint64_t)insn.operands[0].immediate;
        else if (insn.kind == INSN_CALL || !insn_goes_on(&insn))
            break;
        else
            addr += insn.length;
    }
    return taken & ARGUMENTS;
}

/* "xmm0 = 2.5" */
static const char *value_phrase(struct phrases *phrases,
                                const struct vregs *vregs, unsigned vector,
                                const char *by)
{
    const enum vreg reg = (enum vreg)(VREG_VECTOR + vector);
    const struct bytes value = vregs_trimmed(vregs, reg);
    struct buf text = {0};

    vreg_name(reg, value.len, &text);
    buf_append_text(&text, " = ");
    effect_value(by, value, &text);
    return phrase_of(phrases, &text);
}

static void tell_vector(struct telling *telling, const struct vregs *vregs,
                        unsigned vector, const char *by)
{
    const char *item = value_phrase(&telling->phrases, vregs, vector, by);

    pen_item(&telling->pen, INDENT, strlen(item));
    pen_text(&telling->pen, ROLE_REGISTER, item);
}

/* --- one event by itself -------------------------------------------------- */

void say_vector_arguments(struct story *story, uint64_t addr)
{
    const struct view *view = story_view(story);
    const struct vregs *vregs = view_vregs(view, story->event->tid);
    char by[CALLING_VECTORS][16];
    const uint32_t taken = vectors_taken(view, addr, by);

    for (unsigned i = 0; vregs && i < CALLING_VECTORS; i++)
        if (taken >> i & 1)
            say(story, " It reads %s, which may be an argument.",
                value_phrase(&story->phrases, vregs, i, by[i]));
}

/* Only where a step of this stay has changed it: most results are integers. */
void say_vector_result(struct story *story)
{
    const struct view *view = story_view(story);
    const struct vregs *vregs = view_vregs(view, story->event->tid);
    struct insn insn;

    for (uint64_t i = story->seq; i-- > 0 && story->seq - i < LOOK_BACK;) {
        const struct event *event = history_event(story->history, i);
        const struct event_step *step = &event->step;

        if (event->tid != story->event->tid)
            continue;
        if (event->kind == EVENT_ENTER)
            return;
        if (event->kind != EVENT_STEP || step->vregs.count == 0 ||
            step->vregs.list[0].reg != VREG_VECTOR)
            continue;
        if (!vregs || !step->bytes.data ||
            insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) <=
                0)
            return;
        say(story, " Or %s is.",
            value_phrase(&story->phrases, vregs, 0, insn.mnemonic));
        return;
    }
}

/* --- paragraphs ----------------------------------------------------------- */

void telling_note_vectors(struct telling_thread *thread,
                          const struct insn *insn)
{
    struct insn_touch touch;

    if (!insn->length || !insn->changes_vregs)
        return;
    insn_touches(insn, &touch);
    thread->vectors_set |= touch.vectors_written;
    for (unsigned i = 0; i < CALLING_VECTORS; i++)
        if (touch.vectors_written >> i & 1)
            memcpy(thread->set_by[i], insn->mnemonic, sizeof thread->set_by[i]);
}

void telling_take_vregs(struct telling_thread *thread,
                        const struct vreg_changes *vregs)
{
    if (vregs->count > 0 && !thread->vregs.known)
        vregs_init(&thread->vregs);
    for (size_t i = 0; i < vregs->count; i++)
        vregs_set(&thread->vregs, vregs->list[i].reg, vregs->list[i].new_bytes,
                  true);
}

void telling_vector_arguments(struct telling *telling,
                              const struct telling_thread *thread,
                              uint64_t addr)
{
    char by[CALLING_VECTORS][16];
    const uint32_t taken = vectors_taken(&telling->view, addr, by);

    for (unsigned i = 0; thread->vregs.known && i < CALLING_VECTORS; i++)
        if (taken >> i & 1)
            tell_vector(telling, &thread->vregs, i, by[i]);
}

/* The vector that may be its result, and what it should have given back as it
 * was (psABI 3.2.1). All else that it has changed was to be expected, and is
 * another list with each version of a library; --step shows it. */
void telling_came_back(struct telling *telling,
                       const struct telling_thread *was,
                       const struct telling_thread *now)
{
    struct reg_change list[REG_COUNT];
    const size_t count = regs_diff(&was->regs, &now->regs, list);
    const struct bytes old = vregs_value(&was->vregs, VREG_VECTOR);
    const struct bytes new = vregs_value(&now->vregs, VREG_VECTOR);

    if (!was->regs_known)
        return;
    if (was->vregs.known && now->vregs.known && now->vector_result &&
        memcmp(old.data, new.data, new.len) != 0)
        tell_vector(telling, &now->vregs, 0, now->vector_result);
    for (size_t i = 0; i < count; i++)
        if (calling_is_saved(list[i].reg)) {
            const char *item = phrase(
                &telling->phrases, "%s changed to %s", reg_name(list[i].reg),
                phrase_value(&telling->phrases, list[i].new_value));

            pen_item(&telling->pen, INDENT, strlen(item));
            pen_text(&telling->pen, ROLE_CHANGED, item);
        }
}

/* As what instruction would take it the result of a function is to be told that
 * is in a vector; NULL: it has no such. */
static const char *vector_result(const struct callee *callee)
{
    if (!callee->symbol || !callee->result || !strcmp(callee->result, "f64"))
        return "movsd";
    return !strcmp(callee->result, "f32")      ? "movss"
           : !strcmp(callee->result, "struct") ? "movsd"
                                               : NULL;
}

/* How many vectors have arguments of a function of these types; -1: not known.
 * A variadic one is told how many by its caller (psABI 3.5.7). */
static int count_arguments(const struct callee *callee, const struct regs *regs)
{
    int count = 0;

    if (!callee->symbol || callee->params.count == 0)
        return -1;
    for (size_t i = 0; i < callee->params.count; i++) {
        const char *word = callee->params.list[i];

        if (strcmp(word, "...") == 0)
            return (int)(regs->value[REG_VECTORS] & 0xff);
        if (strcmp(word, "struct") == 0 || strcmp(word, "other") == 0)
            return -1;
        count += strcmp(word, "f32") == 0 || strcmp(word, "f64") == 0;
    }
    return count;
}

void telling_left_vectors(struct telling *telling, const struct event *event)
{
    const struct event_leave *leave = &event->leave;
    struct telling_thread *thread = telling_thread(telling, event->tid);
    const bool returns = word_is(leave->how, "return");
    uint32_t shown = thread->vectors_set & ARGUMENTS;
    int count = -1;

    thread->vector_result = vector_result(&leave->callee);
    if (word_is(leave->how, "call") || word_is(leave->how, "jump"))
        count = count_arguments(&leave->callee, &thread->regs);
    else if (!returns)
        shown = 0;
    if (count >= 0)
        shown = (UINT32_C(1)
                 << (count < CALLING_VECTORS ? count : CALLING_VECTORS)) -
                1;
    if (returns) {
        shown &= 1;
        for (size_t i = 0; i < leave->vregs.count; i++) {
            const struct vreg_change *change = &leave->vregs.list[i];
            const struct bytes known = vregs_value(&thread->vregs, VREG_VECTOR);

            if (change->reg == VREG_VECTOR && thread->vregs.known &&
                memcmp(known.data, change->new_bytes.data,
                       change->new_bytes.len) != 0) {
                shown = 1; /* by code that was not stepped */
                memcpy(thread->set_by[0], "movsd", sizeof "movsd");
            }
        }
    }
    telling_take_vregs(thread, &leave->vregs);
    for (unsigned i = 0; thread->vregs.known && i < CALLING_VECTORS; i++)
        if (shown >> i & 1)
            tell_vector(telling, &thread->vregs, i,
                        thread->vectors_set >> i & 1 || returns
                            ? thread->set_by[i]
                            : "movsd");
}
