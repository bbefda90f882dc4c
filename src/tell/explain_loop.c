/* SPDX-License-Identifier: MIT */
/*
 * A loop that was not seen to end.
 *
 * The latest steps of a thread are compared: when they are at least ROUNDS
 * times the same path, that is the loop. Whether it would end nobody knows; so
 * it says what was seen: how often, what can leave it and on what that depends,
 * and what of that did not change.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "tell/explain_parts.h"

#define PATH   256u /* instructions, at most */
#define ROUNDS 3u
#define SHOWN  4u /* instructions of it that are listed */
#define EXITS  2u /* ways out that are told */

struct loop {
    struct crash *crash;
    struct seen last; /* the latest step */
    uint64_t *addrs;  /* of the steps, the latest first; then the path */
    size_t count;
    size_t capacity;
    bool may_end;  /* something that a way out depends on moves */
    bool cut;      /* there may be more before them */
    size_t length; /* of the path */
    size_t rounds;
    bool changed[REG_COUNT];
    uint64_t first[REG_COUNT]; /* of those that changed */
    uint64_t now[REG_COUNT];
};

/* Looks for the shortest path that the latest steps of the thread go round in.
 * What was before the code was entered anew from outside, or before it ran on
 * unwatched, are no rounds of the loop. */
static bool find_path(struct loop *loop, int tid)
{
    uint64_t index = loop->crash->index;
    const struct event *event;

    while ((event = past_earlier(loop->crash, tid, &index))) {
        if (event->kind == EVENT_ENTER ? !word_is(event->enter.how, "return")
                                       : loop->count > 0 && past_is_gap(event))
            break;
        if (event->kind != EVENT_STEP)
            continue;
        if (loop->count == 0)
            seen_from(event, index, &loop->last);
        loop->addrs = mem_grow(loop->addrs, loop->count, &loop->capacity,
                               sizeof *loop->addrs);
        loop->addrs[loop->count++] = event->step.addr;
    }
    loop->cut = !event && index > 0;
    for (size_t length = 1; length <= PATH && loop->count >= length * ROUNDS;
         length++) {
        size_t same = length; /* steps like those one path length before */

        while (same < loop->count &&
               loop->addrs[same] == loop->addrs[same - length])
            same++;
        loop->length = length;
        loop->rounds = same / length;
        if (loop->rounds >= ROUNDS)
            return true;
    }
    return false;
}

/* What the rounds changed, each register's first and last value. And puts the
 * path in order, from where the loop begins: its lowest address. */
static void find_changes(struct loop *loop, int tid)
{
    size_t left = loop->rounds * loop->length, lowest = 0;
    uint64_t index = loop->crash->index, path[PATH];
    const struct event *event;

    while (left > 0 && (event = past_earlier(loop->crash, tid, &index))) {
        if (event->kind != EVENT_STEP)
            continue;
        left--;
        for (size_t i = 0; i < event->step.regs.count; i++) {
            const struct reg_change *change = &event->step.regs.list[i];

            if (!loop->changed[change->reg])
                loop->now[change->reg] = change->new_value;
            loop->changed[change->reg] = true;
            loop->first[change->reg] = change->old_value;
        }
    }
    for (size_t i = 0; i < loop->length; i++) {
        path[i] = loop->addrs[i];
        if (path[i] < path[lowest])
            lowest = i;
    }
    for (size_t i = 0; i < loop->length; i++)
        loop->addrs[i] = path[(lowest + loop->length - i) % loop->length];
}

static bool is_on_path(const struct loop *loop, uint64_t addr)
{
    for (size_t i = 0; i < loop->length; i++)
        if (loop->addrs[i] == addr)
            return true;
    return false;
}

/* The instruction before number i of the path that sets the flags. */
static bool find_compare(const struct loop *loop, size_t i, struct insn *insn)
{
    for (size_t back = 1; back < loop->length; back++) {
        size_t at = (i + loop->length - back) % loop->length;

        if (!view_decode(loop->crash->view, loop->addrs[at], insn))
            continue;
        for (unsigned k = 0; k < insn->operand_count; k++)
            if (insn->operands[k].kind == OPERAND_REGISTER &&
                insn->operands[k].reg == REG_FLAGS && insn->operands[k].written)
                return true;
    }
    return false;
}

/* The registers that a comparison looks at, each once. Returns whether one of
 * them, or memory, can make the next round differ. */
static bool note_compared(const struct loop *loop, const struct insn *compare)
{
    struct crash *crash = loop->crash;
    struct phrases *phrases = &crash->phrases;
    bool told[REG_COUNT] = {false}, moves = false, any = false;

    for (unsigned i = 0; i < compare->operand_count; i++) {
        const struct insn_operand *operand = &compare->operands[i];
        enum reg reg = operand->reg;

        moves |= operand->kind == OPERAND_MEMORY && operand->read;
        if (operand->kind != OPERAND_REGISTER || !operand->read ||
            reg >= REG_COUNT || reg == REG_FLAGS || told[reg])
            continue;
        note(crash, WHY, "%s%s ", any ? ", " : ": ", reg_name(reg));
        if (loop->changed[reg] && loop->first[reg] != loop->now[reg]) {
            note(crash, WHY, "went from %s to %s",
                 phrase_value(phrases, loop->first[reg]),
                 phrase_value(phrases, loop->now[reg]));
            moves = true;
        } else {
            note(crash, WHY, "stays %s",
                 phrase_value(phrases, crash->regs.value[reg]));
        }
        told[reg] = any = true;
    }
    return moves;
}

static void note_loop(struct loop *loop, const char *what)
{
    struct crash *crash = loop->crash;
    struct insn insn, compare;
    unsigned exits = 0;

    note(crash, WHAT, "%s: the same ", what);
    if (loop->length > 1)
        note(crash, WHAT, "%zu instructions", loop->length);
    else
        note(crash, WHAT, "instruction");
    note(crash, WHAT, ", %s%zu times in a row.", loop->cut ? "at least " : "",
         loop->rounds);
    for (size_t i = 0; i < loop->length && i < SHOWN; i++)
        if (view_decode(crash->view, loop->addrs[i], &insn))
            note(crash, WHERE, "%s%s %s", i ? "; " : "",
                 words_code(crash, insn.addr), words_insn(crash, &insn));
    if (loop->length > SHOWN)
        note(crash, WHERE, "; and %zu more", loop->length - SHOWN);
    note(crash, WHERE, ".");
    /* A conditional jump of which one way is outside can leave the loop. */
    for (size_t i = 0; i < loop->length && exits < EXITS; i++) {
        if (!view_decode(crash->view, loop->addrs[i], &insn) ||
            insn.kind != INSN_BRANCH ||
            (is_on_path(loop, insn.addr + insn.length) &&
             is_on_path(loop, (uint64_t)insn.operands[0].immediate)))
            continue;
        exits++;
        note(crash, WHY, "%s at %s could leave it, but never did",
             words_insn(crash, &insn), words_code(crash, insn.addr));
        if (find_compare(loop, i, &compare)) {
            note(crash, WHY, "; it depends on %s at %s", compare.text,
                 words_code(crash, compare.addr));
            if (note_compared(loop, &compare))
                loop->may_end = true;
            else
                note(crash, WHY, ", so it never will");
        }
        note(crash, WHY, ". ");
    }
    if (exits == 0)
        note(crash, WHY,
             "No conditional jump in it leads out of it: as far as "
             "it was seen, it has no end. ");
    crash->out->line[WHY].len--;
    note(crash, NEXT, "%s",
         exits ? "See what should change the registers of that comparison. "
               : "The loop needs a conditional jump out. ");
    note_command(crash, loop->last.seq);
}

bool explain_rounds(struct crash *crash, const char *what, bool *may_end)
{
    struct loop loop = {.crash = crash};
    uint64_t index = crash->index;
    const struct view_thread *thread = NULL;
    const struct region *region;
    const struct event *event;
    bool found = false;

    do /* the thread whose step was the last one */
        event = past_earlier(crash, 0, &index);
    while (event && event->kind != EVENT_STEP);
    if (event)
        thread = view_thread(crash->view, event->tid);
    if (thread) {
        crash->regs = thread->regs;
        found = find_path(&loop, thread->tid);
    }
    region = found ? view_region_at(crash->view, loop.addrs[0]) : NULL;
    if (crash->signal && view_region_at(crash->view, crash->pc) != region)
        found = false; /* it is elsewhere by now */
    if (found) {
        crash->base = region ? region->start : 0;
        find_changes(&loop, thread->tid);
        note_loop(&loop, what);
    }
    free(loop.addrs);
    if (may_end)
        *may_end = loop.may_end;
    return found;
}
