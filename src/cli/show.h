/* SPDX-License-Identifier: MIT */
/*
 * cli/show.h - from what the command line says to a program that runs, a sink,
 * a file and an exit status.
 */
#ifndef JITTRACE_CLI_SHOW_H
#define JITTRACE_CLI_SHOW_H

#include <stdio.h>

#include "base/err.h"
#include "cli/options.h"
#include "target/launch.h"
#include "trace/source.h"

/* Says on standard error what failed. Returns the exit status for it. */
int complain(const struct err *err);

/* Whether the options, the environment and what out is ask for colours. */
bool wants_color(const struct options *options, FILE *out);

/* The theme of --theme, else of JITTRACE_THEME, else that of the terminal. */
struct theme;
const struct theme *wanted_theme(const struct options *options);

/* Starts the program that the options name; launch says what its descriptors
 * are to be. Returns its events, or NULL with err filled. */
struct source *start_program(const struct options *options,
                             const struct launch *launch, struct err *err);

/* The file of -o, else standard output; or NULL with err filled: that is so,
 * too, if it is the recording that is to be read, under whatever name. */
FILE *open_output(const struct options *options, struct err *err);

/* Whether what is written there is to have colours. no-color.org: NO_COLOR
 * counts when it is set and not empty. */
bool wants_color(const struct options *options, FILE *out);

/* Passes signals that are for the program on to it, from now on: it was started
 * with what we ignore. */
void handle_signals(pid_t pid);

/*
 * Shows the program or the recording that the options name, as they say; with
 * --step as the reader asks. Returns the exit status: the program's own if it
 * ended, 0 if the reader quit before (which ends it), 128+n after signal n. A
 * recording that can be shown is a success, however its program ended. What
 * fails is said on standard error.
 */
int show(const struct options *options, struct err *err);

/* The same; the history also gets all events. */
struct history;
int show_kept(const struct options *options, struct history *history,
              struct err *err);

/*
 * --doctor: prints what works on this machine, and what to do about the rest,
 * which is what a report of a bug begins with. Returns 0 if the baby JIT can be
 * shown in full here, else EX_OSERR, or another status if it cannot be printed.
 */
int doctor(const struct options *options, struct err *err);

/* --play: runs what is typed. Returns 0, 128+n after signal n, or what a failure
 * is; that is said on standard error. */
int playground(const struct options *options, struct err *err);

#endif
