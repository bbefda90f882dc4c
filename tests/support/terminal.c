/* SPDX-License-Identifier: MIT */
/*
 * When is a screen finished? A program writes it in several pieces, so seeing
 * one text does not mean that the rest is there. Here a screen counts as
 * finished when the foreground program
 *
 *     1. has read every byte that was typed    (the slave has none to read)
 *     2. waits for more                        (/proc/PID/syscall says so)
 *     3. had written nothing more by then      (the master has none to read)
 *
 * asked in this order: between 2 and 3 it cannot have gone on. poll(2) on
 * either end of a pty first hands over what is on its way, so 1 and 3 are
 * exact. What this does not know is whether a program waits for something else
 * at the same time; then a test waits for what it wants to see besides.
 *
 * The test's process becomes the reaper of all that its command leaves behind
 * (PR_SET_CHILD_SUBREAPER), so that "no process is left" can be asked.
 */
#include "support/terminal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_SECONDS 10
#define MOMENT_MS       2

/* --- the terminal -------------------------------------------------------- */

static int set_property(VTermProp property, VTermValue *value, void *user)
{
    struct tty *tty = user;

    if (property == VTERM_PROP_ALTSCREEN)
        tty->alternate = value->boolean;
    if (property == VTERM_PROP_CURSORVISIBLE)
        tty->cursor_visible = value->boolean;
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = set_property};

/* Keys, and what a terminal answers when a program asks it something. */
static void type_bytes(const char *bytes, size_t len, void *user)
{
    struct tty *tty = user;

    buf_append(&tty->typed, bytes, len);
}

static void open_screen(struct tty *tty)
{
    tty->vterm = vterm_new((int)tty->rows, (int)tty->columns);
    vterm_set_utf8(tty->vterm, 1);
    vterm_output_set_callback(tty->vterm, type_bytes, tty);
    tty->screen = vterm_obtain_screen(tty->vterm);
    vterm_screen_enable_altscreen(tty->screen, 1);
    vterm_screen_set_callbacks(tty->screen, &callbacks, tty);
    vterm_screen_reset(tty->screen, 1);
}

static void open_pty(struct tty *tty)
{
    struct winsize size = {.ws_row = (unsigned short)tty->rows,
                           .ws_col = (unsigned short)tty->columns};

    cr_assert(
        eq(int, openpty(&tty->master, &tty->slave, NULL, NULL, &size), 0));
    fcntl(tty->master, F_SETFD, FD_CLOEXEC);
    fcntl(tty->slave, F_SETFD, FD_CLOEXEC);
    fcntl(tty->master, F_SETFL, O_NONBLOCK);
    cr_assert(eq(int, tcgetattr(tty->slave, &tty->before), 0));
}

/* --- the command --------------------------------------------------------- */

/* No assertion here: this is the child. */
_Noreturn static void become_foreground(const struct job *command, int slave,
                                        pid_t parent)
{
    static const char *const unset[] = {
        "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM",
        "LINES",    "COLUMNS",  "LANG",           "LC_CTYPE"};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(125);
    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        _exit(125);
    for (int fd = 0; fd < 3; fd++)
        dup2(slave, fd);
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    putenv("TERM=xterm-256color");
    putenv("LC_ALL=C.UTF-8");
    become(command);
}

void tty_start(struct tty *tty, const struct job *command, unsigned rows,
               unsigned columns)
{
    pid_t parent = getpid();

    *tty = (struct tty){.rows = rows, .columns = columns};
    open_pty(tty);
    open_screen(tty);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    tty->since = now();
    tty->seconds =
        SLOWNESS * (command->seconds ? command->seconds : DEFAULT_SECONDS);
    tty->pid = fork();
    if (tty->pid == 0)
        become_foreground(command, tty->slave, parent);
    cr_assert(lt(int, 0, tty->pid), "fork");
}

/* Whether it has ended; its status is kept. */
static bool has_ended(struct tty *tty)
{
    if (!tty->ended)
        tty->ended = waitpid(tty->pid, &tty->wait_status, WNOHANG) == tty->pid;
    return tty->ended;
}

static void hang_up(struct tty *tty)
{
    if (tty->master >= 0)
        close(tty->master);
    tty->master = -1;
}

void tty_release(struct tty *tty)
{
    pid_t foreground = tty->master >= 0 ? tcgetpgrp(tty->master) : -1;

    if (foreground > 1)
        kill(-foreground, SIGKILL);
    if (!has_ended(tty)) {
        kill(tty->pid, SIGKILL);
        waitpid(tty->pid, &tty->wait_status, 0);
        tty->ended = true;
    }
    hang_up(tty);
    tty_wait_alone(tty);
    close(tty->slave);
    vterm_free(tty->vterm);
    buf_release(&tty->raw);
    buf_release(&tty->typed);
}

/* --- bytes in and out ---------------------------------------------------- */

static void write_typed(struct tty *tty)
{
    ssize_t written;

    if (tty->typed.len == 0 || tty->master < 0)
        return;
    written = write(tty->master, tty->typed.data, tty->typed.len);
    if (written <= 0)
        return;
    tty->typed.len -= (size_t)written;
    memmove(tty->typed.data, tty->typed.data + written, tty->typed.len);
}

/* Draws what the program has written; waits at most so long for the first of
 * it. Returns whether there was any. */
static bool take(struct tty *tty, int milliseconds)
{
    struct pollfd fd = {tty->master, POLLIN, 0};
    char bytes[65536];
    bool any = false;
    ssize_t got;

    write_typed(tty);
    /* Without a master this only waits: poll(2) leaves -1 out. */
    while (poll(&fd, 1, any ? 0 : milliseconds) > 0) {
        got = read(tty->master, bytes, sizeof bytes);
        if (got <= 0)
            break;
        any = true;
        buf_append(&tty->raw, bytes, (size_t)got);
        vterm_input_write(tty->vterm, bytes, (size_t)got);
    }
    write_typed(tty);
    return any;
}

void tty_type(struct tty *tty, const char *text)
{
    type_bytes(text, strlen(text), tty);
    write_typed(tty);
}

void tty_press(struct tty *tty, VTermKey key)
{
    vterm_keyboard_key(tty->vterm, key, VTERM_MOD_NONE);
    write_typed(tty);
}

void tty_resize(struct tty *tty, unsigned rows, unsigned columns)
{
    struct winsize size = {.ws_row = (unsigned short)rows,
                           .ws_col = (unsigned short)columns};

    /* What is on its way was drawn for the size before. */
    take(tty, 0);
    tty->rows = rows;
    tty->columns = columns;
    vterm_set_size(tty->vterm, (int)rows, (int)columns);
    cr_assert(eq(int, ioctl(tty->master, TIOCSWINSZ, &size), 0));
}

void tty_hang_up(struct tty *tty)
{
    take(tty, 0);
    hang_up(tty);
}

/* --- waiting ------------------------------------------------------------- */

/* Reads a file of /proc/PID; an empty text if it is gone. */
static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        got = read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
}

/* Not every program reads its keys from descriptor 0: less opens /dev/tty. */
static bool is_terminal(pid_t pid, unsigned long fd)
{
    char path[64], target[64] = "";

    snprintf(path, sizeof path, "/proc/%d/fd/%lu", (int)pid, fd);
    if (readlink(path, target, sizeof target - 1) < 0)
        return false;
    return strncmp(target, "/dev/pts/", 9) == 0 ||
           strcmp(target, "/dev/tty") == 0;
}

/* The state in /proc/PID/stat stands behind the name, which is in brackets. */
static bool is_asleep(pid_t pid)
{
    char text[512], *end;

    read_proc(pid, "stat", text, sizeof text);
    end = strrchr(text, ')');
    return end && end[1] == ' ' && end[2] == 'S';
}

/*
 * /proc/PID/syscall has "running", or the number of the system call that the
 * process is blocked in, and its arguments in hex. That still holds for a
 * moment when a signal has just woken it, so its state is asked first.
 */
static bool waits_for_input(pid_t pid)
{
    char text[256];
    unsigned long fd;
    int call;

    if (!is_asleep(pid))
        return false;
    read_proc(pid, "syscall", text, sizeof text);
    if (sscanf(text, "%d %lx", &call, &fd) != 2)
        return false;
    switch (call) {
    case SYS_read:
        return is_terminal(pid, fd);
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return true;
    default:
        return false;
    }
}

static pid_t foreground(struct tty *tty)
{
    pid_t group = tty->master >= 0 ? tcgetpgrp(tty->master) : -1;

    return group > 0 ? group : tty->pid;
}

static bool is_settled(struct tty *tty)
{
    struct pollfd fd = {tty->slave, POLLIN, 0};

    if (has_ended(tty))
        return !take(tty, 0);
    return tty->typed.len == 0 && poll(&fd, 1, 0) == 0 &&
           waits_for_input(foreground(tty)) && !take(tty, 0);
}

void tty_fail(struct tty *tty, const char *format, ...)
{
    struct buf what = {0}, screen = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&what, format, args);
    va_end(args);
    tty_text(tty, &screen);
    if (has_ended(tty))
        buf_printf(&what, "; it ended, wait status 0x%x", tty->wait_status);
    cr_fatal("%s; the screen, %u x %u:\n%s", buf_text(&what), tty->columns,
             tty->rows, buf_text(&screen));
    abort();
}

void tty_wait(struct tty *tty, bool (*question)(struct tty *, const void *),
              const void *data, const char *what)
{
    double since = now();

    take(tty, 0);
    while (!is_settled(tty) || !question(tty, data)) {
        if (now() - since > tty->seconds)
            tty_fail(tty, "%s: not within %d s", what, tty->seconds);
        if (has_ended(tty) && !take(tty, 0) && !question(tty, data))
            tty_fail(tty, "%s: will not come", what);
        take(tty, MOMENT_MS);
    }
}

static bool yes(struct tty *tty, const void *data)
{
    (void)tty;
    (void)data;
    return true;
}

void tty_settle(struct tty *tty)
{
    tty_wait(tty, yes, NULL, "waiting for keys");
}

static bool shows(struct tty *tty, const void *data)
{
    return tty_shows(tty, data);
}

void tty_wait_text(struct tty *tty, const char *text)
{
    tty_wait(tty, shows, text, text);
}

static bool shows_not(struct tty *tty, const void *data)
{
    return !tty_shows(tty, data);
}

void tty_wait_gone(struct tty *tty, const char *text)
{
    struct buf what = {0};

    buf_printf(&what, "no '%s'", text);
    tty_wait(tty, shows_not, text, buf_text(&what));
    buf_release(&what);
}

void tty_wait_output(struct tty *tty, const char *text)
{
    double since = now();

    while (!tty_shows(tty, text)) {
        if (now() - since > tty->seconds)
            tty_fail(tty, "%s: not within %d s", text, tty->seconds);
        take(tty, MOMENT_MS);
    }
}

struct row_text {
    unsigned row;
    const char *text;
};

static bool row_shows(struct tty *tty, const void *data)
{
    const struct row_text *wanted = data;

    return tty_row_shows(tty, wanted->row, wanted->text);
}

void tty_wait_row(struct tty *tty, unsigned row, const char *text)
{
    struct buf what = {0};

    buf_printf(&what, "'%s' in row %u", text, row);
    tty_wait(tty, row_shows, &(struct row_text){row, text}, buf_text(&what));
    buf_release(&what);
}

int tty_wait_end(struct tty *tty)
{
    double since = now();

    while (!has_ended(tty)) {
        if (now() - since > tty->seconds)
            tty_fail(tty, "it has not ended within %d s", tty->seconds);
        take(tty, MOMENT_MS);
    }
    take(tty, 0);
    return WIFSIGNALED(tty->wait_status) ? 128 + WTERMSIG(tty->wait_status)
                                         : WEXITSTATUS(tty->wait_status);
}

void tty_wait_alone(struct tty *tty)
{
    double since = now();
    pid_t left;

    cr_assert(eq(int, tty->ended, 1), "not before the end");
    while ((left = waitpid(-1, NULL, WNOHANG)) >= 0)
        if (left == 0 && !wait_a_moment(since, tty->seconds))
            tty_fail(tty, "it has left a process behind");
}

pid_t tty_child(struct tty *tty)
{
    char name[64], text[256];
    int child, other;

    snprintf(name, sizeof name, "task/%d/children", (int)foreground(tty));
    read_proc(foreground(tty), name, text, sizeof text);
    return sscanf(text, "%d %d", &child, &other) == 1 ? child : 0;
}

/* --- what there is to see ------------------------------------------------ */

void tty_cell(struct tty *tty, unsigned row, unsigned column,
              VTermScreenCell *cell)
{
    cr_assert(lt(uint, row, tty->rows));
    cr_assert(lt(uint, column, tty->columns));
    vterm_screen_get_cell(
        tty->screen, (VTermPos){.row = (int)row, .col = (int)column}, cell);
}

bool tty_cell_has_color(const VTermScreenCell *cell)
{
    return !VTERM_COLOR_IS_DEFAULT_FG(&cell->fg) ||
           !VTERM_COLOR_IS_DEFAULT_BG(&cell->bg);
}

static void append_utf8(uint32_t rune, struct buf *out)
{
    uint8_t bytes[4] = {(uint8_t)rune};
    size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (len > 1)
        bytes[0] = (uint8_t)(lead[len] | rune >> 6 * (len - 1));
    for (size_t i = 1; i < len; i++)
        bytes[i] = (uint8_t)(0x80 | (rune >> 6 * (len - 1 - i) & 0x3f));
    buf_append(out, bytes, len);
}

static void append_cell(const VTermScreenCell *cell, struct buf *out)
{
    if (cell->chars[0] == 0)
        buf_append_text(out, " ");
    /* The right half of a wide character. */
    if (cell->chars[0] == (uint32_t)-1)
        return;
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++)
        append_utf8(cell->chars[i], out);
}

void tty_row(struct tty *tty, unsigned row, struct buf *out)
{
    size_t start = out->len;
    VTermScreenCell cell;

    for (unsigned column = 0; column < tty->columns; column++) {
        tty_cell(tty, row, column, &cell);
        append_cell(&cell, out);
    }
    while (out->len > start && out->data[out->len - 1] == ' ')
        out->len--;
}

void tty_text(struct tty *tty, struct buf *out)
{
    for (unsigned row = 0; row < tty->rows; row++) {
        tty_row(tty, row, out);
        buf_append_text(out, "\n");
    }
}

bool tty_row_shows(struct tty *tty, unsigned row, const char *text)
{
    struct buf shown = {0};
    bool found;

    if (row >= tty->rows)
        return false;
    tty_row(tty, row, &shown);
    found = strstr(buf_text(&shown), text) != NULL;
    buf_release(&shown);
    return found;
}

/* Or tty->rows, if none does. */
static unsigned find_row(struct tty *tty, const char *text)
{
    unsigned row = 0;

    while (row < tty->rows && !tty_row_shows(tty, row, text))
        row++;
    return row;
}

bool tty_shows(struct tty *tty, const char *text)
{
    return find_row(tty, text) < tty->rows;
}

unsigned tty_find_row(struct tty *tty, const char *text)
{
    unsigned row = find_row(tty, text);

    if (row == tty->rows)
        tty_fail(tty, "no row shows '%s'", text);
    return row;
}

VTermPos tty_cursor(struct tty *tty)
{
    VTermPos position;

    vterm_state_get_cursorpos(vterm_obtain_state(tty->vterm), &position);
    return position;
}

static void expect_modes(struct tty *tty, const struct termios *modes)
{
    const struct termios *before = &tty->before;

    cr_assert(eq(uint, modes->c_iflag, before->c_iflag));
    cr_assert(eq(uint, modes->c_oflag, before->c_oflag));
    cr_assert(eq(uint, modes->c_cflag, before->c_cflag));
    cr_assert(eq(uint, modes->c_lflag, before->c_lflag));
    cr_assert(eq(mem, mem(modes->c_cc, sizeof modes->c_cc),
                 mem(before->c_cc, sizeof before->c_cc)));
}

void tty_expect_restored(struct tty *tty)
{
    struct termios modes;

    cr_assert(eq(int, tcgetattr(tty->slave, &modes), 0));
    expect_modes(tty, &modes);
    cr_assert(eq(int, tty->alternate, 0), "still the alternate screen");
    cr_assert(eq(int, tty->cursor_visible, 1), "the cursor is hidden");
}
