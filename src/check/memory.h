/* SPDX-License-Identifier: MIT */
/*
 * check/memory.h - the rules about pages: what may be done with them at once,
 * whether control entered one that cannot be executed, what is left at the end.
 */
#ifndef JITTRACE_CHECK_MEMORY_H
#define JITTRACE_CHECK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/ledger.h"

/* Control came to a page that could not be executed. */
struct memory_fetch {
    int tid;
    struct place place;
    unsigned prot;
};

/* All zero is a valid one. */
struct memory {
    struct memory_fetch *fetches; /* that have not succeeded since */
    size_t count;
    size_t capacity;
};

void memory_release(struct memory *memory);

/* Looks at an event that the view has not taken. */
void memory_look(struct memory *memory, struct ledger *ledger,
                 const struct event *event);

#endif
