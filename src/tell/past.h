/* SPDX-License-Identifier: MIT */
/*
 * tell/past.h - the latest events of a trace, to look back at.
 */
#ifndef JITTRACE_TELL_PAST_H
#define JITTRACE_TELL_PAST_H

#include "trace/event.h"
#include "trace/store.h"

/* At least so many events are there, if so many there were; fewer if they take
 * more bytes, as those do that carry code. */
#define PAST_EVENTS 32768u
#define PAST_BYTES  (8u << 20)

/*
 * Where events are asked for: number `index` of the trace, from 0 and below
 * count. The answer is valid until the next question; NULL: it is not kept.
 */
struct past {
    const struct event *(*event)(void *from, uint64_t index);
    void *from;
    uint64_t count;
    bool can_go; /* its reader can go to an event with `g` and its number */
};

/*
 * A keeper of the latest events, for who sees each only once: between one and
 * two times that many, and the first. Two stores take turns.
 */
struct recent {
    struct store stores[2];
    uint64_t first[2];   /* the number of the first event of each */
    struct event *start; /* number 0, which stays; NULL while empty */
    unsigned now;        /* the one that is filled */
    uint64_t count;
};

void recent_init(struct recent *recent);
void recent_release(struct recent *recent);
void recent_add(struct recent *recent, const struct event *event);

/* Valid as long as no event is added. */
struct past recent_past(struct recent *recent);

#endif
