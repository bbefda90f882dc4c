/* SPDX-License-Identifier: MIT */
#include "step/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell/pen.h"
#include "tell/who.h"
#include "tell/story.h"
#include "trace/sink.h"

#define INDENT 4u

/* Columns of the table of commands. */
#define LETTER_COLUMN 15u
#define HELP_COLUMN   18u

struct plain {
    struct session *session;
    struct driver *driver;
    FILE *out;
    bool color;
    struct buf input; /* what was read and not yet used */
    bool input_ended;
    bool unended; /* the program has written part of a line where we write */
};

/* How a part of plain_run went on: one of these, a signal, or -1. */
enum {
    GO_ON = 0,
    DONE = 1000, /* more than any signal */
};

/* --- writing ------------------------------------------------------------- */

/* Writes what the pen holds, and forgets it. */
static int put(struct plain *plain, struct pen *pen, struct err *err)
{
    int result = 0;

    if (plain->unended)
        result = sink_write(plain->out, "\n", 1, err);
    plain->unended = false;
    if (result == 0)
        result = sink_write(plain->out, pen->out.data, pen->out.len, err);
    pen_release(pen);
    return result;
}

static int say(struct plain *plain, const char *text, struct err *err)
{
    struct pen pen = {.color = plain->color};

    pen_words(&pen, ROLE_PLAIN, 0, text);
    return put(plain, &pen, err);
}

static int complain(struct plain *plain, struct err *err, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

static int complain(struct plain *plain, struct err *err, const char *format,
                    ...)
{
    struct buf text = {0};
    va_list args;
    int result;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    result = say(plain, buf_text(&text), err);
    buf_release(&text);
    return result;
}

static int ask(struct plain *plain, struct err *err)
{
    struct pen pen = {.color = plain->color};

    pen_print(&pen, ROLE_KEY, "step %" PRIu64 ">", session_seq(plain->session));
    buf_append_text(&pen.out, " ");
    return put(plain, &pen, err);
}

/* What was typed is seen where a terminal shows it; else it is shown here. */
static int echo(struct plain *plain, const char *line, struct err *err)
{
    struct pen pen = {.color = plain->color};

    if (isatty(plain->driver->input))
        return 0;
    pen_text(&pen, ROLE_PLAIN, line);
    pen_end(&pen);
    return put(plain, &pen, err);
}

static int write_help(struct plain *plain, struct err *err)
{
    struct pen pen = {.color = plain->color};
    char letter[2] = "";

    for (int i = 0; i < COMMANDS; i++) {
        enum command command = (enum command)i;

        for (char c = '!'; c < 0x7f; c++)
            if (command_of_letter(c) == command)
                *letter = c;
        if (command_of_letter(*letter) != command)
            *letter = 0;
        pen_column(&pen, 2);
        pen_text(&pen, ROLE_KEY, command_word(command));
        if (command_question(command))
            pen_text(&pen, ROLE_NOTE,
                     command == COMMAND_GOTO  ? " NUMBER"
                     : command == COMMAND_WHO ? " BYTE"
                                              : " WHAT");
        pen_column(&pen, LETTER_COLUMN);
        pen_text(&pen, ROLE_KEY, letter);
        pen_column(&pen, HELP_COLUMN);
        pen_words(&pen, ROLE_PLAIN, HELP_COLUMN, command_help(command));
    }
    pen_words(&pen, ROLE_PLAIN, 0,
              "An empty line is next. The end of input runs to the end of the "
              "program and shows each event on the way.");
    return put(plain, &pen, err);
}

/* --- a paragraph --------------------------------------------------------- */

static void write_value(struct plain *plain, struct pen *pen, enum role role,
                        enum reg reg, uint64_t value)
{
    if (reg != REG_FLAGS && session_screen(plain->session)->decimal)
        pen_print(pen, role, "%" PRId64, (int64_t)value);
    else
        pen_print(pen, role, "0x%" PRIx64, value);
}

static void write_flags(struct pen *pen, uint64_t flags)
{
    struct buf names = {0};

    flags_describe(flags, &names);
    pen_print(pen, ROLE_NOTE, " (%s)", buf_text(&names));
    buf_release(&names);
}

static void write_change(struct plain *plain, struct pen *pen,
                         const struct reg_change *change)
{
    pen_column(pen, INDENT);
    pen_print(pen, ROLE_REGISTER, "%s ", reg_name(change->reg));
    write_value(plain, pen, ROLE_PLAIN, change->reg, change->old_value);
    if (change->reg == REG_FLAGS)
        write_flags(pen, change->old_value);
    pen_text(pen, ROLE_PLAIN, " -> ");
    write_value(plain, pen, ROLE_CHANGED, change->reg, change->new_value);
    if (change->reg == REG_FLAGS)
        write_flags(pen, change->new_value);
    pen_end(pen);
}

static void write_registers(struct plain *plain, struct pen *pen,
                            const struct regs *regs)
{
    for (int i = 0; i < REG_COUNT; i++) {
        pen_column(pen, INDENT);
        pen_print(pen, ROLE_REGISTER, "%s ", reg_name((enum reg)i));
        write_value(plain, pen, ROLE_PLAIN, (enum reg)i, regs->value[i]);
        if (i == REG_FLAGS)
            write_flags(pen, regs->value[i]);
        pen_end(pen);
    }
}

static void write_heading(struct plain *plain, struct pen *pen)
{
    struct history *history = session_history(plain->session);
    uint64_t seq = session_seq(plain->session);
    struct buf title = {0};

    story_title(history, seq, &title);
    pen_print(pen, ROLE_HEADING, "event %" PRIu64, seq);
    pen_print(pen, ROLE_PLAIN,
              ", %s: ", stage_name(history_view(history, seq)->stage));
    pen_words(pen, ROLE_PLAIN, INDENT, buf_text(&title));
    buf_release(&title);
}

static void write_source(struct pen *pen, const struct srcline *source)
{
    if (!source->file)
        return;
    pen_column(pen, INDENT);
    pen_print(pen, ROLE_ADDRESS, "%s:%d", source->file, source->line);
    if (source->text) {
        pen_text(pen, ROLE_PLAIN, "  ");
        pen_cut(pen, ROLE_SOURCE, source->text);
    }
    pen_end(pen);
}

static void write_story(struct pen *pen, enum role role, struct buf *text)
{
    if (text->len == 0)
        return;
    pen_column(pen, INDENT);
    pen_words(pen, role, INDENT, buf_text(text));
    buf_clear(text);
}

/* The event that the session is at. */
static int write_event(struct plain *plain, struct err *err)
{
    struct history *history = session_history(plain->session);
    const struct screen *screen = session_screen(plain->session);
    uint64_t seq = session_seq(plain->session);
    struct pen pen = {.color = plain->color};
    struct explanation explanation = {0};
    struct buf text = {0};
    const struct event *event;
    const struct regs *regs;
    bool is_explained;

    write_heading(plain, &pen);
    write_source(&pen, &history_event(history, seq)->source);
    is_explained = story_explain(history, seq, &explanation);
    event = history_event(history, seq);
    if (!is_explained || event->kind != EVENT_SIGNAL) {
        story_happened(history, seq, screen->decimal, &text);
        write_story(&pen, ROLE_PLAIN, &text);
    }
    if (is_explained)
        explanation_write(&explanation, &pen, INDENT);
    explanation_release(&explanation);
    event = history_event(history, seq);
    for (size_t i = 0; event->kind == EVENT_STEP && i < event->step.regs.count;
         i++)
        write_change(plain, &pen, &event->step.regs.list[i]);
    regs = view_regs(history_view(history, seq), event->tid);
    if (screen->all_registers && regs)
        write_registers(plain, &pen, regs);
    story_next(history, seq, &text);
    write_story(&pen, ROLE_NEXT, &text);
    buf_release(&text);
    return put(plain, &pen, err);
}

/* The byte at the cursor, with its whole history up to the event. */
static int write_who(struct plain *plain, struct err *err)
{
    struct history *history = session_history(plain->session);
    const struct cursor *cursor = session_screen(plain->session)->cursor;
    uint64_t seq = session_seq(plain->session), there = seq;
    struct pen pen = {.color = plain->color};
    size_t count;

    if (!cursor)
        return complain(plain, err, "no byte is asked about any more");
    count = origins_until(&cursor->origins, seq);
    if (count > 0 && cursor->origins.list[count - 1].kind == ORIGIN_UNMAPPED)
        there = cursor->origins.list[count - 1].seq - 1;
    who_write(&pen, history_store(history), &cursor->origins, seq, cursor->base,
              history_view(history, there));
    return put(plain, &pen, err);
}

static bool is_about_byte(enum command command)
{
    return command == COMMAND_WHO || command == COMMAND_BYTE_NEXT ||
           command == COMMAND_BYTE_BACK;
}

/* --- moving -------------------------------------------------------------- */

/* Signals while the program runs, and while the reader thinks. */
static int take_signals(struct plain *plain, bool *resumed)
{
    int signal;

    while ((signal = driver_signal(plain->driver)) != 0) {
        if (driver_is_end(signal))
            return signal;
        if (signal == SIGTSTP)
            driver_suspend(plain->driver);
        *resumed |= signal == SIGCONT;
    }
    return GO_ON;
}

/* Whether the program writes to where we write, with this descriptor. */
static bool is_shared(const struct plain *plain, int64_t fd)
{
    struct stat its, ours;

    if (!plain->driver->pause) /* there is no program */
        return false;
    return (fd == STDOUT_FILENO || fd == STDERR_FILENO) &&
           fstat((int)fd, &its) == 0 && fstat(fileno(plain->out), &ours) == 0 &&
           its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

/* Takes note of how the program left the line, if it wrote to ours. */
static void note_output(struct plain *plain)
{
    struct history *history = session_history(plain->session);
    uint64_t count = history_count(history);
    const struct event *event;
    struct bytes bytes;

    event = count > 0 ? history_event(history, count - 1) : NULL;
    if (!event || event->kind != EVENT_OUTPUT)
        return;
    bytes = event->output.bytes;
    if (bytes.len > 0 && is_shared(plain, event->output.fd))
        plain->unended = bytes.data[bytes.len - 1] != '\n';
}

/* Lets the program run until the session's goal is met. */
static int reach(struct plain *plain, struct err *err)
{
    bool was_running = session_is_running(plain->session), ignored = false;
    int signal;

    while (session_is_running(plain->session)) {
        uint64_t before = history_count(session_history(plain->session));
        int more = session_advance(plain->session, err);

        if (more < 0)
            return -1;
        if (history_count(session_history(plain->session)) > before)
            note_output(plain);
        driver_wait(plain->driver, 0, more == 0 ? -1 : 0);
        signal = take_signals(plain, &ignored);
        if (signal != GO_ON)
            return signal;
    }
    if (was_running && plain->driver->pause)
        plain->driver->pause(plain->driver->argument);
    return GO_ON;
}

/* Moves, and tells where that led to. */
static int move(struct plain *plain, enum command command, const char *argument,
                struct err *err)
{
    uint64_t before = session_seq(plain->session);
    const char *message;
    int result;

    if (!session_do(plain->session, command, argument))
        return DONE;
    result = reach(plain, err);
    if (result != GO_ON)
        return result;
    message = session_message(plain->session);
    if (*message && say(plain, message, err) < 0)
        return -1;
    if (is_about_byte(command))
        return *message ? GO_ON : write_who(plain, err);
    if (!*message || session_seq(plain->session) != before)
        return write_event(plain, err);
    return GO_ON;
}

/* --- commands ------------------------------------------------------------ */

static int obey(struct plain *plain, const char *line, struct err *err)
{
    size_t len = strcspn(line, " \t");
    enum command command = command_of_word(line, len);
    const char *argument = line + len + strspn(line + len, " \t");

    if (!*line)
        return move(plain, COMMAND_NEXT, NULL, err);
    if (*line == '/' && len > 1) { /* no blank is needed behind it */
        command = COMMAND_SEARCH;
        argument = line + 1;
    }
    if (command == COMMAND_NONE)
        return complain(plain, err,
                        "there is no command '%.*s'; help lists "
                        "them",
                        (int)len, line);
    if (*argument && !command_question(command))
        return complain(plain, err, "nothing can stand after %s",
                        command_word(command));
    if (command == COMMAND_HELP)
        return write_help(plain, err);
    return move(plain, command, command_question(command) ? argument : NULL,
                err);
}

/* --- reading ------------------------------------------------------------- */

/* Reads some more. A terminal that is gone fails to be read. */
static int read_more(struct plain *plain)
{
    char bytes[4096];
    ssize_t got = read(plain->driver->input, bytes, sizeof bytes);

    if (got > 0)
        buf_append(&plain->input, bytes, (size_t)got);
    else if (got == 0 || errno != EINTR)
        plain->input_ended = true;
    return got < 0 && errno == EIO ? SIGHUP : GO_ON;
}

/* Takes a line, if there is a whole one or the last one, without its newline
 * and the blanks around it. */
static bool take_line(struct plain *plain, struct buf *line)
{
    struct buf *input = &plain->input;
    uint8_t *end = input->len ? memchr(input->data, '\n', input->len) : NULL;
    size_t len = end ? (size_t)(end - input->data) : input->len, first = 0;
    size_t used = end ? len + 1 : len;

    if (!end && (!plain->input_ended || len == 0))
        return false;
    while (len > first && strchr(" \t\r", input->data[len - 1]))
        len--;
    while (first < len && strchr(" \t", input->data[first]))
        first++;
    buf_clear(line);
    buf_append(line, input->data + first, len - first);
    memmove(input->data, input->data + used, input->len - used);
    input->len -= used;
    return true;
}

/* Waits for a line: GO_ON with it, DONE when there is none, or a signal. */
static int read_line(struct plain *plain, struct buf *line, struct err *err)
{
    while (!take_line(plain, line)) {
        bool resumed = false;
        int signal;

        if (plain->input_ended)
            return DONE;
        if (driver_wait(plain->driver, DRIVER_INPUT, -1) && read_more(plain))
            return SIGHUP;
        signal = take_signals(plain, &resumed);
        if (signal != GO_ON)
            return signal;
        if (resumed && ask(plain, err) < 0)
            return -1;
    }
    return GO_ON;
}

/* --- the loop ------------------------------------------------------------ */

/* Nobody types any more: through all events that remain. */
static int run_out(struct plain *plain, struct err *err)
{
    uint64_t before;
    int result;

    do {
        before = session_seq(plain->session);
        session_do(plain->session, COMMAND_NEXT, NULL);
        result = reach(plain, err);
        if (result == GO_ON && session_seq(plain->session) != before)
            result = write_event(plain, err);
    } while (result == GO_ON && session_seq(plain->session) != before);
    return result;
}

static int loop(struct plain *plain, struct buf *line, struct err *err)
{
    int result = reach(plain, err);

    if (result == GO_ON && history_count(session_history(plain->session)) == 0)
        return DONE;
    if (result == GO_ON)
        result = write_event(plain, err);
    if (result == GO_ON)
        result = say(plain, "Enter goes on; help lists the commands.", err);
    while (result == GO_ON) {
        if (ask(plain, err) < 0)
            return -1;
        result = read_line(plain, line, err);
        if (result == GO_ON) {
            if (echo(plain, buf_text(line), err) < 0)
                return -1;
            result = obey(plain, buf_text(line), err);
            continue;
        }
        /* Behind the prompt nothing was typed. */
        if (result != -1 && sink_write(plain->out, "\n", 1, err) < 0)
            return -1;
        return result == DONE ? run_out(plain, err) : result;
    }
    return result;
}

int plain_run(struct session *session, struct driver *driver, FILE *out,
              bool color, struct err *err)
{
    struct plain plain = {
        .session = session, .driver = driver, .out = out, .color = color};
    struct buf line = {0};
    int result = loop(&plain, &line, err);

    buf_release(&plain.input);
    buf_release(&line);
    return result == DONE ? 0 : result;
}
