/* SPDX-License-Identifier: MIT */
/*
 * play/show.h - what a line of the playground is, and what it did, in words.
 */
#ifndef JITTRACE_PLAY_SHOW_H
#define JITTRACE_PLAY_SHOW_H

#include "play/run.h"
#include "tell/pen.h"

/* The fields of each instruction. What is no instruction, or not all of one, is
 * shown as bytes. */
void show_fields(struct pen *pen, struct bytes code);

/* What was executed, step by step, and how it ended. */
void show_run(struct pen *pen, const struct run *run);

/* The registers and the flags; of the vectors those that are not zero. */
void show_state(struct pen *pen, const struct play_state *state);

#endif
