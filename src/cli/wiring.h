/* SPDX-License-Identifier: MIT */
/*
 * cli/wiring.h - what all ways to show a trace have in common: what the command
 * line says becomes a program that runs, a sink, a file, an exit status; and
 * the ways that have a file of their own.
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

/*
 * The file of -o, else standard output; or NULL with err filled: that is so,
 * too, if it is the recording that is to be read, under whatever name.
 */
FILE *open_output(const struct options *options, struct err *err);

/* From where the events of the options come, and where they go. */
struct wiring {
    struct source *source; /* the program or the recording */
    FILE *in;              /* the recording, or NULL */
    struct sink *fan;      /* --dump-code, and what wiring_write opens */
    FILE *out;             /* that, or NULL */
};

/*
 * Three steps, in this order: what must be known before anything is started;
 * the source, of which launch says what a program's descriptors are to be; and
 * the trace that is written. Each returns 0, or -1 with err filled. Close what
 * was opened, as far as that came.
 */
int wiring_open(struct wiring *wiring, const struct options *options,
                struct err *err);
int wiring_start(struct wiring *wiring, const struct options *options,
                 const struct launch *launch, struct err *err);
int wiring_write(struct wiring *wiring, const struct options *options,
                 struct err *err);
void wiring_close(struct wiring *wiring);

/*
 * --step: lets the reader step through the program or the recording that the
 * options name. Returns the exit status: the program's own if it ended, 0 if
 * the reader quit before (which ends it) or it is a recording, 128+n after
 * signal n. What fails is said on standard error.
 */
int step(const struct options *options, struct err *err);

/*
 * --doctor: prints what works on this machine, and what to do about the rest,
 * which is what a report of a bug begins with. Returns 0 if the baby JIT can be
 * shown in full here, else EX_OSERR; or another status with err filled when it
 * cannot be printed.
 */
int doctor(const struct options *options, struct err *err);

#endif
