/* SPDX-License-Identifier: MIT */
/*
 * A line editor of one line: what a hand that knows a shell expects, and no
 * more. A line that is wider than the terminal scrolls sideways.
 *
 * The terminal is in non-canonical mode (termios(3)) only while a line is
 * typed. Ctrl-C and Ctrl-Z stay signals, which the driver hands out.
 */
#include "play/prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "tell/pen.h"
#include "trace/sink.h"

#define OLD_LINES       500u
#define CONTROL(letter) ((letter)&0x1f)
#define KEY_DELETE      256 /* no byte is */

void prompt_init(struct prompt *prompt, const char *text, struct driver *driver,
                 FILE *out, bool color)
{
    const char *term = getenv("TERM");

    *prompt = (struct prompt){
        .text = text, .driver = driver, .out = out, .color = color};
    prompt->is_terminal = isatty(driver->input);
    prompt->edits = prompt->is_terminal && isatty(fileno(out)) && term &&
                    *term && strcmp(term, "dumb") != 0;
}

void prompt_release(struct prompt *prompt)
{
    for (size_t i = 0; i < prompt->count; i++)
        free(prompt->old[i]);
    free(prompt->old);
    buf_release(&prompt->input);
    buf_release(&prompt->line);
}

/* --- editing ------------------------------------------------------------- */

static bool is_inside(uint8_t byte) /* a character of UTF-8 */
{
    return (byte & 0xc0) == 0x80;
}

static size_t before(const struct prompt *prompt, size_t at)
{
    while (at > 0 && is_inside(prompt->line.data[--at]))
        continue;
    return at;
}

static size_t behind(const struct prompt *prompt, size_t at)
{
    if (at < prompt->line.len)
        at++;
    while (at < prompt->line.len && is_inside(prompt->line.data[at]))
        at++;
    return at;
}

static void cut(struct prompt *prompt, size_t from, size_t to)
{
    struct buf *line = &prompt->line;

    if (from == to)
        return;
    memmove(line->data + from, line->data + to, line->len - to);
    line->len -= to - from;
    prompt->at = from;
}

static void insert(struct prompt *prompt, uint8_t byte)
{
    struct buf *line = &prompt->line;

    buf_append(line, &byte, 1);
    memmove(line->data + prompt->at + 1, line->data + prompt->at,
            line->len - 1 - prompt->at);
    line->data[prompt->at++] = byte;
}

static size_t word_before(const struct prompt *prompt)
{
    const uint8_t *text = prompt->line.data;
    size_t at = prompt->at;

    while (at > 0 && text[at - 1] == ' ')
        at--;
    while (at > 0 && text[at - 1] != ' ')
        at--;
    return at;
}

/* Brings an earlier line, or the empty one behind them. */
static void show_old(struct prompt *prompt, size_t which)
{
    prompt->shown = which;
    buf_clear(&prompt->line);
    if (which < prompt->count)
        buf_append_text(&prompt->line, prompt->old[which]);
    prompt->at = prompt->line.len;
}

/* The keys that are a sequence, as the control character that does the same
 * (xterm's control sequences; ECMA-48, 5.4). Their last byte, and what is in
 * front of a ~. */
static const struct {
    char last;
    char number;
    int key;
} sequences[] = {
    {'A', 0, CONTROL('p')},   {'B', 0, CONTROL('n')},
    {'C', 0, CONTROL('f')},   {'D', 0, CONTROL('b')},
    {'H', 0, CONTROL('a')},   {'F', 0, CONTROL('e')},
    {'~', '1', CONTROL('a')}, {'~', '7', CONTROL('a')},
    {'~', '4', CONTROL('e')}, {'~', '8', CONTROL('e')},
    {'~', '3', KEY_DELETE},
};

/* The key that keys begin with, 0 for one that means nothing here; *used is how
 * many bytes it has, 0 if more are needed. */
static int take_key(struct bytes keys, size_t *used)
{
    size_t at = 2;

    *used = 1;
    if (keys.data[0] != '\033')
        return keys.data[0];
    *used = 0;
    if (keys.len < 2)
        return 0;
    *used = 2;
    if (keys.data[1] != '[' && keys.data[1] != 'O')
        return 0;
    while (at < keys.len && keys.data[at] >= 0x20 && keys.data[at] < 0x40)
        at++;
    *used = at < keys.len ? at + 1 : 0;
    for (size_t i = 0; *used && i < sizeof sequences / sizeof *sequences; i++)
        if (sequences[i].last == (char)keys.data[at] &&
            (sequences[i].last != '~' ||
             sequences[i].number == (char)keys.data[2]))
            return sequences[i].key;
    return 0;
}

static void edit(struct prompt *prompt, int key)
{
    const size_t at = prompt->at, len = prompt->line.len;

    switch (key) {
    case CONTROL('a'):
        prompt->at = 0;
        break;
    case CONTROL('e'):
        prompt->at = len;
        break;
    case CONTROL('b'):
        prompt->at = before(prompt, at);
        break;
    case CONTROL('f'):
        prompt->at = behind(prompt, at);
        break;
    case CONTROL('h'):
    case '\177':
        cut(prompt, before(prompt, at), at);
        break;
    case CONTROL('d'):
    case KEY_DELETE:
        cut(prompt, at, behind(prompt, at));
        break;
    case CONTROL('k'):
        cut(prompt, at, len);
        break;
    case CONTROL('u'):
        cut(prompt, 0, at);
        break;
    case CONTROL('w'):
        cut(prompt, word_before(prompt), at);
        break;
    case CONTROL('p'):
        if (prompt->shown > 0)
            show_old(prompt, prompt->shown - 1);
        break;
    case CONTROL('n'):
        if (prompt->shown < prompt->count)
            show_old(prompt, prompt->shown + 1);
        break;
    case '\t':
        insert(prompt, ' ');
        break;
    default:
        if (key >= ' ')
            insert(prompt, (uint8_t)key);
    }
}

bool prompt_keys(struct prompt *prompt, struct bytes keys)
{
    struct buf *input = &prompt->input;
    bool complete = false;
    size_t used, at = 0;
    int key;

    buf_append(input, keys.data, keys.len);
    while (at < input->len && !complete) {
        key =
            take_key((struct bytes){input->data + at, input->len - at}, &used);
        if (used == 0)
            break;
        at += used;
        prompt->ended = key == CONTROL('d') && prompt->line.len == 0;
        complete = prompt->ended || key == '\r' || key == '\n';
        if (!complete)
            edit(prompt, key);
    }
    memmove(input->data, input->data + at, input->len - at);
    input->len -= at;
    return complete;
}

/* --- the terminal -------------------------------------------------------- */

static int put(struct prompt *prompt, struct pen *pen, struct err *err)
{
    int result = sink_write(prompt->out, pen->out.data, pen->out.len, err);

    pen_release(pen);
    return result;
}

static size_t columns(const struct prompt *prompt, size_t from, size_t to)
{
    size_t count = 0;

    for (; from < to; from++)
        count += !is_inside(prompt->line.data[from]);
    return count;
}

/* Draws the line anew, as much of it as there is room for, and puts the cursor
 * where it is edited. */
static int draw(struct prompt *prompt, struct err *err)
{
    const size_t asked = strlen(prompt->text) + 1;
    struct pen pen = {.color = prompt->color};
    size_t from = 0, to = prompt->line.len, room = 80;
    struct winsize size;

    if (ioctl(fileno(prompt->out), TIOCGWINSZ, &size) == 0 &&
        size.ws_col > asked + 4)
        room = size.ws_col;
    room -= asked + 1;
    while (columns(prompt, from, prompt->at) > room)
        from = behind(prompt, from);
    while (columns(prompt, from, to) > room)
        to = before(prompt, to);
    buf_append_text(&pen.out, "\r");
    pen_text(&pen, ROLE_KEY, prompt->text);
    buf_append_text(&pen.out, " ");
    utf8_escape((struct bytes){prompt->line.data + from, to - from}, &pen.out);
    buf_printf(&pen.out, "\033[K\r\033[%zuC",
               asked + columns(prompt, from, prompt->at));
    return put(prompt, &pen, err);
}

static void take_terminal(struct prompt *prompt)
{
    struct termios modes;

    if (!prompt->edits)
        return;
    tcgetattr(prompt->driver->input, &prompt->modes);
    modes = prompt->modes;
    modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    tcsetattr(prompt->driver->input, TCSADRAIN, &modes);
}

static void give_terminal(struct prompt *prompt)
{
    if (prompt->edits)
        tcsetattr(prompt->driver->input, TCSADRAIN, &prompt->modes);
}

/* --- reading ------------------------------------------------------------- */

/* Takes a whole line out of the input, or the last one. */
static bool take_line(struct prompt *prompt)
{
    struct buf *input = &prompt->input;
    uint8_t *newline =
        input->len ? memchr(input->data, '\n', input->len) : NULL;
    size_t len = newline ? (size_t)(newline - input->data) : input->len;
    size_t used = newline ? len + 1 : len;

    if (!newline && (!prompt->ended || len == 0))
        return false;
    buf_append(&prompt->line, input->data, len);
    memmove(input->data, input->data + used, input->len - used);
    input->len -= used;
    return true;
}

/* Reads what there is. Returns whether a line is complete. */
static bool take_input(struct prompt *prompt)
{
    uint8_t bytes[4096];
    ssize_t got = read(prompt->driver->input, bytes, sizeof bytes);

    if (got > 0 && prompt->edits)
        return prompt_keys(prompt, (struct bytes){bytes, (size_t)got});
    if (got > 0)
        buf_append(&prompt->input, bytes, (size_t)got);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        prompt->ended = true;
    return prompt->edits ? prompt->ended : take_line(prompt);
}

/* Handles what signals have come. Returns PROMPT_LINE to go on. */
static enum prompt_end take_signals(struct prompt *prompt, int *signal,
                                    struct err *err)
{
    bool anew = false;

    while ((*signal = driver_signal(prompt->driver)) != 0) {
        if (*signal == SIGINT && prompt->is_terminal)
            return PROMPT_AGAIN;
        if (driver_is_end(*signal))
            return PROMPT_SIGNAL;
        if (*signal == SIGTSTP) {
            give_terminal(prompt);
            driver_suspend(prompt->driver);
            take_terminal(prompt);
        }
        anew = true;
    }
    return anew && prompt->edits && draw(prompt, err) < 0 ? PROMPT_FAILED
                                                          : PROMPT_LINE;
}

/* Waits until a line is complete. */
static enum prompt_end wait_for_line(struct prompt *prompt, int *signal,
                                     struct err *err)
{
    /* More than one line may have come at once. */
    bool complete = prompt->edits ? prompt_keys(prompt, (struct bytes){0})
                                  : take_line(prompt);
    enum prompt_end end = PROMPT_LINE;

    while (!complete && !prompt->ended && end == PROMPT_LINE) {
        if (prompt->edits && draw(prompt, err) < 0)
            return PROMPT_FAILED;
        if (driver_wait(prompt->driver, DRIVER_INPUT, -1))
            complete = take_input(prompt);
        end = take_signals(prompt, signal, err);
    }
    if (prompt->edits && draw(prompt, err) < 0)
        return PROMPT_FAILED;
    if (end != PROMPT_LINE)
        return end;
    return complete && !(prompt->edits && prompt->ended) ? PROMPT_LINE
                                                         : PROMPT_END;
}

static void remember(struct prompt *prompt)
{
    const char *text = buf_text(&prompt->line);

    if (*text && (prompt->count == 0 ||
                  strcmp(prompt->old[prompt->count - 1], text) != 0)) {
        if (prompt->count == OLD_LINES) {
            free(prompt->old[0]);
            memmove(prompt->old, prompt->old + 1,
                    --prompt->count * sizeof *prompt->old);
        }
        prompt->old = mem_grow(prompt->old, prompt->count, &prompt->capacity,
                               sizeof *prompt->old);
        prompt->old[prompt->count++] = mem_copy_text(text);
    }
}

enum prompt_end prompt_read(struct prompt *prompt, struct buf *line,
                            int *signal, struct err *err)
{
    struct pen pen = {.color = prompt->color};
    const uint8_t *text;
    enum prompt_end end;
    size_t len;

    buf_clear(&prompt->line);
    prompt->at = 0;
    prompt->shown = prompt->count;
    pen_text(&pen, ROLE_KEY, prompt->text);
    buf_append_text(&pen.out, " ");
    if (put(prompt, &pen, err) < 0)
        return PROMPT_FAILED;
    take_terminal(prompt);
    end = wait_for_line(prompt, signal, err);
    give_terminal(prompt);
    buf_clear(line);
    if (end == PROMPT_LINE) {
        remember(prompt);
        text = (const uint8_t *)buf_text(&prompt->line);
        len = prompt->line.len;
        while (len > 0 && strchr(" \t\r", text[len - 1]))
            len--;
        while (len > 0 && strchr(" \t", *text)) {
            text++;
            len--;
        }
        buf_append(line, text, len);
    }
    /* What a terminal shows by itself ends with a newline that was typed. */
    if (end == PROMPT_LINE && !prompt->is_terminal)
        utf8_escape((struct bytes){line->data, line->len}, &pen.out);
    if (end != PROMPT_LINE || prompt->edits || !prompt->is_terminal)
        buf_append_text(&pen.out, "\n");
    if (end != PROMPT_FAILED && put(prompt, &pen, err) < 0)
        end = PROMPT_FAILED;
    return end;
}
