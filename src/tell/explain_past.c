/* SPDX-License-Identifier: MIT */
/*
 * Looking back from a crash. No question goes further than PAST_EVENTS: what is
 * older is not found, and then nothing is said of it.
 */
#include "tell/explain_parts.h"

#include <string.h>

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

    return event->kind == EVENT_LIMIT && budget &&
           (strcmp(budget, "steps") == 0 || strcmp(budget, "call-steps") == 0 ||
            strcmp(budget, "nt-flag") == 0);
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

#define KINDS(a) (1u << EVENT_##a)
#define MOVES    (KINDS(STEP) | KINDS(ENTER) | KINDS(LEAVE))

void past_find_way(struct crash *crash)
{
    struct way *way = &crash->way;
    uint64_t index = crash->index;
    const struct event *event = find(crash, MOVES, &index);

    *way = (struct way){0};
    if (!event)
        return;
    way->seq = event->seq;
    source_place(event, way->place, sizeof way->place);
    if (event->kind == EVENT_STEP) {
        way->kind = WAY_STEPPED;
        seen_from(event, index, &way->step);
    } else if (event->kind == EVENT_ENTER) {
        way->kind = WAY_ENTERED;
        way->how = event->enter.how ? event->enter.how[0] : 0;
    } else {
        way->kind = event->leave.to == crash->pc ? WAY_LEFT : WAY_AWAY;
        way->how = event->leave.how ? event->leave.how[0] : 0;
        event = find(crash, MOVES, &index);
        if (event && event->kind == EVENT_STEP)
            seen_from(event, index, &way->step);
    }
}

static bool changes(const struct event_step *step, enum reg reg)
{
    for (size_t i = 0; i < step->regs.count; i++)
        if (step->regs.list[i].reg == reg)
            return true;
    return false;
}

bool past_find_change(const struct crash *crash, enum reg reg, uint64_t index,
                      struct seen *out, struct entry *entry)
{
    const struct event *event;

    *entry = (struct entry){0};
    while ((event = find(crash, MOVES, &index))) {
        if (event->kind == EVENT_ENTER) {
            *entry = (struct entry){.known = true, .seq = event->seq};
            source_place(event, entry->place, sizeof entry->place);
            return false;
        }
        if (event->kind == EVENT_STEP && changes(&event->step, reg)) {
            seen_from(event, index, out);
            return true;
        }
    }
    return false;
}

static bool writes(const struct event_step *step, uint64_t addr)
{
    for (size_t i = 0; i < step->writes.count; i++) {
        const struct mem_access *write = &step->writes.list[i];

        if (write->addr < addr + 8 && write->addr + write->new_bytes.len > addr)
            return true;
    }
    return false;
}

bool past_find_writer(const struct crash *crash, uint64_t addr, uint64_t index,
                      struct seen *out)
{
    const struct event *event;

    while ((event = find(crash, KINDS(STEP), &index)))
        if (writes(&event->step, addr)) {
            seen_from(event, index, out);
            return true;
        }
    return false;
}

bool past_find_store(const struct crash *crash, uint64_t addr, uint64_t *seq,
                     struct buf *place)
{
    uint64_t index = crash->index;
    const struct event *event;
    char source[64];

    while ((event = past_earlier(crash, 0, &index))) {
        if (event->kind != EVENT_WRITE ||
            addr - event->write.addr >= event->write.new.len)
            continue;
        *seq = event->seq;
        source_place(event, source, sizeof source);
        buf_append_text(place, source);
        return true;
    }
    return false;
}

bool past_find_unmap(const struct crash *crash, uint64_t addr, uint64_t *seq,
                     struct buf *call)
{
    uint64_t index = crash->index;
    const struct event *event;
    char source[64];

    while ((event = past_earlier(crash, 0, &index))) {
        if (event->kind != EVENT_UNMAP ||
            addr - event->unmap.addr >= event->unmap.length)
            continue;
        *seq = event->seq;
        buf_append_text(call,
                        event->unmap.call ? event->unmap.call : "the program");
        source_place(event, source, sizeof source);
        if (*source)
            buf_printf(call, " at %s", source);
        return true;
    }
    return false;
}

/*
 * Calls and returns are counted backwards: the first call that has no return
 * behind it is the one that the return belongs to.
 */
bool past_find_frame(const struct crash *crash, uint64_t index, uint64_t *sp,
                     uint64_t *seq)
{
    const struct event *event;
    uint64_t returns = 0;
    struct seen step;

    while ((event = find(crash, MOVES, &index))) {
        if (event->kind == EVENT_LEAVE)
            continue; /* what it called has returned by the next enter */
        *seq = event->seq;
        if (event->kind == EVENT_ENTER) {
            if (event->enter.how && strcmp(event->enter.how, "return") == 0) {
                returns++;
                continue;
            }
            *sp = event->enter.regs.value[REG_STACK];
            return returns == 0;
        }
        seen_from(event, index, &step);
        if (step.insn.kind == INSN_RETURN)
            returns++;
        if (step.insn.kind != INSN_CALL || returns-- > 0)
            continue;
        for (size_t i = 0; i < event->step.regs.count; i++)
            if (event->step.regs.list[i].reg == REG_STACK)
                *sp = event->step.regs.list[i].new_value;
        return true;
    }
    return false;
}

uint64_t past_depth(const struct crash *crash, struct seen *call)
{
    uint64_t index = crash->index, depth = 0, returns = 0;
    const struct event *event;
    struct seen step;

    *call = (struct seen){0};
    while ((event = past_earlier(crash, crash->event->tid, &index))) {
        if (event->kind != EVENT_STEP)
            continue;
        seen_from(event, index, &step);
        if (step.insn.kind == INSN_RETURN) {
            returns++;
        } else if (step.insn.kind == INSN_CALL && returns > 0) {
            returns--;
        } else if (step.insn.kind == INSN_CALL) {
            if (!call->known)
                *call = step;
            depth++;
        }
    }
    return depth;
}
