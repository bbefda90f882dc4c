/* SPDX-License-Identifier: MIT */
/*
 * step/session.h - where a reader is in a trace, and how to move.
 *
 * The history is what was observed so far. Moving within it costs nothing;
 * moving beyond its end gives the session a goal, and whoever drives it calls
 * session_advance until the goal is met: between two calls the program is
 * paused (observe.h), so keys are heard while it runs.
 *
 * A session knows no terminal and no process, only a source.
 */
#ifndef JITTRACE_STEP_SESSION_H
#define JITTRACE_STEP_SESSION_H

#include "screen/command.h"
#include "screen/screen.h"
#include "step/predict.h"
#include "step/search.h"
#include "trace/history.h"
#include "trace/sink.h"
#include "trace/source.h"

/* Others read all but what is marked as the session's own. */
struct session {
    struct source *source; /* borrowed, as sink */
    struct sink *sink; /* that gets each event, too, and never fails: a fan; or
                        * NULL. Set before the first event is taken. */
    struct history *history;
    uint64_t seq; /* the event that the reader is at */
    enum goal {
        GOAL_NONE,      /* else session_advance must be called */
        GOAL_NEXT,      /* one event more */
        GOAL_OPENING,   /* the first event that session_open looks for */
        GOAL_NUMBER,    /* event number `number` */
        GOAL_STAGE,     /* another stage than at origin */
        GOAL_SEARCH,    /* what search finds */
        GOAL_CALL,      /* an enter by a call */
        GOAL_FINISH,    /* the end of the call that began with `number` */
        GOAL_ITERATION, /* the instruction at `again` once more in that call */
        GOAL_END,       /* the end of the program */
    } goal;
    bool over;   /* there is no event to come */
    bool exited; /* and the last one is the program's end: */
    int status;  /* as 128 + signal or the status */
    bool asks;   /* before it lets the program run for what may not come; else
                * nobody is there to answer. Set by the driver. */
    /* Where a program that was just stopped goes on; or NULL: none runs. Given
     * to it is the program. */
    bool (*next_line)(struct source *program, struct srcline *line);
    struct source *program;
    struct predict *predict; /* asks before a step is shown; or NULL */
    struct buf message;      /* what the last move had to say, or nothing */
    struct buf copied;       /* what the last command gave to be copied */
    /* The command that makes this session, quoted for a shell: where the option
     * that leads to an event can be put in. NULL: it is not known. */
    const char *command, *arguments;
    struct opt_u64 opens_at; /* the number of an event, see session_open */

    /* Its own: */
    uint64_t origin; /* where the goal was set */
    uint64_t number;
    uint64_t again;     /* an address */
    int tid;            /* the thread of a call */
    int pid;            /* its process; 0: that of the start event */
    enum goal proposed; /* what a YES sets, or GOAL_NONE */
    struct search search, changed;
    struct cursor cursor;
    struct screen screen; /* see session_screen */
};

/* Borrows the source, which has given no event yet. */
struct session *session_new(struct source *source);
void session_free(struct session *session); /* accepts NULL */

/* Opens at opens_at, or at the first event that has something to show: that the
 * program was started is a key back. Called before session_advance, or of a
 * recording after session_load. */
void session_open(struct session *session);

/* What is shown and how; message and prompt are the driver's. */
struct screen *session_screen(struct session *session);

/* Does what a command asks for, as far as the session can: moves or sets a
 * goal, or shows something else of the event (session_screen). argument is what a GOTO, SEARCH (empty: the last one again), WHO
 * (cursor.h; empty: none), EXPLAIN (a word; empty: the fields of the
 * instruction, one after the other; again ends that) or CHANGED (a register, a flag, code[3] or an
 * address; empty: the byte that WHO has asked about, or the last one again) is
 * to find, else NULL. A move gives up the goal that
 * there is, if any; what is not there leaves the position as it was. Help is
 * closed by whatever comes next, and QUIT closes nothing but that if there is
 * any. Returns false for a QUIT that quits. */
bool session_do(struct session *session, enum command command,
                const char *argument);

/* Gives the goal up and stays at the last event that was seen. */
void session_interrupt(struct session *session);

/* Takes the source's next event if it is there without waiting. Returns 1 when
 * something was taken or the goal was met, 0 when the program has to run first,
 * or -1 with err filled when the source failed; the history stays usable. */
int session_advance(struct session *session, struct err *err);

/* Takes everything that a recording holds and stays at its first event: it has
 * no program that would have to run. Returns 0, or -1 with err filled. */
int session_load(struct session *session, struct err *err);

#endif
