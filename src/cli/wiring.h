/* SPDX-License-Identifier: MIT */
/*
 * cli/wiring.h - what all ways to show a trace have in common: what the command
 * line says becomes a program that runs, a sink, a file, an exit status.
 */
#ifndef JITTRACE_CLI_WIRING_H
#define JITTRACE_CLI_WIRING_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/options.h"
#include "target/launch.h"
#include "trace/sink.h"
#include "trace/source.h"

/* Says on standard error what failed. Returns the exit status for it. */
int complain(const struct err *err);

/* Whether the options, the environment and what out is ask for colours. */
bool wants_color(const struct options *options, FILE *out);

/*
 * Starts the program that the options name; launch says what its descriptors
 * are to be. Returns its events, or NULL with err filled.
 */
struct source *start_program(const struct options *options,
                             const struct launch *launch, struct err *err);

/* The recording to show, or NULL with err filled. */
FILE *open_recording(const struct options *options, struct err *err);

/*
 * The file of -o, else standard output; or NULL with err filled: that is so,
 * too, if it is the recording that is to be read, under whatever name.
 */
FILE *open_output(const struct options *options, struct err *err);

/*
 * Adds to fan (trace/fan.h) what writes the directory of --dump-code, if that
 * was asked for. Returns 0, or -1 with err filled. Call it before anything is
 * started.
 */
int open_dump(const struct options *options, struct sink *fan, struct err *err);

/* What writes the trace there in the format of the options. */
struct sink *make_sink(const struct options *options, FILE *out);

#endif
