/* SPDX-License-Identifier: MIT */
/*
 * step/sides.h - two traces that were compared, side by side: from difference
 * to difference, or along the events that go with each other.
 *
 * Both traces are whole, so no program runs while the reader looks.
 */
#ifndef JITTRACE_STEP_SIDES_H
#define JITTRACE_STEP_SIDES_H

#include "diff/diff.h"
#include "screen/screen.h"
#include "step/driver.h"

/* Not all is to be set; what is not is zero. */
struct sides {
    const char *names[2];         /* of the traces, borrowed, as all of this */
    struct history *histories[2]; /* with an event each, at least */
    const struct diff *diff;      /* of both */

    /* Its own, from sides_open on: */
    uint64_t seq[2];       /* the events that the reader is at */
    enum diff_class class; /* the difference that he came to, or DIFFS */
    bool alone;            /* only one side is looked at: */
    int shown;             /* this one, also where there is room for one */
    struct screen screen;  /* how both are shown */
    const char *message;   /* what the last command had to say, or NULL */
};

/* What the reader can do: SIDES(ID, letters, "word", help). A blank among the
 * letters is the last one. */
#define SIDES_COMMANDS(SIDES)                                               \
    SIDES(NEXT, "n", "next", "the next difference; of each kind the first") \
    SIDES(PREVIOUS, "p", "previous", "the one before")                      \
    SIDES(FORWARD, "f ", "forward", "both sides an event on")               \
    SIDES(BACK, "k", "back", "both sides an event back")                    \
    SIDES(MEET, "m", "meet", "where they meet again behind it")             \
    SIDES(A, "a", "a", "A alone")                                           \
    SIDES(B, "b", "b", "B alone")                                           \
    SIDES(BOTH, "s", "both", "both sides")                                  \
    SIDES(REGISTERS, "R", "registers", "all registers, or what matters")    \
    SIDES(BASE, "x", "hex", "registers in hex or decimal")                  \
    SIDES(HELP, "h", "help", "these keys")                                  \
    SIDES(QUIT, "q", "quit", "quit")

enum sides_command {
#define SIDES(ID, letters, word, help) SIDES_##ID,
    SIDES_COMMANDS(SIDES)
#undef SIDES
        SIDES_NONE,
};

/* The letters, word and help of one, in that order. */
const char *const *sides_entry(enum sides_command command);

/* The command of a word or a letter; SIDES_NONE: there is none. */
enum sides_command sides_parse(const char *text);

/* Goes to the first difference, or to the beginning if there is none. */
void sides_open(struct sides *sides);

/* Does what a command asks for; but for HELP, which is the caller's. Returns
 * false for QUIT. */
bool sides_do(struct sides *sides, enum sides_command command);

/* Appends where the reader is: "difference 1 of 3, registers: rax", or which
 * events these are. */
void sides_describe(const struct sides *sides, struct buf *out);

/* Appends what a side is: its name, and at a difference what it has there. */
void sides_describe_side(const struct sides *sides, int side, struct buf *out);

/* Draws both sides, or one, as there is room, over all of the grid. */
void sides_draw(struct sides *sides, struct grid *grid);

/* Both go on until the reader has enough. They return 0, or the signal that
 * asked us to end, or -1 with err filled, as those of step/driver.h. */
int sides_plain(struct sides *sides, struct driver *driver, FILE *out,
                bool color, struct err *err);
int sides_fullscreen(struct sides *sides, struct driver *driver,
                     const struct theme *theme, struct err *err);

#endif
