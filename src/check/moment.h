/* SPDX-License-Identifier: MIT */
/*
 * check/moment.h - the rules about when memory changes: not while another
 * thread runs what is there (races), nor before the last pointer to it is
 * forgotten (stale).
 */
#ifndef JITTRACE_CHECK_MOMENT_H
#define JITTRACE_CHECK_MOMENT_H

#include "check/layout.h"
#include "check/ledger.h"
#include "trace/ranges.h"

/* Memory that had code and went away. */
struct gone {
    struct range_value value;
    uint64_t seq;   /* of the event */
    uint64_t start; /* of the mapping */
    char how[];     /* "munmap(...) at jit.c:20" */
};

/* A call that was made from there, and had not returned. */
struct awaited {
    uint64_t return_to;
    struct place call;
};

/* All zero is a valid one. */
struct moment {
    struct ranges gone; /* of addresses */
    struct awaited *awaited;
    size_t count;
    size_t capacity;
};

void moment_release(struct moment *moment);

/* Before the ledger, and the layout, take the event. */
void moment_before(struct moment *moment, struct ledger *ledger,
                   const struct layout *layout, const struct event *event);

/* Control came from outside to the place, which is in the middle of an
 * instruction now, as `how` says, and was not when it came there before. */
void moment_entered_middle(struct ledger *ledger, const struct place *place,
                           const char *how);

#endif
