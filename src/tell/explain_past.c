/* SPDX-License-Identifier: MIT */
/*
 * Looking back from a crash. No question goes further than PAST_EVENTS: what is
 * older is not found, and then nothing is said of it.
 */
#include "tell/explain_parts.h"

void recent_init(struct recent *recent)
{
    *recent = (struct recent){0};
    recent->stores[0] = (struct store){0};
    recent->stores[1] = (struct store){0};
}

void recent_release(struct recent *recent)
{
    store_release(&recent->stores[0]);
    store_release(&recent->stores[1]);
    event_free(recent->start);
}

void recent_add(struct recent *recent, const struct event *event)
{
    const struct store *store = &recent->stores[recent->now];

    if (store->count == PAST_EVENTS || store_memory(store) > PAST_BYTES) {
        recent->now = !recent->now;
        store_release(&recent->stores[recent->now]);
        recent->stores[recent->now] = (struct store){0};
        recent->first[recent->now] = recent->count;
    }
    store_append(&recent->stores[recent->now], event);
    if (recent->count == 0)
        recent->start = event_keep(event);
    recent->count++;
}

static const struct event *recent_event(void *from, uint64_t index)
{
    const struct recent *recent = from;

    for (unsigned i = 0; i < 2; i++)
        if (index - recent->first[i] < recent->stores[i].count)
            return store_event(&recent->stores[i], index - recent->first[i]);
    return index == 0 ? recent->start : NULL;
}

struct past recent_past(struct recent *recent)
{
    return (struct past){recent_event, recent, recent->count, false};
}

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

bool past_is_gap(const struct event *event)
{
    const char *budget = event->limit.budget;

    return event->kind == EVENT_LIMIT &&
           (word_is(budget, "steps") || word_is(budget, "call-steps") ||
            word_is(budget, "nt-flag"));
}

const struct event *past_find(const struct crash *crash, unsigned kinds,
                              uint64_t *index)
{
    const struct event *event;

    do
        event = past_earlier(crash, crash->event->tid, index);
    while (event && !(kinds & 1u << event->kind) && !past_is_gap(event));
    return event && !past_is_gap(event) ? event : NULL;
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
