/* SPDX-License-Identifier: MIT */
/*
 * step/driver.h - what the full screen and the line mode have in common: they
 * wait for the reader, for signals and for the program, all at once.
 *
 * Signals are blocked and read from a descriptor (signalfd(2)), so that one
 * never comes at a wrong moment and none is lost before a wait. SIGCHLD is among
 * them: it says that a traced program has stopped.
 */
#ifndef JITTRACE_STEP_DRIVER_H
#define JITTRACE_STEP_DRIVER_H

#include <stdbool.h>

#include "base/err.h"
#include "step/session.h"

struct driver {
    int input;   /* where the reader types, or -1 when that has ended */
    int signals; /* of driver_signals */
    int output;  /* the other end of the program's terminal, not blocking; or
                  * -1. It is kept empty, lest the program has to wait. */
    /* Makes the program stand still while the reader looks; or NULL. */
    void (*pause)(void *argument);
    void *argument;
};

/*
 * Blocks the signals that concern us, but for those that whoever started us
 * wants ignored. Programs must be started before. Returns a descriptor, or -1
 * with err filled.
 */
int driver_signals(struct err *err);

enum {
    DRIVER_INPUT = 1, /* there is something to read */
    DRIVER_GONE = 2,  /* nobody is there any more to read from */
};

/*
 * Waits for what of DRIVER_* is wanted, for a signal, or until the time is over
 * (-1: no limit). Returns bits of DRIVER_*; who wants input also learns that it
 * is gone.
 */
unsigned driver_wait(struct driver *driver, unsigned wanted, int milliseconds);

/*
 * Takes a signal that has come: SIGINT, SIGQUIT, SIGTERM or SIGHUP, which ask
 * us to end; SIGTSTP, SIGCONT or SIGWINCH. 0: none.
 */
int driver_signal(struct driver *driver);

/* Whether the signal asks us to end. */
bool driver_is_end(int signal);

/* The program, if there is one, stands still until its next event is asked. */
void driver_pause(const struct driver *driver);

/*
 * Stops us as SIGTSTP does, until the shell lets us go on. The program stands
 * still meanwhile, and until it is asked for its next event.
 */
void driver_suspend(const struct driver *driver);

/* Milliseconds since some moment. */
long driver_now(void);

#endif
