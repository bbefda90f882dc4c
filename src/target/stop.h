/* SPDX-License-Identifier: MIT */
/*
 * target/stop.h - the stops of tracees: waiting for one, and why it was made
 * (ptrace(2), "Stopping and resuming").
 */
#ifndef JITTRACE_TARGET_STOP_H
#define JITTRACE_TARGET_STOP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct tracee;

/* Why a tracee stopped. */
enum stop_kind {
    STOP_EXITED,  /* gone, with status; nothing to resume */
    STOP_KILLED,  /* gone, by signal; nothing to resume */
    STOP_SIGNAL,  /* about to get signal: resume with it, or with 0 */
    STOP_GROUP,   /* stopped as its group was: RESUME_LISTEN */
    STOP_STARTED, /* first stop of a new thread, or interrupted: resume */
    STOP_CALL,    /* at a system call's entry or exit: tracee_call tells */
    STOP_FILTER,  /* the filter caught a call before it began: the same */
    STOP_EXEC,    /* a new program is loaded, nothing of it has run */
    STOP_CLONE,   /* made a thread: child */
    STOP_VFORK,   /* made a process that shares its memory for a while: child */
    STOP_FORK,    /* made a process with a copy of its memory: child */
    STOP_OTHER,   /* of no interest: resume */
    STOP_NONE,    /* none came in time; the tracees run */
};

struct stop {
    enum stop_kind kind;
    pid_t tid;
    int status;  /* STOP_EXITED */
    int signal;  /* STOP_SIGNAL, STOP_KILLED, STOP_GROUP */
    pid_t child; /* STOP_CLONE, STOP_VFORK, STOP_FORK; STOP_EXEC: the ID of
                  * the thread that did it, which then becomes tid */
};

enum patience {
    WAIT_FOREVER,
    WAIT_SHORTLY, /* while tracees on our CPU use a time slice or two */
    WAIT_NOW,     /* not at all */
};

/*
 * Waits for the next stop of any tracee; STOP_NONE says that none came in time.
 * Returns 1, 0 when no tracee is left, or -1 with err filled. Children that we
 * do not trace count as well, and their ends are told.
 */
int wait_stop(struct stop *stop, enum patience patience, struct err *err);

/*
 * Whether there is any child of ours, tracee or not. A shell that has started
 * others may have become jittrace: sh -c 'make-terms | exec jittrace ...'.
 */
bool wait_has_children(void);

/* Whether it has stopped, and its stop is yet to be read. */
bool tracee_has_stopped(const struct tracee *tracee);

/*
 * Waits for the next stop of this tracee alone. Its death stays for wait_stop
 * to find; then -1 is returned.
 */
int tracee_wait(const struct tracee *tracee, struct stop *stop);

/* Turns a wait status into a stop, without asking anybody. */
void stop_classify(pid_t tid, int status, struct stop *stop);

#endif
