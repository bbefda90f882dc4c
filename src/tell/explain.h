/* SPDX-License-Identifier: MIT */
/*
 * tell/explain.h - why a program died, or hangs, in four lines for someone
 * who wants to repair it:
 *
 *     what    what happened
 *     where   at which instruction, and which byte of it
 *     why     what made it so: a protection and the call that set it, a
 *             register and the step that put the value there
 *     next    what to look at, or to do
 *
 * Everything is derived from the events, so that a replay says the same. What
 * is a guess is said to be one.
 */
#ifndef JITTRACE_TELL_EXPLAIN_H
#define JITTRACE_TELL_EXPLAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "tell/pen.h"
#include "tell/phrase.h"
#include "trace/store.h"
#include "trace/view.h"

/* --- Events to look back at ---------------------------------------------- */

/* At least so many events are there, if so many there were; fewer if they take
 * more bytes, as those do that carry code. */
#define PAST_EVENTS 32768u
#define PAST_BYTES  (8u << 20)

/* Where events are asked for: number `index` of the trace, from 0 and below
 * count. The answer is valid until the next question; NULL: it is not kept. */
struct past {
    const struct event *(*event)(void *from, uint64_t index);
    void *from;
    uint64_t count;
    bool can_go; /* its reader can go to an event with `g` and its number */
    struct emissions *emissions; /* who calls whom, to name stores by; or NULL:
                                  * they are named by their own lines */
    bool stays; /* its reader can look at no event: none is pointed at */
};

/* A keeper of the latest events, for who sees each only once: between one and
 * two times that many, and the first. Two stores take turns. */
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
struct past recent_past(struct recent *recent, struct emissions *emissions);

/* --- Explanations -------------------------------------------------------- */

enum explain_line {
    EXPLAIN_WHAT,
    EXPLAIN_WHERE,
    EXPLAIN_WHY,
    EXPLAIN_NEXT,
    EXPLAIN_LINES,
};

struct explanation {
    struct buf line[EXPLAIN_LINES]; /* whole sentences, no newline */
};

void explanation_release(struct explanation *explanation);

/* Writes the four lines from column indent on, wrapped, each behind its
 * name. */
void explanation_write(struct explanation *explanation, struct pen *pen,
                       unsigned indent);

/*
 * Explains what event `index` is a part of; view is the state after it.
 *
 *   - A death: an exit by a signal, or the signal that was the last thing its
 *     thread saw.
 *   - A fault of generated code, or of what it had called, that the program
 *     handled. Where the trace does not have the action of a signal, only a
 *     later event of the thread tells.
 *   - The death of a child that has a copy of the program's memory, by a signal
 *     that faults and abort() raise.
 *   - The loop that a thread was in when stepping ended for a budget, a limit
 *     event, unless it may end: most loops that run for long do.
 *
 * Returns false, with nothing in *out, if it is none of them, or the trace does
 * not tell. *out, all zero, is released by its user.
 */
bool explain_event(const struct past *past, const struct view *view,
                   uint64_t index, struct explanation *out);

/* A fault so near to a mapping, in bytes, is one of running over its edge: the
 * largest registers have 64 bytes. */
#define EXPLAIN_EDGE 64u

/* What failed at a signal event, as the beginning of a sentence, "it tried to
 * write to 0x1000, but the page is r-x"; "" if it was no fault. */
const char *explain_fault(struct phrases *phrases, const struct view *view,
                          const struct event_signal *signal);

/* Whether an instruction raised the signal: a program can send itself any. */
bool explain_is_fault(const struct event_signal *signal);

/* Whether the signal ended a child that was not watched. */
bool explain_ends_child(const struct event_signal *signal);

/* The address of the instruction that the signal, whose pc is known, came at:
 * a trap is reported behind it, and int3 is one byte. */
uint64_t explain_address(const struct view *view,
                         const struct event_signal *signal);

#endif
