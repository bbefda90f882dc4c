/* SPDX-License-Identifier: MIT */
/*
 * observe/place.h - what events call an address of the program, and who has
 * called what is there.
 */
#ifndef JITTRACE_OBSERVE_PLACE_H
#define JITTRACE_OBSERVE_PLACE_H

#include "observe/thread.h"

/* Names the place of pc as an event does, generated code by its region; NULL
 * where nothing is known. The text lives as long as the run's lines, or is in
 * *room, which the caller releases. */
const char *place_symbol(const struct thread *thread, uint64_t pc,
                         struct buf *room);

/* The callers of the instruction that the thread is at with these registers;
 * if generated code is one of them, it is the last. Its name is in *room. */
void place_callers(const struct thread *thread, const struct regs *regs,
                   struct line_callers *out, struct buf *room);

#endif
