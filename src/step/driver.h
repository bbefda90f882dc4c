/* SPDX-License-Identifier: MIT */
/*
 * step/driver.h - the two ways to step through a session, on the full screen
 * and line by line, and what they have in common: they wait for the reader, for
 * signals and for the program, all at once.
 *
 * Signals are blocked and read from a descriptor (signalfd(2)), so that one
 * never comes at a wrong moment and none is lost before a wait. SIGCHLD is
 * among them: it says that a traced program has stopped.
 */
#ifndef JITTRACE_STEP_DRIVER_H
#define JITTRACE_STEP_DRIVER_H

#include "screen/theme.h"
#include "step/session.h"

struct driver {
    int input;   /* where the reader types, or -1 when that has ended */
    int signals; /* of driver_signals */
    int output;  /* the other end of the program's terminal, not blocking; or
                  * -1. It is kept empty, lest the program has to wait. */
    /* Makes the program stand still while the reader looks; or NULL. */
    void (*pause)(struct source *program);
    struct source *program;
};

/*
 * Both do what the reader asks for until he has enough. They return 0, or the
 * signal that asked us to end (SIGHUP also when the terminal is gone), or -1
 * with err filled when the source, the terminal or writing (as sink_write)
 * failed.
 *
 * fullscreen_run shows the session in the colours of a theme, or NULL for none,
 * on the terminal, which must be usable
 * (terminal.h) and is left as it was.
 *
 * plain_run reads commands from driver->input, words or letters of command.def,
 * and writes to out: after each move a paragraph on the event, then a prompt.
 * Nothing that was written changes any more, so a screen reader can follow, and
 * a transcript reads well: that is why the prompt also comes where no human
 * types. An empty line goes to the next event. The end of input goes through
 * all that remains, a paragraph an event. While the program runs to an event,
 * lines wait.
 */
int fullscreen_run(struct session *session, struct driver *driver,
                   const struct theme *theme, struct err *err);
int plain_run(struct session *session, struct driver *driver, FILE *out,
              bool color, struct err *err);

/* Blocks the signals that concern us, but for those that whoever started us
 * wants ignored. Programs must be started before. Returns a descriptor, or -1
 * with err filled. */
int driver_signals(struct err *err);

enum {
    DRIVER_INPUT = 1, /* there is something to read */
    DRIVER_GONE = 2,  /* nobody is there any more to read from */
};

/* Waits for what of DRIVER_* is wanted, for a signal, or until the time is over
 * (-1: no limit). Returns bits of DRIVER_*; who wants input also learns that it
 * is gone. */
unsigned driver_wait(struct driver *driver, unsigned wanted, int milliseconds);

/* Takes a signal that has come: SIGINT, SIGQUIT, SIGTERM or SIGHUP, which ask
 * us to end; SIGTSTP, SIGCONT or SIGWINCH. 0: none. */
int driver_signal(struct driver *driver);

/* Whether the signal asks us to end. */
bool driver_is_end(int signal);

/* The program, if there is one, stands still until its next event is asked. */
void driver_pause(const struct driver *driver);

/* Stops us as SIGTSTP does, until the shell lets us go on. The program stands
 * still meanwhile, and until it is asked for its next event. */
void driver_suspend(const struct driver *driver);

/* Milliseconds since some moment. */
long driver_now(void);

#endif
