/* SPDX-License-Identifier: MIT */
/*
 * play/prompt.h - asks for a line. On a terminal it can be edited, and earlier
 * ones come back with the arrow keys; where there is none, or a dumb one, a
 * line is taken as it comes.
 */
#ifndef JITTRACE_PLAY_PROMPT_H
#define JITTRACE_PLAY_PROMPT_H

#include <stdio.h>
#include <termios.h>

#include "step/driver.h"

struct prompt {
    const char *text; /* what is asked with */
    struct driver *driver;
    FILE *out;
    bool color;
    bool is_terminal; /* what is typed shows by itself, or by us */
    bool edits;
    struct buf input; /* what was read and not yet used */
    bool ended;       /* the input has */
    struct buf line;  /* that is edited, */
    size_t at;        /* and where, in bytes */
    char **old;       /* earlier ones, the oldest first */
    size_t count, capacity;
    size_t shown; /* which one of them is; count: none */
    struct termios modes;
};

enum prompt_end {
    PROMPT_LINE,
    PROMPT_AGAIN,  /* Ctrl-C at a terminal: the line is given up */
    PROMPT_END,    /* there is no more */
    PROMPT_SIGNAL, /* one that asks us to end: *signal */
    PROMPT_FAILED, /* err is filled: it cannot be written */
};

void prompt_init(struct prompt *prompt, const char *text, struct driver *driver,
                 FILE *out, bool color);
void prompt_release(struct prompt *prompt);

/* Asks, and waits for a line, which is taken without the blanks around it. The
 * terminal is as it was when this returns. */
enum prompt_end prompt_read(struct prompt *prompt, struct buf *line,
                            int *signal, struct err *err);

/* Takes in bytes of a terminal as they come from its keys. Returns whether a
 * line is complete (or, at the end of the input: prompt->ended). */
bool prompt_keys(struct prompt *prompt, struct bytes keys);

#endif
