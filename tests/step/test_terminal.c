/* SPDX-License-Identifier: MIT */
/*
 * The terminal that other tests look at (terminal.h), tried on programs whose
 * behaviour is known: what they write is in the cells, what is typed reaches
 * them, and they are told when the terminal changes or goes away.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>

#include "support/support.h"
#include "support/terminal.h"

TestSuite(terminal, .timeout = 20);

#define SHELL(script) (&(struct job){.argv = ARGS("bash", "-c", script)})

static void expect_row(struct tty *tty, unsigned row, const char *expected)
{
    struct buf got = {0};

    tty_row(tty, row, &got);
    cr_assert(eq(str, (char *)buf_text(&got), (char *)expected), "row %u", row);
    buf_release(&got);
}

Test(terminal, cells)
{
    static const struct {
        bool bold, reverse, color;
        int width;
    } cells[] = {
        {.width = 1},
        {.width = 1, .bold = true},
        {.width = 1, .reverse = true},
        {.width = 1, .color = true},
        {.width = 1, .color = true},
        {.width = 2},
    };
    struct tty tty;
    VTermScreenCell cell;

    tty_start(&tty,
              SHELL("printf 'a\\033[1mb\\033[0;7mc\\033[0;31md\\033[0;44me"
                    "\\033[m漢→é\\r\\n\\n  below'"),
              4, 20);
    cr_assert(eq(int, tty_wait_end(&tty), 0));
    expect_row(&tty, 0, "abcde漢→é");
    expect_row(&tty, 1, "");
    expect_row(&tty, 2, "  below");
    for (unsigned i = 0; i < sizeof cells / sizeof *cells; i++) {
        tty_cell(&tty, 0, i, &cell);
        cr_assert(eq(int, cell.attrs.bold, cells[i].bold), "%u", i);
        cr_assert(eq(int, cell.attrs.reverse, cells[i].reverse), "%u", i);
        cr_assert(eq(int, tty_cell_has_color(&cell), cells[i].color), "%u", i);
        cr_assert(eq(int, cell.width, cells[i].width), "%u", i);
    }
    cr_assert(eq(uint, tty_find_row(&tty, "below"), 2));
    cr_assert(eq(int, tty_cursor(&tty).row, 2));
    cr_assert(eq(int, tty_cursor(&tty).col, 7));
    tty_release(&tty);
}

/* A program asks for the other cursor keys by DECCKM, and for the alternate
 * screen; both ends of that are seen, and the terminal's modes. */
Test(terminal, keys_and_modes)
{
    struct tty tty;
    struct termios modes;

    tty_start(&tty,
              SHELL("printf '\\033[?1049h\\033[?25l\\033[?1h%s\\r' ready;"
                    "read -rsN4 keys; printf '%q\\r\\n' \"$keys\";"
                    "printf '\\033[?1l'; read -rsN6 keys; printf %q \"$keys\";"
                    "read -rsN1; printf '\\033[?25h\\033[?1049lbye'"),
              5, 40);
    tty_wait_text(&tty, "ready");
    cr_assert(eq(int, tty.alternate, 1));
    cr_assert(eq(int, tty.cursor_visible, 0));
    tcgetattr(tty.slave, &modes);
    cr_assert(eq(uint, modes.c_lflag & ICANON, 0));
    tty_press(&tty, VTERM_KEY_RIGHT);
    tty_press(&tty, VTERM_KEY_ENTER);
    tty_wait_text(&tty, "$'\\EOC\\n'");
    tty_press(&tty, VTERM_KEY_HOME);
    tty_press(&tty, VTERM_KEY_LEFT);
    tty_wait_text(&tty, "$'\\E[H\\E[D'");
    tty_type(&tty, ".");
    cr_assert(eq(int, tty_wait_end(&tty), 0));
    expect_row(&tty, 0, "bye");
    tty_expect_restored(&tty);
    tty_release(&tty);
}

/* A terminal's answer reaches the program: here where the cursor is. */
Test(terminal, answers)
{
    struct tty tty;

    tty_start(&tty,
              SHELL("stty raw -echo; printf 'ab\\033[6n';"
                    "dd bs=1 count=6 2>/dev/null | od -An -c"),
              5, 40);
    cr_assert(eq(int, tty_wait_end(&tty), 0));
    cr_assert(eq(int, tty_shows(&tty, "033   [   1   ;   3   R"), 1));
    tty_release(&tty);
}

Test(terminal, size)
{
    struct tty tty;

    tty_start(&tty,
              SHELL("trap 'stty size; exit 7' WINCH; stty size;"
                    "while :; do read -rt 0.01; done"),
              4, 30);
    tty_wait_row(&tty, 0, "4 30");
    tty_resize(&tty, 6, 50);
    cr_assert(eq(int, tty_wait_end(&tty), 7));
    expect_row(&tty, 1, "6 50");
    tty_release(&tty);
}

/* Keys make signals, for the group in the foreground: a shell's job. */
Test(terminal, jobs)
{
    struct tty tty;

    tty_start(&tty,
              &(struct job){.argv = ARGS("dash", "-i"),
                            .env = ARGS("PS1=ready ", "ENV")},
              10, 60);
    tty_wait_row(&tty, 0, "ready");
    tty_type(&tty, "cat\n");
    tty_settle(&tty);
    tty_type(&tty, "\032");
    tty_wait_text(&tty, "Stopped");
    cr_assert(lt(int, 0, tty_child(&tty)));
    tty_type(&tty, "fg\nword\n");
    tty_wait_row(&tty, 5, "word");
    /* Ctrl-C also throws away what was typed and not yet read: termios(3). */
    tty_type(&tty, "\003");
    tty_wait_row(&tty, 7, "ready");
    tty_type(&tty, "exit 5\n");
    cr_assert(eq(int, tty_wait_end(&tty), 5));
    tty_release(&tty);
}

Test(terminal, hang_up)
{
    struct tty tty;

    tty_start(&tty, &(struct job){.argv = ARGS("cat")}, 4, 30);
    tty_settle(&tty);
    tty_hang_up(&tty);
    cr_assert(eq(int, tty_wait_end(&tty), 128 + SIGHUP));
    tty_release(&tty);
}
