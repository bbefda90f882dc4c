/* SPDX-License-Identifier: MIT */
/*
 * check/red_zone.h - the rule about what lies below the stack pointer: 128 bytes
 * are a function's own as long as it calls nothing (psABI 3.2.2).
 */
#ifndef JITTRACE_CHECK_RED_ZONE_H
#define JITTRACE_CHECK_RED_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/ledger.h"

/* So many stores are remembered for each thread, the latest ones. */
#define RED_ZONE_STORES 32

/* A store below the stack pointer. */
struct red_store {
    uint64_t addr;
    uint64_t size; /* 0: none */
    struct place place;
    struct place lost_by; /* the call or push that went over it */
};

struct red_thread {
    int tid;
    size_t next; /* in the ring */
    struct red_store stores[RED_ZONE_STORES];
};

/* All zero is a valid one. */
struct red_zone {
    struct red_thread *threads;
    size_t count;
    size_t capacity;
};

void red_zone_release(struct red_zone *zone);

/* Looks at an event that the view has not taken. */
void red_zone_look(struct red_zone *zone, struct ledger *ledger,
                   const struct event *event);

#endif
