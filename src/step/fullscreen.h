/* SPDX-License-Identifier: MIT */
/*
 * step/fullscreen.h - stepping through a trace on the whole terminal.
 */
#ifndef JITTRACE_STEP_FULLSCREEN_H
#define JITTRACE_STEP_FULLSCREEN_H

#include <stdbool.h>

#include "base/err.h"
#include "step/driver.h"
#include "step/session.h"

/*
 * Shows the session and does what keys ask for until the reader has enough.
 * The terminal must be usable (terminal.h); it is left as it was. Returns 0, or
 * the signal that asked us to end (SIGHUP also when the terminal is gone), or
 * -1 with err filled when the terminal or the source failed.
 */
int fullscreen_run(struct session *session, struct driver *driver, bool color,
                   struct err *err);

#endif
