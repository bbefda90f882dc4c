/* SPDX-License-Identifier: MIT */
/*
 * step/typing.h - a line that a reader types on the full screen: keys to edit
 * it, and what was typed there before. It knows no terminal, only keys.
 *
 *      Left, Right, Home, End, Ctrl-A, Ctrl-E       move in it
 *      Backspace, Delete, Ctrl-U, Ctrl-W            delete from it
 *      Up, Down                                     lines typed before
 *      Tab                                          asks what it may become
 *      Enter, Escape                                end it
 */
#ifndef JITTRACE_STEP_TYPING_H
#define JITTRACE_STEP_TYPING_H

#include "base/buf.h"
#include "step/terminal.h"

/* All zero is a valid one, at which nothing was typed. */
struct typing {
    struct buf question; /* stands in front; no key changes it */
    struct buf text;     /* what was typed */
    size_t at;           /* the cursor in it, in bytes: before a character */
    struct buf more;     /* what Tab has found, to be shown behind it */

    /* Its own: */
    int kind;            /* lines of one kind have a history of their own */
    struct typed *lines; /* all that were typed, the last one last */
    size_t count;
    size_t shown;       /* which of them is edited; count: a new one */
    struct buf started; /* the new one, meanwhile */
};

void typing_release(struct typing *typing);

/* Asks anew. question is copied. kind: what may be typed, any number. */
void typing_open(struct typing *typing, const char *question, int kind);

enum typing_end {
    TYPING_GOES_ON,
    TYPING_TAB,   /* complete it: typing_complete */
    TYPING_TYPED, /* it is in text, and is kept for Up */
    TYPING_GIVEN_UP,
};

/* Takes a key; one that means nothing here changes nothing. */
enum typing_end typing_press(struct typing *typing, const struct press *press);

/* Puts text in place of what is typed from byte `from` to the cursor. */
void typing_complete(struct typing *typing, size_t from, const char *text,
                     size_t len);

#endif
