/* SPDX-License-Identifier: MIT */
/*
 * cli/diff.h - --diff: two traces, and where they first differ.
 */
#ifndef JITTRACE_CLI_DIFF_H
#define JITTRACE_CLI_DIFF_H

#include "base/err.h"
#include "cli/options.h"

/* What does not go together with --diff, --inject and --sweep. Returns 0, or -1
 * with err filled (ERR_USAGE). */
int check_diff(const struct options *options, struct err *err);

/* Compares the recording with the other one, or with a run of the program that
 * the options name. Returns the exit status, as diff(1) has it: 0, they are
 * equal; 1, they are not; 2, a trace cannot be read or made, or it is not known
 * because not all was watched. What fails is said on standard error. */
int show_diff(const struct options *options, struct err *err);

#endif
