/* SPDX-License-Identifier: MIT */
/*
 * Loops: a round that is like the three before it is not told again.
 *
 * The addresses of the latest steps are kept. At a jump backwards they are
 * compared: if they are three times the same path, back to where it began, the
 * steps from here on are held back for as long as they follow that path.
 *
 *     a b c  a b c  a b c  | a b c  a b c  ...  a b c  | a b d
 *     told                   skipped, then summed up     told
 *
 * Each step of a round that is not complete is kept, to be told when the path
 * is left. A path has at most PATH steps; so the shortest repetition, that of
 * an inner loop, is found first, and an outer loop only as long as all of its
 * round is that short. A repeated string instruction is a path of one step.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "format/text_parts.h"

#define PATH 64u
#define SEEN (3 * PATH)

struct text_loop {
    int tid;
    uint64_t recent[SEEN]; /* addresses: a ring */
    size_t count;          /* of steps since it was begun */
    uint64_t path[PATH];   /* of the loop that is skipped */
    size_t length;         /* of the path; 0: none is */
    size_t at;             /* steps of this round so far */
    uint64_t rounds;       /* skipped */
    struct regs before;    /* the first of them */
    struct event **held;   /* this round */
    size_t held_count;
    size_t held_capacity;
};

static struct text_loop *loop_of(struct text *text, int tid)
{
    struct text_loop *loop;

    for (size_t i = 0; i < text->loop_count; i++)
        if (text->loops[i].tid == tid)
            return &text->loops[i];
    text->loops = mem_grow(text->loops, text->loop_count, &text->loop_capacity,
                           sizeof *text->loops);
    loop = &text->loops[text->loop_count++];
    *loop = (struct text_loop){.tid = tid};
    return loop;
}

void text_loops_release(struct text *text)
{
    for (size_t i = 0; i < text->loop_count; i++) {
        for (size_t k = 0; k < text->loops[i].held_count; k++)
            event_free(text->loops[i].held[k]);
        free(text->loops[i].held);
    }
    free(text->loops);
}

/* The address of a step, counted back from the latest. */
static uint64_t seen(const struct text_loop *loop, size_t back)
{
    return loop->recent[(loop->count - 1 - back) % SEEN];
}

/* Whether the latest steps are three times the same, `length` each. */
static bool is_round(const struct text_loop *loop, size_t length, uint64_t next)
{
    if (loop->count < 3 * length || seen(loop, length - 1) != next)
        return false;
    for (size_t i = 0; i < 2 * length; i++)
        if (seen(loop, i) != seen(loop, i + length))
            return false;
    return true;
}

/* Looks for a loop after a step that goes back to next. */
static void find_loop(struct text_loop *loop, uint64_t next)
{
    size_t length = 1;

    while (length <= PATH && !is_round(loop, length, next))
        length++;
    if (length > PATH)
        return;
    for (size_t i = 0; i < length; i++)
        loop->path[i] = seen(loop, length - 1 - i);
    loop->length = length;
    loop->at = 0;
    loop->rounds = 0;
}

static void hold(struct text_loop *loop, const struct event *event)
{
    loop->held = mem_grow(loop->held, loop->held_count, &loop->held_capacity,
                          sizeof *loop->held);
    loop->held[loop->held_count++] = event_keep(event);
}

/* "33,330" */
static void append_count(struct buf *out, uint64_t count)
{
    if (count >= 1000) {
        append_count(out, count / 1000);
        buf_printf(out, ",%03u", (unsigned)(count % 1000));
    } else {
        buf_printf(out, "%u", (unsigned)count);
    }
}

static void end_loop(struct text *text, struct text_loop *loop)
{
    struct telling *telling = &text->telling;
    size_t count = loop->held_count;
    struct reg_change list[REG_COUNT];
    struct reg_changes changes = {list, 0};
    struct buf line = {0};

    if (loop->length && loop->rounds > 0) {
        text_name_thread(text, loop->tid);
        buf_append_text(&line, "... the same ");
        if (loop->length > 1)
            buf_printf(&line, "%zu instructions ", loop->length);
        else
            buf_append_text(&line, "instruction ");
        append_count(&line, loop->rounds);
        pen_print(&telling->pen, ROLE_NOTE, "%s time%s more", buf_text(&line),
                  loop->rounds == 1 ? "" : "s");
        changes.count = regs_diff(
            &loop->before, &telling_thread(telling, loop->tid)->regs, list);
        telling_changes(telling, &changes);
        buf_release(&line);
    }
    loop->length = 0;
    loop->count = 0;
    loop->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        text_tell_in_words(text, loop->held[i]);
        event_free(loop->held[i]);
    }
}

void text_end_loops(struct text *text, const struct event *event)
{
    bool all = event->kind == EVENT_EXIT || event->kind == EVENT_LIMIT;

    if (event->kind == EVENT_STEP || event->kind == EVENT_WRITE ||
        event->kind == EVENT_OUTPUT)
        return;
    for (size_t i = 0; i < text->loop_count; i++)
        if (all || text->loops[i].tid == event->tid)
            end_loop(text, &text->loops[i]);
}

static bool skips_step(struct text *text, const struct event *event)
{
    struct text_loop *loop = loop_of(text, event->tid);
    const struct event_step *step = &event->step;

    if (loop->length && loop->at < loop->length &&
        loop->path[loop->at] == step->addr) {
        hold(loop, event);
        if (++loop->at < loop->length || step->next != loop->path[0])
            return true;
        /* A round is complete: only what it did to registers is kept. */
        if (loop->rounds++ == 0)
            loop->before = telling_thread(&text->telling, loop->tid)->regs;
        for (size_t i = 0; i < loop->held_count; i++) {
            if (loop->held[i]->kind == EVENT_STEP)
                telling_pass(&text->telling, loop->held[i]);
            event_free(loop->held[i]);
        }
        loop->held_count = 0;
        loop->at = 0;
        return true;
    }
    if (loop->length)
        end_loop(text, loop);
    loop->recent[loop->count++ % SEEN] = step->addr;
    if (step->next <= step->addr)
        find_loop(loop, step->next);
    return false;
}

/* A store of the loop itself. The view has it, so that nothing else would say
 * that it is new. */
static bool skips_write(struct text *text, const struct event *event)
{
    struct text_loop *loop = loop_of(text, event->tid);
    size_t i = 0;

    while (i < loop->length && loop->path[i] != event->write.pc)
        i++;
    if (event->write.by || i == loop->length)
        return false;
    telling_pass(&text->telling, event);
    hold(loop, event);
    return true;
}

bool text_loop_skips(struct text *text, const struct event *event)
{
    if (event->kind == EVENT_STEP)
        return skips_step(text, event);
    return event->kind == EVENT_WRITE &&
           view_is_inside(&text->telling.view, event->tid) &&
           skips_write(text, event);
}
