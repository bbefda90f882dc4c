/* SPDX-License-Identifier: MIT */
/*
 * event_copy.c - a copy is the event packed, and unpacked from there: in one
 * block what it borrows, and beside it its lists.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "trace/event.h"
#include "trace/pack.h"

struct copy {
    struct unpacked unpacked; /* its event comes first: that is the copy */
    size_t uses;
    uint8_t packed[];
};

struct event *event_copy(const struct event *event)
{
    struct pack_usual usual = {event->seq, event->tid};
    struct buf packed = {0};
    struct copy *copy;

    pack_event(event, usual, NULL, &packed);
    copy = mem_resize(NULL, sizeof *copy + packed.len, 1);
    copy->unpacked = (struct unpacked){0};
    copy->uses = 1;
    memcpy(copy->packed, packed.data, packed.len);
    buf_release(&packed);
    unpack_event(copy->packed, usual, NULL, &copy->unpacked);
    copy->unpacked.event.copy = &copy->unpacked.event;
    return &copy->unpacked.event;
}

struct event *event_keep(const struct event *event)
{
    if (!event->copy)
        return event_copy(event);
    ((struct copy *)event->copy)->uses++;
    return event->copy;
}

void event_free(struct event *event)
{
    struct copy *copy = (struct copy *)event;

    if (!copy || --copy->uses > 0)
        return;
    unpacked_release(&copy->unpacked);
    free(copy);
}
