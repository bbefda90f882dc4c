/* SPDX-License-Identifier: MIT */
/*
 * screen/timeline.h - all events in one row, and where the reader is in it.
 *
 *     mwwwwwwwwwwwmc---c---c---omm     w store, c call, - step, m memory,
 *                                      o output, ! signal, refused call or what --inject did
 */
#ifndef JITTRACE_SCREEN_TIMELINE_H
#define JITTRACE_SCREEN_TIMELINE_H

#include "screen/grid.h"
#include "trace/history.h"

/* Screens with so many rows have one, on row TIMELINE_ROW. */
#define TIMELINE_MIN_ROWS 28u
#define TIMELINE_ROW      1u

/* Draws the row for the moment after event seq. */
void timeline_draw(struct history *history, uint64_t seq, struct grid *grid,
                   unsigned row);

/* The first event that a column stands for, of `count`; columns is the width of
 * the row. */
uint64_t timeline_event(uint64_t count, unsigned columns, unsigned column);

#endif
