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
#include "format/text_parts.h"

#include <stdlib.h>

#include "base/mem.h"

#define PATH TEXT_LOOP_PATH
#define SEEN TEXT_LOOP_SEEN

static uint64_t seen(const struct text_loop *loop, size_t back)
{
    return loop->recent[(loop->count - 1 - back) % SEEN];
}

static void remember(struct text_loop *loop, uint64_t addr)
{
    loop->recent[loop->count++ % SEEN] = addr;
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

/* A round is complete: only what it did to the registers is kept. */
static void skip_round(struct text_thread *thread)
{
    struct text_loop *loop = &thread->loop;

    if (loop->rounds++ == 0)
        loop->before = thread->regs;
    for (size_t i = 0; i < loop->held_count; i++) {
        if (loop->held[i]->kind == EVENT_STEP)
            text_pass_step(thread, &loop->held[i]->step);
        event_free(loop->held[i]);
    }
    loop->held_count = 0;
    loop->at = 0;
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

static void tell_rounds(struct text *text, const struct text_thread *thread)
{
    const struct text_loop *loop = &thread->loop;
    struct reg_change list[REG_COUNT];
    struct reg_changes changes = {list, 0};
    struct buf line = {0};

    buf_append_text(&line, "... the same ");
    if (loop->length == 1)
        buf_append_text(&line, "instruction ");
    else
        buf_printf(&line, "%zu instructions ", loop->length);
    append_count(&line, loop->rounds);
    buf_append_text(&line, loop->rounds == 1 ? " time more" : " times more");
    pen_text(&text->pen, ROLE_NOTE, buf_text(&line));
    changes.count = regs_diff(&loop->before, &thread->regs, list);
    text_tell_changes(&text->pen, &changes);
    buf_release(&line);
}

static void end_loop(struct text *text, struct text_thread *thread)
{
    struct text_loop *loop = &thread->loop;
    size_t count = loop->held_count;

    if (loop->length && loop->rounds > 0) {
        text_name_thread(text, thread->tid);
        tell_rounds(text, thread);
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
    for (size_t i = 0; i < text->thread_count; i++)
        if (all || text->threads[i].tid == event->tid)
            end_loop(text, &text->threads[i]);
}

static bool is_on_path(const struct text_loop *loop, uint64_t addr)
{
    for (size_t i = 0; i < loop->length; i++)
        if (loop->path[i] == addr)
            return true;
    return false;
}

static bool skips_step(struct text *text, struct text_thread *thread,
                       const struct event *event)
{
    struct text_loop *loop = &thread->loop;
    const struct event_step *step = &event->step;

    if (loop->length && loop->at < loop->length &&
        loop->path[loop->at] == step->addr) {
        hold(loop, event);
        if (++loop->at == loop->length && step->next == loop->path[0])
            skip_round(thread);
        return true;
    }
    if (loop->length)
        end_loop(text, thread);
    remember(loop, step->addr);
    if (step->next <= step->addr)
        find_loop(loop, step->next);
    return false;
}

bool text_loop_skips(struct text *text, const struct event *event)
{
    struct text_thread *thread;

    if (event->kind == EVENT_STEP)
        return skips_step(text, text_thread(text, event->tid), event);
    if (event->kind != EVENT_WRITE || !view_is_inside(&text->view, event->tid))
        return false;
    thread = text_thread(text, event->tid);
    if (event->write.by || !is_on_path(&thread->loop, event->write.pc))
        return false;
    /* The view has it, so that nothing else would say that it is new. */
    text_note_fresh(text, event->write.addr - event->write.offset,
                    event->write.addr,
                    event->write.addr + event->write.new.len - 1);
    hold(&thread->loop, event);
    return true;
}

void text_loop_release(struct text_loop *loop)
{
    for (size_t i = 0; i < loop->held_count; i++)
        event_free(loop->held[i]);
    free(loop->held);
}
