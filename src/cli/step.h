/* SPDX-License-Identifier: MIT */
/*
 * cli/step.h - jittrace --step.
 */
#ifndef JITTRACE_CLI_STEP_H
#define JITTRACE_CLI_STEP_H

#include "base/err.h"
#include "cli/options.h"

/*
 * Lets the reader step through the program or the recording that the options
 * name. Returns the exit status: the program's own if it ended, 0 if the reader
 * quit before (which ends it) or it is a recording, 128+n after signal n. What
 * fails is said on standard error.
 */
int step(const struct options *options, struct err *err);

#endif
