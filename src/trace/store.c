/* SPDX-License-Identifier: MIT */
#include "trace/store.h"

#include <stdlib.h>

#include "base/mem.h"

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    (void)err;
    store_append((struct store *)sink, event);
    return 0;
}

static void release(struct sink *sink)
{
    store_release((struct store *)sink);
}

void store_init(struct store *store)
{
    *store = (struct store){.sink = {.emit = emit, .free = release}};
}

void store_release(struct store *store)
{
    for (size_t i = 0; i < store->count; i++)
        event_free(store->events[i]);
    free(store->events);
    store_init(store);
}

void store_append(struct store *store, const struct event *event)
{
    store->events = mem_grow(store->events, store->count, &store->capacity,
                             sizeof *store->events);
    store->events[store->count++] = event_copy(event);
}

const struct event *store_event(const struct store *store, uint64_t seq)
{
    BUG_UNLESS(seq < store->count);
    return store->events[seq];
}
