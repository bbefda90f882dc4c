/* SPDX-License-Identifier: MIT */
/*
 * step/terminal.h - the terminal as a grid that can be shown and keys that can
 * be read. ncurses (ncurses(3NCURSES)) is in terminal.c and nowhere else.
 *
 * From terminal_new to terminal_free the terminal is ours, and what is written
 * to standard error is held back. Afterwards, and when jittrace crashes in
 * between, the terminal is as it was, and what was held back is written.
 */
#ifndef JITTRACE_STEP_TERMINAL_H
#define JITTRACE_STEP_TERMINAL_H

#include "base/err.h"
#include "screen/command.h"
#include "screen/grid.h"
#include "screen/theme.h"

/* There is one at a time, which ncurses knows. */
struct terminal;

/* Whether standard input and output are a terminal that can do it. */
bool terminal_is_usable(void);

/* Takes the terminal. theme: its colours, NULL for none. Signals are left to
 * the caller. Returns NULL with err filled if it cannot. */
struct terminal *terminal_new(const struct theme *theme, struct err *err);

/* Gives it back as it was; accepts NULL. */
void terminal_free(struct terminal *terminal);

/* The size it has now. */
void terminal_size(unsigned *rows, unsigned *columns);

/* Its size has changed, perhaps back to what it was: what it shows is not
 * known, and terminal_show sends all of it. */
void terminal_resized(void);

/* Shows a grid of that size. */
void terminal_show(struct terminal *terminal, const struct grid *grid);

/* Gives the terminal back for a while, until the next terminal_show. */
void terminal_leave(void);

/* Asks the terminal to put text on the clipboard. Returns false if it is none
 * that is known to do so; one that is may have been told not to. */
bool terminal_copy(const char *text);

/* What the reader has pressed. */
struct press {
    enum {
        PRESS_NONE, /* nothing so far */
        PRESS_KEY,
        PRESS_CHARACTER, /* Escape, backspace and control characters, too */
        PRESS_CLICK,     /* the mouse's first button, in a cell */
        PRESS_OTHER,     /* a key of no interest */
    } kind;
    unsigned row; /* of a click; larger than any where the button went up */
    unsigned column;
    enum key key;
    uint32_t character;
};

#define CHARACTER_ESCAPE       0x1bu
#define CHARACTER_BACKSPACE    0x7fu
#define CHARACTER_CTRL(letter) ((uint32_t)(letter)&0x1fu)

/* Takes the next key; never waits. */
struct press terminal_read(void);

/* The library that shows it, with its version. */
const char *terminal_library(void);

#endif
