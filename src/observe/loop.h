/* SPDX-License-Identifier: MIT */
/*
 * observe/loop.h - the source that observe.h is about, as its own file and its
 * tests see it.
 */
#ifndef JITTRACE_OBSERVE_LOOP_H
#define JITTRACE_OBSERVE_LOOP_H

#include "observe/thread.h"
#include "trace/source.h"

struct observer {
    struct source source;
    struct run run;
    bool has_strangers;    /* we have children that are not of the program */
    struct opt_u64 status; /* of the root, once it has ended */
    struct opt_u64 signal;
    bool ending;           /* by observe_end */
    bool ended;            /* the exit event was emitted */
    struct event *current; /* what source_next returned last */
};

#endif
