/* SPDX-License-Identifier: MIT */
#include "diff/walk.h"

#include "base/mem.h"
#include "diff/code.h"

void walk_release(struct walk *walk)
{
    for (int i = 0; i < 2; i++) {
        view_release(&walk->side[i].view);
        unpacked_release(&walk->side[i].now);
        ranges_release(&walk->side[i].others);
    }
    for (size_t i = 0; i < walk->touched_count; i++) {
        buf_release(&walk->touched[i].has[0]);
        buf_release(&walk->touched[i].has[1]);
    }
    flow_release(&walk->flow);
    ranges_release(&walk->stored);
    free(walk->touched);
    free(walk->told);
}

/* --- one side ------------------------------------------------------------- */

static bool is_compared(const struct event *event, int tid)
{
    switch (event->kind) {
    case EVENT_EXIT:
        return true;
    case EVENT_MAP:
    case EVENT_WRITE:
    case EVENT_PROTECT:
    case EVENT_UNMAP:
    case EVENT_REFUSED:
    case EVENT_ENTER:
    case EVENT_STEP:
    case EVENT_LEAVE:
    case EVENT_SIGNAL:
        return event->tid == tid;
    default: /* of no class, or not compared where it stands */
        return false;
    }
}

const struct event *walk_peek(struct walk_side *side)
{
    for (; side->at < side->store->count; side->at++) {
        store_read(side->store, side->at, &side->now);
        if (is_compared(&side->now.event, side->tid))
            return &side->now.event;
        side->limited |= side->now.event.kind == EVENT_LIMIT;
        view_apply(&side->view, &side->now.event);
    }
    return NULL;
}

void walk_take(struct walk_side *side)
{
    view_apply(&side->view, &side->now.event);
    side->at++;
}

/* --- telling -------------------------------------------------------------- */

void walk_place(struct walk *walk, struct difference *difference, int side,
                uint64_t addr, uint64_t byte)
{
    const struct view *view = &walk->side[side].view;
    const struct region *region = view_region_at(view, addr);
    struct diff_side *out = &difference->side[side];

    if (!region)
        return;
    out->has_code = true;
    out->addr = addr;
    out->byte = byte;
    out->start = region->start;
    out->mapping = (unsigned)region->mapping;
    out->version = view_generation(view, region).number;
}

/* The address of code that an event is about. */
static bool place_of(const struct event *event, uint64_t *addr)
{
    if (event->kind == EVENT_STEP)
        *addr = event->step.addr;
    else if (event->kind == EVENT_ENTER)
        *addr = event->enter.addr;
    else if (event->kind == EVENT_WRITE)
        *addr = event->write.addr;
    else if (event->kind == EVENT_SIGNAL && event->signal.pc.known)
        *addr = event->signal.pc.value;
    else
        return false;
    return true;
}

void walk_say(struct walk *walk, enum diff_class class,
              const struct event *left, const struct event *right,
              const char *what, const char *has, const char *other)
{
    struct difference *out = &walk->diff->first[class];
    const struct event *events[] = {left, right};
    const char *texts[] = {has, other};
    uint64_t addr;

    if (out->found) {
        out->more++;
        return;
    }
    out->found = true;
    buf_append_text(&out->what, what);
    for (int i = 0; i < 2; i++) {
        buf_append_text(&out->side[i].has, texts[i]);
        if (!events[i])
            continue;
        out->side[i].known = true;
        out->side[i].seq = events[i]->seq;
        if (place_of(events[i], &addr))
            walk_place(walk, out, i, addr, addr);
    }
}

static void say(struct flow_report *report, int class, bool at_entry,
                const char *what, const char *left, const char *right)
{
    struct walk *walk = (struct walk *)report;
    struct walk_side *side = walk->side;
    struct difference *out = &walk->diff->first[class];
    bool is_first = !out->found;
    const struct event_step *step = &side[0].now.event.step;

    walk_say(walk, (enum diff_class) class, &side[0].now.event,
             &side[1].now.event, what, left, right);
    if (!is_first || !at_entry)
        return;
    for (int i = 0; i < 2; i++)
        out->side[i].seq = walk->flow.entered[i];
    if (side[0].now.event.kind == EVENT_STEP)
        buf_printf(&out->note, "first used by %s, event %" PRIu64 " of A",
                   step->text ? step->text : "an instruction",
                   side[0].now.event.seq);
}

static void describe_code(const struct insn *insn, struct bytes bytes,
                          struct buf *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, "%02x ", bytes.data[i]);
    buf_printf(out, " %s", insn->length ? insn->text : "(no instruction)");
}

/* --- control -------------------------------------------------------------- */

/* Both are about to execute these. */
static void compare_steps(struct walk *walk)
{
    struct walk_side *side = walk->side;
    struct flow_step step = {0};
    struct buf text[2] = {{0}, {0}};

    for (int i = 0; i < 2; i++) {
        const struct event *event = &side[i].now.event;
        const struct regs *regs = view_regs(&side[i].view, event->tid);
        const struct vregs *vregs = view_vregs(&side[i].view, event->tid);
        const struct frame *frame = view_frame(&side[i].view, event->tid);

        step.event[i] = event;
        step.returns[i] = frame && frame->return_to.known &&
                          frame->return_to.value == event->step.next;
        insn_decode_any(event->step.bytes.data, event->step.bytes.len,
                        event->step.addr, &step.insn[i]);
        step.before[i] = regs ? *regs : (struct regs){0};
        if (vregs)
            step.vectors_before[i] = *vregs;
    }
    if (!walk->flow.inside ||
        (walk->shifted
             ? strcmp(step.insn[0].mnemonic, step.insn[1].mnemonic) != 0
             : !same_address(walk->same, step.event[0]->step.addr,
                             step.event[1]->step.addr))) {
        walk->lost = true;
        return;
    }
    walk->diff->steps++;
    walk->entered_steps++;
    flow_given(&walk->flow, walk->same, &step, &walk->report);
    if (!step.same_code && !walk->shifted &&
        !walk_is_told(walk, step.event[0]->step.addr)) {
        for (int i = 0; i < 2; i++)
            describe_code(&step.insn[i], step.event[i]->step.bytes, &text[i]);
        walk_say(walk, DIFF_CODE, step.event[0], step.event[1], "instruction",
                 buf_text(&text[0]), buf_text(&text[1]));
        buf_release(&text[0]);
        buf_release(&text[1]);
    }
    walk->shifted |= step.insn[0].length != step.insn[1].length;
    for (int i = 0; i < 2; i++) {
        const struct regs *regs;
        const struct vregs *vregs;

        view_apply(&side[i].view, step.event[i]);
        regs = view_regs(&side[i].view, side[i].tid);
        vregs = view_vregs(&side[i].view, side[i].tid);
        step.after[i] = regs ? *regs : (struct regs){0};
        if (vregs)
            step.vectors_after[i] = *vregs;
    }
    if (!flow_made(&walk->flow, walk->same, &step, &walk->report))
        walk->lost = true;
    side[0].at++;
    side[1].at++;
}

void walk_pair(struct walk *walk, uint64_t a, uint64_t b)
{
    struct diff *diff = walk->diff;

    diff->pairs = mem_grow(diff->pairs, diff->pair_count, &diff->pair_capacity,
                           sizeof *diff->pairs);
    diff->pairs[diff->pair_count++] = (struct diff_pair){{a, b}};
}

/* Whether no generated code has led to it. */
static bool begins_call(const struct walk_side *side, const struct event *event)
{
    return event->kind == EVENT_ENTER &&
           (event->enter.number.known ||
            (!word_is(event->enter.how, "return") &&
             !view_frame(&side->view, side->tid)));
}

/* Those that were found and have not met yet do so here. */
static void meet(struct walk *walk)
{
    for (int class = 0; class < DIFFS; class ++) {
        struct difference *difference = &walk->diff->first[class];

        if (!difference->found || difference->meets)
            continue;
        difference->meets = true;
        for (int i = 0; i < 2; i++)
            difference->meet[i] = walk->side[i].now.event.seq;
    }
}

static void describe_enter(const struct walk_side *side, struct buf *out)
{
    const struct event_enter *enter = &side->now.event.enter;

    if (enter->number.known)
        buf_printf(out, "call %" PRIu64 " ", enter->number.value);
    buf_printf(out, "to code[%" PRIu64 "]", enter->offset);
}

/* The entry of one side is none of the other's. */
static void one_enters(struct walk *walk, bool which)
{
    struct walk_side *side = &walk->side[which];
    struct buf text = {0};

    if (!walk->unaligned && !walk->side[!which].limited &&
        begins_call(side, &side->now.event)) {
        describe_enter(side, &text);
        walk_say(walk, DIFF_BRANCH, which == 0 ? &side->now.event : NULL,
                 which == 1 ? &side->now.event : NULL, "a call",
                 which == 0 ? buf_text(&text) : "none",
                 which == 1 ? buf_text(&text) : "none");
        buf_release(&text);
    }
    walk->lost = true;
    walk_take(side);
}

static void compare_enters(struct walk *walk)
{
    struct walk_side *side = walk->side;
    const struct event *a = &side[0].now.event, *b = &side[1].now.event;
    const struct opt_u64 number = a->enter.number, other = b->enter.number;
    struct buf text[2] = {{0}, {0}};
    bool again = !begins_call(&side[0], a);

    /* Which call it is of all says nothing where threads call in any order. */
    if (number.known && other.known && number.value != other.value &&
        !side[0].threads && !side[1].threads) {
        one_enters(walk, number.value > other.value);
        return;
    }
    walk_take(&side[0]);
    walk_take(&side[1]);
    if (!walk_same_found(a->enter.code, b->enter.code))
        walk_touch(walk, a->enter.addr);
    walk_compare(walk, a->enter.addr);
    walk->lost = walk->unaligned;
    if (walk->unaligned)
        return;
    walk->shifted &= again;
    walk->entered_steps = 0;
    walk->diff->calls++;
    flow_enter(&walk->flow, walk->same, a, b, again);
    if (same_address(walk->same, a->enter.addr, b->enter.addr) ||
        walk->shifted) {
        if (!again)
            meet(walk);
        return;
    }
    describe_enter(&side[0], &text[0]);
    describe_enter(&side[1], &text[1]);
    walk_say(walk, DIFF_BRANCH, a, b, "a call", buf_text(&text[0]),
             buf_text(&text[1]));
    buf_release(&text[0]);
    buf_release(&text[1]);
    walk->lost = true;
}

/* A call or a jump to what is outside; a handler that a signal led to is told
 * with that. */
static bool same_target(struct walk *walk, const struct event_leave *a,
                        const struct event_leave *b)
{
    if (word_is(a->how, "signal"))
        return true;
    if (a->callee.symbol && b->callee.symbol)
        return word_is(a->callee.symbol, b->callee.symbol);
    return same_address(walk->same, a->to, b->to);
}

static void describe_target(const struct event_leave *leave, struct buf *out)
{
    buf_printf(out, "to 0x%" PRIx64, leave->to);
    if (leave->callee.symbol)
        buf_printf(out, ", %s", leave->callee.symbol);
    else if (leave->to_symbol)
        buf_printf(out, ", %s", leave->to_symbol);
}

static void compare_leaves(struct walk *walk)
{
    struct walk_side *side = walk->side;
    const struct event *a = &side[0].now.event, *b = &side[1].now.event;
    const struct event_leave *left = &a->leave, *right = &b->leave;
    struct buf text[2] = {{0}, {0}};

    flow_leave(&walk->flow, walk->same, a, b, &walk->report);
    /* What was stepped has said where it led, and what it made. */
    if (walk->entered_steps == 0 && left->taken && right->taken &&
        left->value.known && right->value.known &&
        !same_word(walk->same, left->value.value, right->value.value)) {
        buf_printf(&text[0], "0x%" PRIx64, left->value.value);
        buf_printf(&text[1], "0x%" PRIx64, right->value.value);
        walk_say(walk, DIFF_REGISTERS, a, b, "the result", buf_text(&text[0]),
                 buf_text(&text[1]));
        buf_release(&text[0]);
        buf_release(&text[1]);
    }
    if (!word_is(left->how, right->how)) {
        walk_say(walk, DIFF_BRANCH, a, b, "how control left",
                 left->how ? left->how : "not recorded",
                 right->how ? right->how : "not recorded");
        walk->lost = true;
    } else if (!word_is(left->how, "return") &&
               !same_target(walk, left, right)) {
        for (int i = 0; i < 2; i++)
            describe_target(i ? right : left, &text[i]);
        walk_say(walk, DIFF_BRANCH, a, b, "where control went",
                 buf_text(&text[0]), buf_text(&text[1]));
        buf_release(&text[0]);
        buf_release(&text[1]);
        walk->lost = true;
    }
    walk_take(&side[0]);
    walk_take(&side[1]);
}

/* --- all of it ------------------------------------------------------------ */

/* Which of the two is taken alone where they are events of other kinds; or -1:
 * control went apart. */
static int which_alone(const struct event *a, const struct event *b)
{
    if (walk_is_about_memory(a) || a->kind == EVENT_SIGNAL)
        return 0;
    if (walk_is_about_memory(b) || b->kind == EVENT_SIGNAL)
        return 1;
    return -1;
}

static bool is_lost_in(const struct walk *walk, int which)
{
    const struct walk_side *side = &walk->side[which];
    const struct event *event = &side->now.event;

    return event->kind == EVENT_STEP || event->kind == EVENT_LEAVE ||
           (event->kind == EVENT_ENTER && !begins_call(side, event));
}

static void compare_pair(struct walk *walk, enum event_kind kind)
{
    const uint64_t seq[] = {walk->side[0].now.event.seq,
                            walk->side[1].now.event.seq};
    const uint64_t at[] = {walk->side[0].at, walk->side[1].at};

    switch (kind) {
    case EVENT_STEP:
        compare_steps(walk);
        break;
    case EVENT_ENTER:
        compare_enters(walk);
        break;
    case EVENT_LEAVE:
        compare_leaves(walk);
        break;
    default:
        walk_memory(walk);
    }
    if (walk->side[0].at > at[0] && walk->side[1].at > at[1])
        walk_pair(walk, seq[0], seq[1]);
}

/* What comes next on both sides is of other kinds. */
static void part(struct walk *walk, const struct event *a,
                 const struct event *b)
{
    int alone = which_alone(a, b);

    if (a->kind == EVENT_EXIT || b->kind == EVENT_EXIT) {
        bool which = a->kind == EVENT_EXIT;
        bool killed = (which ? a : b)->exit.signal.known;

        /* What a program that was killed did not come to is no difference of
         * its own. */
        if (!killed && walk->side[which].now.event.kind == EVENT_ENTER)
            one_enters(walk, which);
        else if (!killed && alone >= 0)
            walk_one_has(walk, which);
        else
            walk_take(&walk->side[which]);
        return;
    }
    if (alone >= 0) {
        walk_one_has(walk, alone == 1);
        return;
    }
    if (!walk->side[0].limited && !walk->side[1].limited && !walk->lost &&
        walk->flow.inside)
        walk_say(walk, DIFF_BRANCH, a, b, "what comes next",
                 event_name(a->kind), event_name(b->kind));
    walk->lost = true;
    walk->flow.inside = false;
}

void walk_run(struct walk *walk)
{
    struct walk_side *side = walk->side;

    walk->report.say = say;
    for (;;) {
        const struct event *a = walk_peek(&side[0]);
        const struct event *b = walk_peek(&side[1]);

        walk->same->view[0] = &side[0].view;
        walk->same->view[1] = &side[1].view;
        if (!a || !b)
            break;
        if (a->kind == EVENT_EXIT && b->kind == EVENT_EXIT) {
            walk_pair(walk, a->seq, b->seq);
            break;
        }
        if (a->kind == EVENT_WRITE || b->kind == EVENT_WRITE)
            walk_stores(walk);
        else if (walk->lost && is_lost_in(walk, 0))
            walk_take(&side[0]);
        else if (walk->lost && is_lost_in(walk, 1))
            walk_take(&side[1]);
        else if (a->kind == b->kind)
            compare_pair(walk, a->kind);
        else
            part(walk, a, b);
    }
    walk_compare_all(walk);
    for (int i = 0; i < 2; i++)
        walk->diff->limited[i] |= side[i].limited;
}
