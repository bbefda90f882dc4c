/* SPDX-License-Identifier: MIT */
/*
 * screen/screen.h - the screen of a moment: a pure function from a trace, a
 * number and a size to a grid of cells.
 *
 * What is where depends on the size alone, never on the event, so that nothing
 * jumps while a reader steps:
 *
 *      chapters and event n/m
 *      source, or disassembly inside generated code
 *      page: address, protection, hex dump as of xxd -g1
 *      instruction: bytes, and their fields beneath them
 *      registers: those that changed first
 *      what happened, what comes next
 *      output of the program so far
 *      keys, a message or a prompt
 *
 * Wide screens have them in two columns. Small ones show fewer lines of each,
 * and leave panes out in a fixed order rather than overflow.
 */
#ifndef JITTRACE_SCREEN_SCREEN_H
#define JITTRACE_SCREEN_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "screen/cursor.h"
#include "screen/grid.h"
#include "trace/history.h"

/* Whether there is more to come behind the last event. */
enum screen_end {
    SCREEN_PAUSED,  /* the program is paused there */
    SCREEN_RUNNING, /* it is running to its next event */
    SCREEN_ENDED,   /* the trace is complete */
};

struct screen {
    bool all_registers;
    bool decimal; /* register values; else hex */
    bool help;    /* the table of keys instead of the panes */
    enum screen_end end;
    const struct cursor *cursor; /* the byte that is asked about; or NULL */
    const char *prompt;  /* what is being typed, behind its question; or NULL */
    const char *message; /* shown in place of the keys; or NULL */
};

/* Draws the moment after event seq, which must exist, over all of the grid. */
void screen_draw(const struct screen *screen, struct history *history,
                 uint64_t seq, struct grid *grid);

#endif
