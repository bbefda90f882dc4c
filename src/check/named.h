/* SPDX-License-Identifier: MIT */
/*
 * check/named.h - whether what a program calls its code is true (names).
 *
 * Profilers and debuggers believe what they are told. Wrong is, for sure:
 *
 *   bytes that a jitdump says are there and that never were
 *   a name of code that ran, was overwritten and ran again as other code
 *   a name of what was never executable
 *   what stands where a name must, and is none
 *
 * That code ran without a name may be meant, and so is a note; it is one of a
 * program that names code at all. Names come late, for programs write them
 * through buffers: what has no name, or a wrong one, is judged at the end.
 */
#ifndef JITTRACE_CHECK_NAMED_H
#define JITTRACE_CHECK_NAMED_H

#include "check/ledger.h"
#include "trace/ranges.h"

/* All zero is a valid one. */
struct named {
    struct ranges given;      /* the latest names, gone or not: struct given */
    struct ranges unnamed;    /* what ran without one: struct unnamed */
    struct ranges rewritten;  /* stored again since it ran by its name */
    struct ranges executable; /* that was so at any time */
    bool incomplete;          /* there were more names than were read */
};

void named_release(struct named *named);

/* Looks at an event that the ledger has not taken. */
void named_look(struct named *named, struct ledger *ledger,
                const struct event *event);

#endif
