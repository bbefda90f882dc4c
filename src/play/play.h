/* SPDX-License-Identifier: MIT */
/*
 * play/play.h - the playground: instructions are typed, taken apart and run.
 */
#ifndef JITTRACE_PLAY_PLAY_H
#define JITTRACE_PLAY_PLAY_H

#include <stdio.h>

#include "play/run.h"
#include "step/driver.h"

/* Reads lines from driver->input until they end, and writes what each does to
 * out; start (with its context) starts the processes. Returns 0; the signal
 * that asked us to end; or -1 with err filled: nothing can be run (as start
 * says) or written, or, where no human types, a line was wrong (ERR_DATA). */
int play(struct driver *driver, FILE *out, bool color, play_start *start,
         void *context, struct err *err);

#endif
