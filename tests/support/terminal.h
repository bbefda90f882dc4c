/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - a terminal for tests: keys in, cells out.
 *
 * A command gets a pty as its controlling terminal, as it would get a window
 * of its own; libvterm is what stands at the other end and draws. Nothing here
 * sleeps for a fixed time: a test waits for what it wants to see, and fails
 * with the whole screen printed when that does not come.
 *
 * As in support.h, every helper may fail the test it is called from.
 */
#ifndef JITTRACE_TESTS_SUPPORT_TERMINAL_H
#define JITTRACE_TESTS_SUPPORT_TERMINAL_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

#include "base/buf.h"
#include "support/support.h"

struct tty {
    unsigned rows;
    unsigned columns;
    pid_t pid;             /* of the command, which leads a session */
    bool alternate;        /* the screen of full screen programs is shown */
    bool cursor_visible;   /* as the program last asked for */
    struct buf raw;        /* every byte that was written to the terminal */
    struct termios before; /* the terminal's modes when the command began */

    /* terminal.c's own. */
    int master; /* or -1 after a hang up */
    int slave;  /* so that the terminal outlives the command */
    VTerm *vterm;
    VTermScreen *screen;
    struct buf typed; /* not yet written to the terminal */
    bool ended;
    int wait_status;
    double since;
    int seconds;
};

/*
 * Starts the command on a terminal of that size. Of the command argv, env, dir,
 * prepare and seconds count; what env does not say is TERM=xterm-256color, a
 * UTF-8 locale, and neither NO_COLOR nor LINES and COLUMNS. The command is
 * killed when the test's process ends.
 */
void tty_start(struct tty *tty, const struct job *command, unsigned rows,
               unsigned columns);

/* Kills the command if it still runs, and who else is in its session; then no
 * child may be left. */
void tty_release(struct tty *tty);

/* --- what a user does ---------------------------------------------------- */

/* Types characters; "\003" is Ctrl-C, "\032" Ctrl-Z. */
void tty_type(struct tty *tty, const char *text);

/* Presses a key that is no character; as a terminal does, it sends what the
 * program has asked for (application or normal cursor keys). */
void tty_press(struct tty *tty, VTermKey key);

/* The program is told by SIGWINCH. */
void tty_resize(struct tty *tty, unsigned rows, unsigned columns);

/* Closes the window: the program's session gets SIGHUP. The screen stays as it
 * was for the test to look at. */
void tty_hang_up(struct tty *tty);

/* --- waiting ------------------------------------------------------------- */

/*
 * Waits until the foreground program has read all that was typed, waits for
 * more, and the screen shows all that it has written.
 */
void tty_settle(struct tty *tty);

/* The same, and the screen (or one row, from 0) shows the text. */
void tty_wait_text(struct tty *tty, const char *text);
void tty_wait_row(struct tty *tty, unsigned row, const char *text);

/* Waits for the text alone: whoever runs in the foreground need not read. */
void tty_wait_output(struct tty *tty, const char *text);

/* Waits as tty_settle, and the text is nowhere. */
void tty_wait_gone(struct tty *tty, const char *text);

/* The same, and the question is answered with yes; what is for the failure. */
void tty_wait(struct tty *tty, bool (*question)(struct tty *, const void *),
              const void *data, const char *what);

/* Waits for the end of the command. Its exit status, or 128 + the signal. */
int tty_wait_end(struct tty *tty);

/* Waits until no process is left that the command had started. */
void tty_wait_alone(struct tty *tty);

/* --- what there is to see ------------------------------------------------ */

bool tty_shows(struct tty *tty, const char *text);
bool tty_row_shows(struct tty *tty, unsigned row, const char *text);

/* The row that shows the text, which must be there. */
unsigned tty_find_row(struct tty *tty, const char *text);

/* Appends a row in UTF-8 without the blanks at its end; or all of them, each
 * with a newline. */
void tty_row(struct tty *tty, unsigned row, struct buf *out);
void tty_text(struct tty *tty, struct buf *out);

void tty_cell(struct tty *tty, unsigned row, unsigned column,
              VTermScreenCell *cell);
bool tty_cell_has_color(const VTermScreenCell *cell);

VTermPos tty_cursor(struct tty *tty);

/* The terminal must be as it was before: its modes, its screen, its cursor. */
void tty_expect_restored(struct tty *tty);

/* The only child of the foreground program, or 0 if it has none (yet). */
pid_t tty_child(struct tty *tty);

/* Fails the test, and prints the screen. */
_Noreturn void tty_fail(struct tty *tty, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
