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
#include <string.h>

#include "base/mem.h"
#include "tell/explain_parts.h"
#include "cpu/effect.h"

#define PATH   256u /* instructions, at most */
#define ROUNDS 3u
#define SHOWN  4u /* instructions of it that are listed */

struct loop {
    struct crash *crash;
    struct seen last; /* the latest step */
    uint64_t *addrs;  /* of the steps, the latest first */
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

/* --- finding it ---------------------------------------------------------- */

/* The thread whose step was the last one. */
static int stepping_thread(const struct crash *crash)
{
    uint64_t index = crash->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index)))
        if (event->kind == EVENT_STEP)
            return event->tid;
    return 0;
}

/*
 * Whether the steps before this event are no rounds of the loop behind it: the
 * code was entered anew from outside, or ran on unwatched in between.
 */
static bool begins_anew(const struct loop *loop, const struct event *event)
{
    if (event->kind == EVENT_ENTER)
        return !event->enter.how || strcmp(event->enter.how, "return") != 0;
    return loop->count > 0 && past_is_gap(event);
}

static void collect(struct loop *loop, int tid)
{
    uint64_t index = loop->crash->index;
    const struct event *event;

    while ((event = past_earlier(loop->crash, tid, &index))) {
        if (begins_anew(loop, event))
            return;
        if (event->kind != EVENT_STEP)
            continue;
        if (loop->count == 0)
            seen_from(event, index, &loop->last);
        loop->addrs = mem_grow(loop->addrs, loop->count, &loop->capacity,
                               sizeof *loop->addrs);
        loop->addrs[loop->count++] = event->step.addr;
    }
    loop->cut = index > 0;
}

static bool repeats(const struct loop *loop, size_t length, size_t times)
{
    if (loop->count < length * times)
        return false;
    for (size_t i = 0; i + length < length * times; i++)
        if (loop->addrs[i] != loop->addrs[i + length])
            return false;
    return true;
}

static bool find_path(struct loop *loop)
{
    size_t length = 1, same;

    while (length <= PATH && !repeats(loop, length, ROUNDS))
        length++;
    if (length > PATH)
        return false;
    loop->length = same = length;
    while (same < loop->count &&
           loop->addrs[same] == loop->addrs[same - length])
        same++;
    loop->rounds = same / length;
    return true;
}

/* What the rounds changed, each register's first and last value. */
static void find_changes(struct loop *loop, int tid)
{
    uint64_t index = loop->crash->index;
    size_t left = loop->rounds * loop->length;
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
}

/* --- telling ------------------------------------------------------------- */

/* Instruction i of the path, from its lowest address on. */
static bool path_insn(const struct loop *loop, size_t i, struct insn *insn)
{
    uint64_t addr = loop->addrs[loop->length - 1 - i];
    uint8_t bytes[INSN_MAX_LENGTH];

    pages_read(&loop->crash->view->pages, addr, sizeof bytes, bytes);
    return insn_decode(bytes, sizeof bytes, addr, insn) > 0;
}

/* Makes the path begin where the loop does: at its lowest address. */
static void turn(struct loop *loop)
{
    size_t lowest = 0;
    uint64_t *path = mem_copy(loop->addrs, loop->length * sizeof *path);

    for (size_t i = 1; i < loop->length; i++)
        if (path[i] < path[lowest])
            lowest = i;
    for (size_t i = 0; i < loop->length; i++)
        loop->addrs[i] = path[(lowest + 1 + i) % loop->length];
    free(path);
}

static bool is_on_path(const struct loop *loop, uint64_t addr)
{
    for (size_t i = 0; i < loop->length; i++)
        if (loop->addrs[i] == addr)
            return true;
    return false;
}

/* Whether a conditional jump can leave the loop: one of its ways is outside. */
static bool is_exit(const struct loop *loop, const struct insn *insn)
{
    return insn->kind == INSN_BRANCH &&
           !(is_on_path(loop, insn->addr + insn->length) &&
             is_on_path(loop, (uint64_t)insn->operands[0].immediate));
}

static bool sets_flags(const struct insn *insn)
{
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_REGISTER &&
            insn->operands[i].reg == REG_FLAGS && insn->operands[i].written)
            return true;
    return false;
}

/* The instruction before number i of the path that sets the flags. */
static bool find_compare(const struct loop *loop, size_t i, struct insn *insn)
{
    for (size_t back = 1; back < loop->length; back++)
        if (path_insn(loop, (i + loop->length - back) % loop->length, insn) &&
            sets_flags(insn))
            return true;
    return false;
}

static void note_value(const struct loop *loop, enum reg reg)
{
    struct buf *out = &loop->crash->out->line[EXPLAIN_WHY];

    note(loop->crash, EXPLAIN_WHY, "%s ", reg_name(reg));
    if (loop->changed[reg] && loop->first[reg] != loop->now[reg]) {
        note(loop->crash, EXPLAIN_WHY, "went from ");
        value_describe(loop->first[reg], 64, out);
        note(loop->crash, EXPLAIN_WHY, " to ");
        value_describe(loop->now[reg], 64, out);
    } else {
        note(loop->crash, EXPLAIN_WHY, "stays ");
        value_describe(loop->crash->regs.value[reg], 64, out);
    }
}

/* The registers that a comparison looks at, each once. Returns whether one of
 * them, or memory, can make the next round differ. */
static bool note_compared(const struct loop *loop, const struct insn *compare)
{
    bool told[REG_COUNT] = {false}, moves = false, any = false;

    for (unsigned i = 0; i < compare->operand_count; i++) {
        const struct insn_operand *operand = &compare->operands[i];
        enum reg reg = operand->reg;

        moves |= operand->kind == OPERAND_MEMORY && operand->read;
        if (operand->kind != OPERAND_REGISTER || !operand->read ||
            reg >= REG_COUNT || reg == REG_FLAGS || told[reg])
            continue;
        note(loop->crash, EXPLAIN_WHY, any ? ", " : ": ");
        note_value(loop, reg);
        moves |= loop->changed[reg] && loop->first[reg] != loop->now[reg];
        told[reg] = any = true;
    }
    return moves;
}

/* Returns whether it was an exit. */
static bool note_exit(struct loop *loop, size_t i)
{
    const struct crash *crash = loop->crash;
    enum explain_line line = EXPLAIN_WHY;
    struct insn insn, compare;

    if (!path_insn(loop, i, &insn) || !is_exit(loop, &insn))
        return false;
    note_insn(crash, line, &insn);
    note(crash, line, " at ");
    note_code(crash, line, insn.addr);
    note(crash, line, " could leave it, but never did");
    if (find_compare(loop, i, &compare)) {
        note(crash, line, "; it depends on %s at ", compare.text);
        note_code(crash, line, compare.addr);
        if (note_compared(loop, &compare))
            loop->may_end = true;
        else
            note(crash, line, ", so it never will");
    }
    note(crash, line, ". ");
    return true;
}

static void note_path(const struct loop *loop)
{
    const struct crash *crash = loop->crash;
    enum explain_line line = EXPLAIN_WHERE;
    struct insn insn;

    for (size_t i = 0; i < loop->length && i < SHOWN; i++) {
        if (!path_insn(loop, i, &insn))
            continue;
        note(crash, line, i ? "; " : "");
        note_code(crash, line, insn.addr);
        note(crash, line, " ");
        note_insn(crash, line, &insn);
    }
    if (loop->length > SHOWN)
        note(crash, line, "; and %zu more", loop->length - SHOWN);
    note(crash, line, ".");
}

static void note_loop(struct loop *loop, const char *what)
{
    const struct crash *crash = loop->crash;
    unsigned exits = 0;

    note(crash, EXPLAIN_WHAT, "%s: the same ", what);
    if (loop->length > 1)
        note(crash, EXPLAIN_WHAT, "%zu instructions", loop->length);
    else
        note(crash, EXPLAIN_WHAT, "instruction");
    note(crash, EXPLAIN_WHAT, ", %s%zu times in a row.",
         loop->cut ? "at least " : "", loop->rounds);
    note_path(loop);
    for (size_t i = 0; i < loop->length && exits < 2; i++)
        exits += note_exit(loop, i);
    if (exits == 0)
        note(crash, EXPLAIN_WHY,
             "No conditional jump in it leads out of it: as far as it was "
             "seen, it has no end. ");
    crash->out->line[EXPLAIN_WHY].len--;
    note_command(crash, EXPLAIN_NEXT, loop->last.seq);
    note(crash, EXPLAIN_NEXT,
         exits ? " the last step that was watched; see what should change the "
                 "registers of that comparison."
               : " the last step that was watched; the loop needs a "
                 "conditional jump out.");
}

static bool explain(struct crash *crash, const char *what, bool *may_end)
{
    struct loop loop = {.crash = crash};
    int tid = stepping_thread(crash);
    const struct view_thread *thread =
        tid ? view_thread(crash->view, tid) : NULL;
    const struct region *region;
    bool found = false;

    if (thread) {
        crash->regs = thread->regs;
        collect(&loop, tid);
        found = find_path(&loop);
    }
    region = found ? view_region_at(crash->view, loop.addrs[0]) : NULL;
    if (crash->signal && view_region_at(crash->view, crash->pc) != region)
        found = false; /* it is elsewhere by now */
    if (found) {
        crash->base = region ? region->start : 0;
        find_changes(&loop, tid);
        turn(&loop);
        note_loop(&loop, what);
    }
    free(loop.addrs);
    *may_end = loop.may_end;
    return found;
}

bool explain_rounds(struct crash *crash, const char *what)
{
    bool may_end;

    return explain(crash, what, &may_end);
}

bool explain_loop(const struct past *past, const struct view *view,
                  uint64_t index, struct explanation *out)
{
    const struct event *event = past->event(past->from, index);
    struct crash crash;
    bool found, may_end;

    if (!event || !past_is_gap(event))
        return false;
    crash_begin(&crash, past, view, index, out);
    found = explain(&crash, "This may be a loop without an end", &may_end);
    crash_end(&crash);
    for (int i = 0; i < EXPLAIN_LINES && may_end; i++)
        buf_clear(&out->line[i]);
    return found && !may_end;
}
