/* SPDX-License-Identifier: MIT */
/*
 * screen/screen.h - the screen of a moment: a pure function from a trace, a
 * number and a size to a grid of cells.
 *
 * What is where depends on the size alone, never on the event, so that nothing
 * jumps while a reader steps:
 *
 *      chapters and event n/m; from 28 rows on a timeline of all events
 *      source, or disassembly inside generated code
 *      page: address, protection, hex dump as of xxd -g1
 *      instruction: bytes, and their fields beneath them
 *      registers: those that changed first
 *      what happened, what comes next
 *      output of the program so far
 *      keys, a message or a prompt
 *
 * From 110 columns on they stand in two: source, disassembly and page at the
 * left, the others and the stack at the right; a pane that has nothing to show
 * is left out until it has. Small screens show fewer lines of each,
 * and leave panes out in a fixed order rather than overflow.
 */
#ifndef JITTRACE_SCREEN_SCREEN_H
#define JITTRACE_SCREEN_SCREEN_H

#include "screen/grid.h"
#include "trace/history.h"
#include "trace/origin.h"

/* The byte that a reader asks about: who wrote it. It is one of the process
 * that is shown. Its history is read once, and goes on with the trace: however
 * long that is, a screen of another moment of the same process costs no more.
 * All zero is a valid one that is not shown. */
struct cursor {
    bool on;
    bool leads;    /* the page is shown around it; else around the event */
    uint64_t base; /* where the mapping began that it is in */
    uint64_t low;  /* from there ... */
    uint64_t end;  /* ... to before there it moves */
    struct origins origins; /* of the byte at origins.addr */
    bool jumped;            /* cursor_jump was the last move: */
    uint64_t from;          /* from here */
    uint64_t to;            /* to here */
};

void cursor_release(struct cursor *cursor);

/* Moves it by so many bytes within its mapping. If it is off it appears at the
 * byte that event seq is about. Appends to message why it does not move. */
void cursor_move(struct cursor *cursor, struct history *history, uint64_t seq,
                 int by, struct buf *message);

/* Moves it to where a reader says: an offset in the mapping that it is in, or
 * else the event; an address; or the name of code that is there. Where nothing is mapped at event seq any more
 * it is what trace/where.h finds. Nothing, or NULL, turns it off. */
void cursor_set(struct cursor *cursor, struct history *history, uint64_t seq,
                const char *where, struct buf *message);

/* The event to go to from event seq: the last change of the byte up to there,
 * while it was mapped; from such an event, if a jump led there, back to where
 * that began. Returns false, with a message, if there is none. */
bool cursor_jump(struct cursor *cursor, struct history *history, uint64_t seq,
                 uint64_t *to, struct buf *message);

/* Takes events into account that were added; it becomes the byte at the same
 * address in the process of event seq. Nothing if it is off. */
void cursor_update(struct cursor *cursor, struct history *history,
                   uint64_t seq);

struct screen {
    bool all_registers;
    bool vectors; /* those of cpu/vregs.h, in place of the general registers */
    bool stack;   /* the words around the stack pointer, likewise */
    bool decimal; /* register values; else hex */
    bool zoom;    /* the whole mapping in place of the dump, with more rows */
    bool asks;    /* what comes next is not told: the reader is asked */
    bool help;    /* the table of keys instead of the panes */
    unsigned help_from; /* its first line that is shown */
    unsigned field;     /* of the instruction, from 1 on: its meaning is told in
                     * place of what happened; or 0, as */
    unsigned term;      /* a term of tell/glossary.h, likewise */
    enum screen_end {
        SCREEN_PAUSED,  /* the program is paused behind the last event */
        SCREEN_RUNNING, /* it is running to its next event */
        SCREEN_ENDED,   /* the trace is complete */
    } end;
    struct srcline next; /* where a program that is paused goes on, of which no
                          * event tells yet; all zero: not known */
    const struct cursor *cursor; /* the byte that is asked about; or NULL */
    const char *prompt;  /* what is being typed, behind its question; or NULL */
    size_t prompt_at;    /* the cursor in it, in bytes */
    const char *choices; /* what could be typed there, shown behind; or NULL */
    const char *message; /* shown in place of the keys; or NULL */
};

/* How many fields of an instruction are shown of event seq, and which one is at
 * a place of the grid where that was drawn, from 1 on; 0: none. */
unsigned screen_fields(struct history *history, uint64_t seq);
unsigned screen_field_at(struct history *history, uint64_t seq,
                         const struct grid *grid, unsigned row,
                         unsigned column);

/* Draws the moment after event seq, which must exist, over all of the grid. */
void screen_draw(const struct screen *screen, struct history *history,
                 uint64_t seq, struct grid *grid);

/* In the order in which they stand below each other. */
enum pane_name {
    PANE_SOURCE,
    PANE_CODE, /* in two columns; else the source has it */
    PANE_PAGE,
    PANE_INSN,
    PANE_REGS,  /* or what the screen has in their place */
    PANE_STACK, /* in two columns; else instead of the registers */
    PANE_STORY,
    PANE_OUTPUT,
    PANES,
};

/* A pane alone, for whoever places panes without a screen around them. */
struct pane_wish {
    const struct screen *screen; /* its prompt, message and help are not used */
    enum pane_name pane;
    unsigned columns;
};

/* Draws panes of the moment after event seq, which must exist, each into a grid
 * of its own, to be released: as high as the pane is at its best. Row 0 is its
 * rule. */
void screen_draw_panes(struct history *history, uint64_t seq,
                       const struct pane_wish *wishes, size_t count,
                       struct grid *grids);

/* Writes what each field of the instruction that event seq is about means, or a
 * term of tell/glossary.h. */
void screen_tell_term(unsigned term, struct pen *pen);
void screen_tell_fields(struct history *history, uint64_t seq, struct pen *pen);

/* Of how many lines of the table of keys a grid has no room for. */
unsigned screen_help_end(const struct grid *grid);

/* Appends what comes next, "Next: ...", as far as it is known. */
void screen_next(const struct screen *screen, struct history *history,
                 uint64_t seq, struct buf *out);

/* Writes the moment as a paragraph, for who reads line by line: the event, its
 * source, what it did, what it changed and what comes next. */
void screen_tell(const struct screen *screen, struct history *history,
                 uint64_t seq, struct pen *pen);

#endif
