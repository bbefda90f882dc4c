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
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>

#include "base/base64.h"
#include "base/mem.h"
#include "tell/pen.h"

/* <term.h> takes these names for its own. */
#undef columns
#undef lines

#define FIRST_PAIR 8 /* of those of a theme: behind those of the looks */

#define ESCAPE_MILLISECONDS 25 /* a lone Escape is known for one after that */

/* What it takes to put the terminal back comes first. */
struct terminal {
    struct termios modes;
    int real_stderr;
    int held_stderr;
    size_t len;
    char restore[256];
    SCREEN *screen;
    bool color;
    bool themed; /* each role has a pair of its own: FIRST + role */
};

/* Bytes of the stack that it is at the bottom of. */
#define STACK_SIZE (1u << 16)

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define CRASHES (sizeof crashes / sizeof *crashes)

/* --- whether it can be used ---------------------------------------------- */

bool terminal_is_usable(void)
{
    const char *name = getenv("TERM"), *cup;
    int reason;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !name || !*name ||
        strcmp(name, "dumb") == 0 ||
        setupterm(name, STDOUT_FILENO, &reason) != OK)
        return false;
    cup = tigetstr("cup");
    del_curterm(cur_term);
    return cup && cup != (char *)-1;
}

/* --- crashes ------------------------------------------------------------- */

/* As far as that is possible; async-signal-safe, as all up to on_crash. */
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

/* What was held back goes where it was meant to go. */
static void release_stderr(const struct terminal *terminal)
{
    char bytes[512];
    ssize_t got;

    lseek(terminal->held_stderr, 0, SEEK_SET);
    while ((got = read(terminal->held_stderr, bytes, sizeof bytes)) > 0)
        write_all(terminal->real_stderr, bytes, (size_t)got);
}

static void put_back(const struct terminal *terminal)
{
    write_all(STDOUT_FILENO, terminal->restore, terminal->len);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal->modes);
    release_stderr(terminal);
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

/* Prepares what puts the terminal back, and sees to it that it is done. */
static void expect_crashes(struct terminal *terminal)
{
    static const char *const capabilities[] = {"rmkx", "sgr0", "op", "cnorm",
                                               "rmcup"};
    /* Reports of the mouse (ctlseqs of xterm, "Mouse Tracking"). */
    static const char mouse_off[] = "\033[?1006l\033[?1000l";
    stack_t stack = {.ss_sp = terminal, .ss_size = STACK_SIZE};
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags =
                                   SA_ONSTACK | SA_RESETHAND | SA_SIGINFO};

    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        const char *text = tigetstr(capabilities[i]);

        if (!text || text == (char *)-1)
            continue;
        while (*text && terminal->len < sizeof terminal->restore) {
            if (!strncmp(text, "$<", 2) && strchr(text, '>')) /* a delay */
                text = strchr(text, '>') + 1;
            else
                terminal->restore[terminal->len++] = *text++;
        }
    }
    for (size_t i = 0; i < sizeof mouse_off - 1; i++)
        if (terminal->len < sizeof terminal->restore)
            terminal->restore[terminal->len++] = mouse_off[i];
    sigaltstack(&stack, NULL);
    at_quick_exit(on_quick_exit);
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, NULL);
}

/* --- taking it and giving it back ---------------------------------------- */

/* A number of a colour: itself where the terminal takes any (the capability RGB
 * of user_caps(5)), else the nearest of 256. */
static int number_of(rgb color)
{
    return tigetflag("RGB") > 0 && COLORS >= 1 << 24
               ? (int)color
               : (int)theme_nearest(color);
}

/* Fewer than 256 are the reader's own, and may be any. */
static void set_colors(struct terminal *terminal, const struct theme *theme)
{
    use_default_colors();
    init_pair(LOOK_RED, COLOR_RED, -1);
    init_pair(LOOK_GREEN, COLOR_GREEN, -1);
    init_pair(LOOK_MAGENTA, COLOR_MAGENTA, -1);
    terminal->themed = !theme_is_plain(theme) && COLORS >= 256 &&
                       COLOR_PAIRS > FIRST_PAIR + ROLES;
    for (int role = 0; terminal->themed && role < ROLES; role++)
        init_extended_pair(FIRST_PAIR + role,
                           number_of(theme_color(theme, (enum role)role)),
                           number_of(theme_background(theme)));
}

static void set_up(struct terminal *terminal, const struct theme *theme)
{
    /* Keys that terminals send whatever their description says. */
    static const struct {
        const char *sequence;
        int key;
    } keys[] = {
        {"\033[C", KEY_RIGHT}, {"\033OC", KEY_RIGHT}, {"\033[D", KEY_LEFT},
        {"\033OD", KEY_LEFT},  {"\033[H", KEY_HOME},  {"\033OH", KEY_HOME},
        {"\033[F", KEY_END},   {"\033OF", KEY_END},   {"\033[1~", KEY_HOME},
        {"\033[4~", KEY_END},  {"\033OM", KEY_ENTER}, {"\033[A", KEY_UP},
        {"\033OA", KEY_UP},    {"\033[B", KEY_DOWN},  {"\033OB", KEY_DOWN},
        {"\033[3~", KEY_DC},   {"\033OP", KEY_F(1)},  {"\033[11~", KEY_F(1)},
    };

    set_escdelay(ESCAPE_MILLISECONDS);
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    timeout(0);
    mouseinterval(0); /* a press counts at once */
    mousemask(BUTTON1_PRESSED, NULL);
    typeahead(-1); /* a key that waits is no reason to draw less */
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        define_key(keys[i].sequence, keys[i].key);
    terminal->color = theme && has_colors() && start_color() == OK;
    if (terminal->color)
        set_colors(terminal, theme);
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

    setlocale(LC_CTYPE, ""); /* what characters a terminal can show */
    for (size_t i = 0; i < 4; i++)
        sigaction(wanted[i], &ours, &before[i]);
    screen = newterm(NULL, stdout, stdin);
    for (size_t i = 0; i < 4; i++)
        sigaction(wanted[i], &before[i], NULL);
    return screen;
}

struct terminal *terminal_new(const struct theme *theme, struct err *err)
{
    struct terminal *terminal = mem_alloc(STACK_SIZE);

    if (tcgetattr(STDIN_FILENO, &terminal->modes) < 0 ||
        !(terminal->screen = open_screen())) {
        err_set(err, ERR_TRACING,
                "this terminal cannot be used; --plain needs less of it");
    } else if ((terminal->held_stderr = memfd_create("stderr", MFD_CLOEXEC)) <
                   0 ||
               (terminal->real_stderr =
                    fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) < 0 ||
               dup2(terminal->held_stderr, STDERR_FILENO) < 0) {
        err_set(err, ERR_TRACING, "cannot hold back standard error: %s",
                strerror(errno));
        endwin();
        delscreen(terminal->screen);
    } else {
        expect_crashes(terminal);
        set_up(terminal, theme);
        return terminal;
    }
    free(terminal);
    return NULL;
}

void terminal_free(struct terminal *terminal)
{
    stack_t stack = {.ss_flags = SS_DISABLE};

    if (!terminal)
        return;
    endwin();
    for (size_t i = 0; i < CRASHES; i++)
        signal(crashes[i], SIG_DFL);
    sigaltstack(&stack, NULL);
    dup2(terminal->real_stderr, STDERR_FILENO);
    release_stderr(terminal);
    close(terminal->real_stderr);
    close(terminal->held_stderr);
    delscreen(terminal->screen);
    free(terminal);
}

void terminal_leave(void)
{
    if (!isendwin())
        endwin();
    clearok(curscr, TRUE);
}

/* --- showing ------------------------------------------------------------- */

void terminal_size(unsigned *rows, unsigned *columns)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
        size.ws_col > 0 && (size.ws_row != LINES || size.ws_col != COLS)) {
        resize_term(size.ws_row, size.ws_col);
        clearok(curscr, TRUE);
    }
    *rows = (unsigned)LINES;
    *columns = (unsigned)COLS;
}

void terminal_resized(void)
{
    clearok(curscr, TRUE);
}

/* What stands for a character where there are only those of ASCII. */
static uint32_t plain_rune(uint32_t rune)
{
    static const struct {
        uint32_t rune;
        char plain;
    } table[] = {
        {0x2500, '-'},  {0x2502, '|'}, {0x253c, '+'}, {0x256d, '/'},
        {0x2570, '\\'}, {0x25b8, '>'}, {0x2190, '<'}, {0x2191, '^'},
        {0x2192, '>'},  {0x2193, 'v'}, {0x2026, '.'}, {0x00b7, '.'},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].rune == rune)
            return (uint32_t)table[i].plain;
    return rune < 0x80 ? rune : '?';
}

static short pair_of(const struct terminal *terminal, enum role role)
{
    if (terminal->themed)
        return (short)(FIRST_PAIR + (int)role);
    return terminal->color ? (short)style_look(role).color : (short)0;
}

void terminal_show(struct terminal *terminal, const struct grid *grid)
{
    cchar_t *row = mem_resize(NULL, grid->columns, sizeof *row);
    bool is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

    for (unsigned y = 0; y < grid->rows; y++) {
        for (unsigned x = 0; x < grid->columns; x++) {
            const struct cell *cell = grid_cell(grid, y, x);
            struct look look = style_look(cell->role);
            wchar_t text[] = {
                (wchar_t)(is_utf8 ? cell->rune : plain_rune(cell->rune)), 0};

            setcchar(&row[x], text,
                     (look.bold ? A_BOLD : A_NORMAL) |
                         (look.underline ? A_UNDERLINE : A_NORMAL) |
                         (look.reverse ? A_REVERSE : A_NORMAL),
                     pair_of(terminal, cell->role), NULL);
        }
        mvadd_wchnstr((int)y, 0, row, (int)grid->columns);
    }
    move((int)grid->cursor_row, (int)grid->cursor_column);
    refresh();
    free(row);
}

/* By OSC 52 (ctlseqs of xterm, "Manipulate Selection Data"). A terminal that has
 * it says so in its description (Ms, XT in user_caps(5)), or its name does; the
 * console of Linux would take it for text. In tmux it reaches the terminal
 * around that where its option set-clipboard is on. */
bool terminal_copy(const char *text)
{
    static const char *const names[] = {
        "xterm",   "tmux", "screen", "foot",    "kitty",   "alacritty",
        "wezterm", "rxvt", "st-",    "contour", "ghostty", "mintty"};
    const char *name = getenv("TERM"), *ms = tigetstr("Ms");
    bool has = (ms && ms != (const char *)-1) || tigetflag("XT") > 0;
    struct buf sequence = {0};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        has |= name && !strncmp(name, names[i], strlen(names[i]));
    if (!has)
        return false;
    buf_append_text(&sequence, "\033]52;c;");
    base64_append((struct bytes){(const uint8_t *)text, strlen(text)},
                  &sequence);
    buf_append_text(&sequence, "\a");
    fflush(stdout);
    write_all(STDOUT_FILENO, (const char *)sequence.data, sequence.len);
    buf_release(&sequence);
    return true;
}

/* --- keys ---------------------------------------------------------------- */

struct press terminal_read(void)
{
    static const struct {
        wint_t code;
        enum key key;
    } keys[] = {
        {KEY_ENTER, KEY_IS_ENTER}, {KEY_RIGHT, KEY_IS_RIGHT},
        {KEY_LEFT, KEY_IS_LEFT},   {KEY_HOME, KEY_IS_HOME},
        {KEY_FIND, KEY_IS_HOME},   {KEY_END, KEY_IS_END},
        {KEY_SELECT, KEY_IS_END},  {KEY_UP, KEY_IS_UP},
        {KEY_DOWN, KEY_IS_DOWN},   {KEY_DC, KEY_IS_DELETE},
        {KEY_F(1), KEY_IS_F1},
    };
    struct press press = {.kind = PRESS_NONE};
    MEVENT mouse = {0};
    int result;
    wint_t code;

    result = get_wch(&code);
    if (result == ERR)
        return press;
    if (result == OK && (code == '\r' || code == '\n')) {
        press.kind = PRESS_KEY;
        press.key = KEY_IS_ENTER;
    } else if (result == OK || code == KEY_BACKSPACE) {
        press.kind = PRESS_CHARACTER;
        press.character =
            result != OK || code == '\b' ? CHARACTER_BACKSPACE : (uint32_t)code;
    } else if (code == KEY_MOUSE) {
        press.kind = PRESS_CLICK;
        if (getmouse(&mouse) != OK) /* the button went up */
            mouse.y = mouse.x = -1;
        press.row = (unsigned)mouse.y;
        press.column = (unsigned)mouse.x;
    } else {
        press.kind = PRESS_OTHER;
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (keys[i].code == code) {
                press.kind = PRESS_KEY;
                press.key = keys[i].key;
            }
    }
    return press;
}

const char *terminal_library(void)
{
    return curses_version();
}
