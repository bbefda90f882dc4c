/* SPDX-License-Identifier: MIT */
/*
 * step/plain.h - stepping through a trace line by line.
 *
 * After each move comes a paragraph on the event, then a prompt. Nothing that
 * was written changes any more, so a screen reader can follow, and a transcript
 * reads well: that is why the prompt also comes where no human types.
 */
#ifndef JITTRACE_STEP_PLAIN_H
#define JITTRACE_STEP_PLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "step/driver.h"
#include "step/session.h"

/*
 * Reads commands from driver->input, words or letters of command.def, and
 * writes to out. An empty line goes to the next event. The end of input goes
 * through all that remains, a paragraph an event. While the program runs to an
 * event, lines wait.
 *
 * Returns 0, or the signal that asked us to end (SIGHUP also when the terminal
 * is gone), or -1 with err filled when the source or writing (as sink_write)
 * failed.
 */
int plain_run(struct session *session, struct driver *driver, FILE *out,
              bool color, struct err *err);

#endif
