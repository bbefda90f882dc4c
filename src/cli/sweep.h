/* SPDX-License-Identifier: MIT */
/*
 * cli/sweep.h - --sweep=flip: what each bit of generated code is good for, by
 * turning it over, one run for each.
 */
#ifndef JITTRACE_CLI_SWEEP_H
#define JITTRACE_CLI_SWEEP_H

#include "base/err.h"
#include "cli/options.h"

/*
 * Runs the program as it is, and takes the code that it calls first. Then runs
 * it once for each bit of that (of at most SWEEP_BYTES bytes), with the bit
 * turned over before that call, and writes a table of what became of it: a line
 * for each field of each instruction; as JSON a line for each bit. A run that
 * takes ten times as long as the first one, and at least two seconds, hangs and
 * is ended. Ctrl-C ends it with what there is so far.
 *
 * Returns 0, 130 after Ctrl-C, or what a failure is, which was said.
 */
#define SWEEP_BYTES 256u
int sweep(const struct options *options, struct err *err);

#endif
