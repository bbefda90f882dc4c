/* SPDX-License-Identifier: MIT */
/*
 * cli/compared.h - a run that something is made otherwise in (--inject), beside
 * one as the program is: what came of it.
 */
#ifndef JITTRACE_CLI_COMPARED_H
#define JITTRACE_CLI_COMPARED_H

#include "cli/options.h"
#include "trace/history.h"

/* Whether the options ask for it: --inject, told as text. */
bool wants_comparison(const struct options *options);

/* Runs the program twice. The first time it is as it is, reads nothing, and
 * what it prints is thrown away; the second one is shown as show() does, and
 * behind it what differs (diff/diff.h). Returns as show() does. */
int show_compared(const struct options *options, struct err *err);

/* Runs the program that the options name and keeps its events. It reads nothing
 * and prints nowhere. Returns 0, or -1 with err filled. */
int run_quietly(const struct options *options, struct history *history,
                struct err *err);

#endif
