/* SPDX-License-Identifier: MIT */
/*
 * ncurses decides what to send so that the terminal shows a grid; what it is
 * and how it looks is decided elsewhere.
 *
 * A crash of jittrace would leave the terminal as ncurses set it up, and
 * ncurses cannot be asked then (signal-safety(7)). So all that puts it back is
 * prepared: a text to write, the modes, and where standard error was. It lies
 * at the bottom of the alternate stack on which the handler runs, for the
 * kernel tells a handler where that is (uc_stack in sigaction(2)).
 */
#include "step/terminal.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>

#include "base/mem.h"
#include "tell/style.h"

/* <term.h> takes these names for its own. */
#undef columns
#undef lines

#define ESCAPE_MILLISECONDS 25 /* a lone Escape is known for one after that */

struct rescue {
    struct termios modes;
    int real_stderr;
    int held_stderr;
    size_t len;
    char restore[256];
};

#define RESCUE_STACK (1u << 16)

struct terminal {
    SCREEN *screen;
    bool color;
    bool utf8;
    void *stack; /* RESCUE_STACK bytes, with a struct rescue at the bottom */
    struct rescue *rescue;
};

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define CRASHES (sizeof crashes / sizeof *crashes)

/* --- whether it can be used ---------------------------------------------- */

bool terminal_is_usable(void)
{
    const char *name = getenv("TERM"), *cup;
    bool usable;
    int reason;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    if (!name || !*name || strcmp(name, "dumb") == 0)
        return false;
    if (setupterm(name, STDOUT_FILENO, &reason) != OK)
        return false;
    cup = tigetstr("cup");
    usable = cup && cup != (char *)-1;
    del_curterm(cur_term);
    return usable;
}

/* --- crashes ------------------------------------------------------------- */

/* Writes all of it, as far as that is possible; async-signal-safe. */
static void write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, text, len);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        text += done;
        len -= (size_t)done;
    }
}

/* What was held back goes where it was meant to go; async-signal-safe. */
static void release_stderr(const struct rescue *rescue)
{
    char bytes[512];
    ssize_t got;

    lseek(rescue->held_stderr, 0, SEEK_SET);
    while ((got = read(rescue->held_stderr, bytes, sizeof bytes)) > 0)
        write_all(rescue->real_stderr, bytes, (size_t)got);
}

/* Async-signal-safe. */
static void put_back(const struct rescue *rescue)
{
    write_all(STDOUT_FILENO, rescue->restore, rescue->len);
    tcsetattr(STDIN_FILENO, TCSANOW, &rescue->modes);
    release_stderr(rescue);
}

/* The default action comes when this returns (SA_RESETHAND). */
static void on_crash(int signal, siginfo_t *info, void *context)
{
    (void)info;
    put_back(((ucontext_t *)context)->uc_stack.ss_sp);
    raise(signal);
}

/* Out of memory: base/mem.c leaves by quick_exit(3). */
static void on_quick_exit(void)
{
    stack_t stack;

    if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE))
        put_back(stack.ss_sp);
}

/* Appends a capability's text without the delays in it: $<5/>. */
static void prepare(struct rescue *rescue, const char *capability)
{
    const char *text = tigetstr(capability);

    if (!text || text == (char *)-1)
        return;
    while (*text && rescue->len < sizeof rescue->restore) {
        if (!strncmp(text, "$<", 2) && strchr(text, '>'))
            text = strchr(text, '>') + 1;
        else
            rescue->restore[rescue->len++] = *text++;
    }
}

static void expect_crashes(struct terminal *terminal)
{
    struct rescue *rescue = terminal->rescue;
    stack_t stack = {.ss_sp = terminal->stack, .ss_size = RESCUE_STACK};
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags =
                                   SA_ONSTACK | SA_RESETHAND | SA_SIGINFO};

    prepare(rescue, "rmkx");
    prepare(rescue, "sgr0");
    prepare(rescue, "op");
    prepare(rescue, "cnorm");
    prepare(rescue, "rmcup");
    sigaltstack(&stack, NULL);
    at_quick_exit(on_quick_exit);
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, NULL);
}

static void expect_no_crashes(void)
{
    stack_t stack = {.ss_flags = SS_DISABLE};

    for (size_t i = 0; i < CRASHES; i++)
        signal(crashes[i], SIG_DFL);
    sigaltstack(&stack, NULL);
}

/* --- taking it and giving it back ---------------------------------------- */

static int hold_stderr(struct rescue *rescue, struct err *err)
{
    rescue->held_stderr = memfd_create("stderr", MFD_CLOEXEC);
    rescue->real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (rescue->held_stderr >= 0 && rescue->real_stderr >= 0 &&
        dup2(rescue->held_stderr, STDERR_FILENO) >= 0)
        return 0;
    return err_set(err, ERR_TRACING, "cannot hold back standard error: %s",
                   strerror(errno));
}

/* Keys that terminals send whatever their description says. */
static void define_keys(void)
{
    static const struct {
        const char *sequence;
        int key;
    } known[] = {
        {"\033[C", KEY_RIGHT}, {"\033OC", KEY_RIGHT}, {"\033[D", KEY_LEFT},
        {"\033OD", KEY_LEFT},  {"\033[H", KEY_HOME},  {"\033OH", KEY_HOME},
        {"\033[F", KEY_END},   {"\033OF", KEY_END},   {"\033[1~", KEY_HOME},
        {"\033[4~", KEY_END},  {"\033OM", KEY_ENTER},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        define_key(known[i].sequence, known[i].key);
}

static void start_colors(struct terminal *terminal)
{
    static const short colors[] = {[LOOK_RED] = COLOR_RED,
                                   [LOOK_GREEN] = COLOR_GREEN,
                                   [LOOK_MAGENTA] = COLOR_MAGENTA};

    terminal->color = has_colors() && start_color() == OK;
    if (!terminal->color)
        return;
    use_default_colors();
    for (short i = LOOK_RED; i <= LOOK_MAGENTA; i++)
        init_pair(i, colors[i], -1);
}

static void set_up(struct terminal *terminal, bool color)
{
    set_escdelay(ESCAPE_MILLISECONDS);
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    timeout(0);
    typeahead(-1); /* a key that waits is no reason to draw less */
    define_keys();
    if (color)
        start_colors(terminal);
    terminal->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void do_nothing(int signal)
{
    (void)signal;
}

/* ncurses takes signals for itself whose action is the default one. */
static SCREEN *open_screen(void)
{
    static const int wanted[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    struct sigaction ours = {.sa_handler = do_nothing}, before[4];
    SCREEN *screen;

    for (size_t i = 0; i < 4; i++)
        sigaction(wanted[i], &ours, &before[i]);
    screen = newterm(NULL, stdout, stdin);
    for (size_t i = 0; i < 4; i++)
        sigaction(wanted[i], &before[i], NULL);
    return screen;
}

struct terminal *terminal_new(bool color, struct err *err)
{
    struct terminal *terminal = mem_alloc(sizeof *terminal);

    terminal->stack = mem_alloc(RESCUE_STACK);
    terminal->rescue = terminal->stack;
    if (tcgetattr(STDIN_FILENO, &terminal->rescue->modes) < 0 ||
        !(terminal->screen = open_screen())) {
        err_set(err, ERR_TRACING,
                "this terminal cannot be used; --plain needs less of it");
    } else if (hold_stderr(terminal->rescue, err) < 0) {
        endwin();
        delscreen(terminal->screen);
    } else {
        expect_crashes(terminal);
        set_up(terminal, color);
        return terminal;
    }
    free(terminal->stack);
    free(terminal);
    return NULL;
}

void terminal_free(struct terminal *terminal)
{
    if (!terminal)
        return;
    endwin();
    expect_no_crashes();
    dup2(terminal->rescue->real_stderr, STDERR_FILENO);
    release_stderr(terminal->rescue);
    close(terminal->rescue->real_stderr);
    close(terminal->rescue->held_stderr);
    delscreen(terminal->screen);
    free(terminal->stack);
    free(terminal);
}

void terminal_leave(struct terminal *terminal)
{
    (void)terminal;
    if (!isendwin())
        endwin();
    clearok(curscr, TRUE);
}

/* --- showing ------------------------------------------------------------- */

void terminal_size(struct terminal *terminal, unsigned *rows, unsigned *columns)
{
    struct winsize size;

    (void)terminal;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
        size.ws_col > 0 && (size.ws_row != LINES || size.ws_col != COLS)) {
        resize_term(size.ws_row, size.ws_col);
        clearok(curscr, TRUE);
    }
    *rows = (unsigned)LINES;
    *columns = (unsigned)COLS;
}

void terminal_resized(struct terminal *terminal)
{
    (void)terminal;
    clearok(curscr, TRUE);
}

/* What stands for a character where there are only those of ASCII. */
static uint32_t plain_rune(uint32_t rune)
{
    static const struct {
        uint32_t rune;
        char ascii;
    } known[] = {
        {0x2500, '-'}, {0x2190, '<'}, {0x2192, '>'},
        {0x2026, '.'}, {0x00b7, '.'},
    };

    if (rune < 0x80)
        return rune;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].rune == rune)
            return (uint32_t)known[i].ascii;
    return '?';
}

static void make_cell(const struct terminal *terminal, const struct cell *cell,
                      cchar_t *out)
{
    uint32_t rune = terminal->utf8 ? cell->rune : plain_rune(cell->rune);
    struct look look = style_look(cell->role);
    wchar_t text[] = {(wchar_t)rune, 0};
    attr_t attributes = A_NORMAL;

    if (look.bold)
        attributes |= A_BOLD;
    if (look.underline)
        attributes |= A_UNDERLINE;
    if (look.reverse)
        attributes |= A_REVERSE;
    setcchar(out, text, attributes,
             terminal->color ? (short)look.color : (short)0, NULL);
}

void terminal_show(struct terminal *terminal, const struct grid *grid)
{
    cchar_t *row = mem_resize(NULL, grid->columns, sizeof *row);

    for (unsigned y = 0; y < grid->rows; y++) {
        for (unsigned x = 0; x < grid->columns; x++)
            make_cell(terminal, grid_cell(grid, y, x), &row[x]);
        mvadd_wchnstr((int)y, 0, row, (int)grid->columns);
    }
    move((int)grid->cursor_row, (int)grid->cursor_column);
    refresh();
    free(row);
}

/* --- keys ---------------------------------------------------------------- */

static struct press press_key(enum key key)
{
    return (struct press){.kind = PRESS_KEY, .key = key};
}

static struct press press_character(uint32_t character)
{
    return (struct press){.kind = PRESS_CHARACTER, .character = character};
}

static struct press press_special(wint_t code)
{
    switch (code) {
    case KEY_ENTER:
        return press_key(KEY_IS_ENTER);
    case KEY_RIGHT:
        return press_key(KEY_IS_RIGHT);
    case KEY_LEFT:
        return press_key(KEY_IS_LEFT);
    case KEY_HOME:
    case KEY_FIND:
        return press_key(KEY_IS_HOME);
    case KEY_END:
    case KEY_SELECT:
        return press_key(KEY_IS_END);
    case KEY_BACKSPACE:
        return press_character(CHARACTER_BACKSPACE);
    default:
        return (struct press){.kind = PRESS_OTHER};
    }
}

struct press terminal_read(struct terminal *terminal)
{
    wint_t code;

    (void)terminal;
    switch (get_wch(&code)) {
    case KEY_CODE_YES:
        return press_special(code);
    case OK:
        if (code == '\r' || code == '\n')
            return press_key(KEY_IS_ENTER);
        if (code == '\b')
            code = CHARACTER_BACKSPACE;
        return press_character((uint32_t)code);
    default:
        return (struct press){.kind = PRESS_NONE};
    }
}

const char *terminal_library(void)
{
    return curses_version();
}
