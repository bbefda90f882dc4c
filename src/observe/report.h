/* SPDX-License-Identifier: MIT */
/*
 * observe/report.h - what is told of a run: events, in order.
 */
#ifndef JITTRACE_OBSERVE_REPORT_H
#define JITTRACE_OBSERVE_REPORT_H

#include "observe/budget.h"
#include "target/lines.h"
#include "target/tracee.h"
#include "trace/event.h"

/* Events that wait to be read, and what they are made with. */
struct report {
    struct lines *lines;
    struct spending spent;
    uint64_t seq;
    struct event **queue;
    size_t first;
    size_t count;
    size_t capacity;
};

/* Queues a copy of the event with the next number. */
void report_event(struct report *report, struct event *event);

/* The line of the program that its tracee's present call or store is due to;
 * *out is all zero where that is not known. */
void report_source(const struct report *report, struct tracee *tracee,
                   struct srcline *out);

/* The oldest event that waits, which is the caller's from then on, or NULL. */
struct event *report_take(struct report *report);

#endif
