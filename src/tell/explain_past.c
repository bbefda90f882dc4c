/* SPDX-License-Identifier: MIT */
/*
 * Looking back from a crash. No question goes further than PAST_EVENTS: what is
 * older is not found, and then nothing is said of it.
 */
#include <string.h>

#include "tell/explain_parts.h"

#define KIND(a) (1u << EVENT_##a)
#define MOVES   (KIND(STEP) | KIND(ENTER) | KIND(LEAVE))

const struct event *past_earlier(const struct crash *crash, int tid,
                                 uint64_t *index)
{
    uint64_t oldest =
        crash->index < PAST_EVENTS ? 0 : crash->index - PAST_EVENTS;

    while (*index > oldest) {
        const struct event *event =
            crash->past->event(crash->past->from, --*index);

        if (event && (!tid || event->tid == tid))
            return event;
    }
    return NULL;
}

void seen_from(const struct event *event, uint64_t index, struct seen *out)
{
    const struct event_step *step = &event->step;

    *out = (struct seen){.known = true,
                         .index = index,
                         .seq = event->seq,
                         .next = step->next,
                         .insn = {.addr = step->addr}};
    if (step->bytes.data)
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &out->insn);
}

bool past_is_gap(const struct event *event)
{
    const char *budget = event->limit.budget;

    return event->kind == EVENT_LIMIT &&
           (word_is(budget, "steps") || word_is(budget, "call-steps") ||
            word_is(budget, "nt-flag"));
}

/* The latest of these events of the thread, or NULL: what was before the thread
 * ran on unwatched says nothing of now. */
static const struct event *find(const struct crash *crash, unsigned kinds,
                                uint64_t *index)
{
    const struct event *event;

    do
        event = past_earlier(crash, crash->event->tid, index);
    while (event && !(kinds & 1u << event->kind) && !past_is_gap(event));
    return event && !past_is_gap(event) ? event : NULL;
}

void past_find_way(struct crash *crash)
{
    struct way *way = &crash->way;
    uint64_t index = crash->index;
    const struct event *event = find(crash, MOVES, &index);

    *way = (struct way){0};
    if (!event)
        return;
    way->seq = event->seq;
    way->kind = event->kind == EVENT_STEP      ? WAY_STEPPED
                : event->kind == EVENT_ENTER   ? WAY_ENTERED
                : event->leave.to == crash->pc ? WAY_LEFT
                                               : WAY_AWAY;
    if (event->kind == EVENT_LEAVE) {
        way->called = word_is(event->leave.how, "call") ||
                      word_is(event->leave.how, "jump");
        event = find(crash, MOVES, &index);
    }
    if (event && event->kind == EVENT_STEP)
        seen_from(event, index, &way->step);
}

const struct event *past_find_change(const struct crash *crash, enum reg reg,
                                     uint64_t *index)
{
    const struct event *event;

    while ((event = find(crash, MOVES, index))) {
        if (event->kind == EVENT_ENTER)
            return event;
        for (size_t i = 0;
             event->kind == EVENT_STEP && i < event->step.regs.count; i++)
            if (event->step.regs.list[i].reg == reg)
                return event;
    }
    return NULL;
}

bool past_find_writer(const struct crash *crash, uint64_t addr, uint64_t index,
                      struct seen *out)
{
    const struct event *event;

    while ((event = find(crash, KIND(STEP), &index)))
        for (size_t i = 0; i < event->step.writes.count; i++) {
            const struct mem_access *write = &event->step.writes.list[i];

            if (write->addr >= addr + 8 ||
                write->addr + write->new_bytes.len <= addr)
                continue;
            seen_from(event, index, out);
            return true;
        }
    return false;
}

const struct event *past_find_at(const struct crash *crash,
                                 enum event_kind kind, uint64_t addr)
{
    uint64_t index = crash->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index)))
        if (event->kind == kind &&
            (kind == EVENT_WRITE
                 ? addr - event->write.addr < event->write.new.len
                 : addr - event->unmap.addr < event->unmap.length))
            return event;
    return NULL;
}
