/* SPDX-License-Identifier: MIT */
#include "tell/past.h"

void recent_init(struct recent *recent)
{
    *recent = (struct recent){0};
    store_init(&recent->stores[0]);
    store_init(&recent->stores[1]);
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
        store_init(&recent->stores[recent->now]);
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
