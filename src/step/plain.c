/* SPDX-License-Identifier: MIT */
/*
 * One loop: ask, read a line, obey, tell where that led to. Whatever ends it is
 * kept in plain->end, and nothing is written after that.
 */
#include "step/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell/pen.h"
#include "tell/tell.h"
#include "trace/sink.h"

#define INDENT 4u

/* Columns of the table of commands. */
#define LETTER_COLUMN 15u
#define HELP_COLUMN   18u

#define DONE 1000 /* more than any signal */

struct plain {
    struct session *session;
    struct driver *driver;
    FILE *out;
    bool color;
    struct buf input; /* what was read and not yet used */
    bool input_ended;
    bool unended; /* the program has written part of a line where we write */
    int end;      /* 0; DONE, a signal, or -1: err says why */
    struct err *err;
};

/* --- writing ------------------------------------------------------------- */

static void put_bytes(struct plain *plain, const void *bytes, size_t len)
{
    if (!plain->end)
        plain->end = sink_write(plain->out, bytes, len, plain->err);
}

/* Writes what the pen holds, and forgets it. */
static void put(struct plain *plain, struct pen *pen)
{
    if (plain->unended)
        put_bytes(plain, "\n", 1);
    plain->unended = false;
    put_bytes(plain, pen->out.data, pen->out.len);
    pen_release(pen);
}

static void say(struct plain *plain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct plain *plain, const char *format, ...)
{
    struct pen pen = {.color = plain->color};
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    pen_words(&pen, ROLE_PLAIN, 0, buf_text(&text));
    put(plain, &pen);
    buf_release(&text);
}

static void ask(struct plain *plain)
{
    struct pen pen = {.color = plain->color};

    pen_print(&pen, ROLE_KEY, "step %" PRIu64 ">", plain->session->seq);
    buf_append_text(&pen.out, " ");
    put(plain, &pen);
}

static void write_help(struct plain *plain)
{
    struct pen pen = {.color = plain->color};

    for (int i = 0; i < COMMANDS; i++) {
        const struct command_entry *entry = &command_table[i];

        pen_column(&pen, 2);
        pen_text(&pen, ROLE_KEY, entry->word);
        if (entry->what)
            pen_print(&pen, ROLE_NOTE, " %s", entry->what);
        pen_column(&pen, LETTER_COLUMN);
        pen_print(&pen, ROLE_KEY, "%.1s", entry->letters);
        pen_column(&pen, HELP_COLUMN);
        pen_words(&pen, ROLE_PLAIN, HELP_COLUMN, entry->help);
    }
    pen_words(&pen, ROLE_PLAIN, 0,
              "An empty line is next. The end of input runs to the end of the "
              "program and shows each event on the way.");
    put(plain, &pen);
}

/* --- a paragraph --------------------------------------------------------- */

static void write_value(struct plain *plain, struct pen *pen, enum role role,
                        enum reg reg, uint64_t value)
{
    struct buf names = {0};

    if (reg != REG_FLAGS && session_screen(plain->session)->decimal)
        pen_print(pen, role, "%" PRId64, (int64_t)value);
    else
        pen_print(pen, role, "0x%" PRIx64, value);
    if (reg == REG_FLAGS) {
        flags_describe(value, &names);
        pen_print(pen, ROLE_NOTE, " (%s)", buf_text(&names));
        buf_release(&names);
    }
}

/* Those that a step changed, and all of them if that is wanted. */
static void write_registers(struct plain *plain, struct pen *pen,
                            const struct event *event)
{
    const struct reg_changes *changes = &event->step.regs;
    const struct regs *regs;
    int tid = event->tid;

    for (size_t i = 0; event->kind == EVENT_STEP && i < changes->count; i++) {
        const struct reg_change *change = &changes->list[i];

        pen_column(pen, INDENT);
        pen_print(pen, ROLE_REGISTER, "%s ", reg_name(change->reg));
        write_value(plain, pen, ROLE_PLAIN, change->reg, change->old_value);
        pen_text(pen, ROLE_PLAIN, " -> ");
        write_value(plain, pen, ROLE_CHANGED, change->reg, change->new_value);
        pen_end(pen);
    }
    regs = view_regs(history_view(plain->session->history, plain->session->seq),
                     tid);
    if (!session_screen(plain->session)->all_registers || !regs)
        return;
    for (int i = 0; i < REG_COUNT; i++) {
        pen_column(pen, INDENT);
        pen_print(pen, ROLE_REGISTER, "%s ", reg_name((enum reg)i));
        write_value(plain, pen, ROLE_PLAIN, (enum reg)i, regs->value[i]);
        pen_end(pen);
    }
}

/* Sentences, unless there is none. */
static void write_story(struct pen *pen, enum role role, struct buf *text)
{
    if (text->len > 0) {
        pen_column(pen, INDENT);
        pen_words(pen, role, INDENT, buf_text(text));
    }
    buf_clear(text);
}

/* The event that the session is at. */
static void write_event(struct plain *plain)
{
    struct history *history = plain->session->history;
    uint64_t seq = plain->session->seq;
    struct pen pen = {.color = plain->color};
    struct explanation explanation = {0};
    struct buf text = {0};
    const struct srcline *source;
    bool is_explained;

    tell_event(history, seq, TELL_TITLE, false, &text);
    pen_print(&pen, ROLE_HEADING, "event %" PRIu64, seq);
    pen_print(&pen, ROLE_PLAIN,
              ", %s: ", stage_name(history_view(history, seq)->stage));
    pen_words(&pen, ROLE_PLAIN, INDENT, buf_text(&text));
    buf_clear(&text);
    source = &history_event(history, seq)->source;
    if (source->file) {
        pen_column(&pen, INDENT);
        pen_print(&pen, ROLE_ADDRESS, "%s:%d", source->file, source->line);
        if (source->text) {
            pen_text(&pen, ROLE_PLAIN, "  ");
            pen_cut(&pen, ROLE_SOURCE, source->text);
        }
        pen_end(&pen);
    }

    is_explained = tell_explain(history, seq, &explanation);
    if (!is_explained || history_event(history, seq)->kind != EVENT_SIGNAL)
        tell_event(history, seq, TELL_SENTENCE,
                   session_screen(plain->session)->decimal, &text);
    write_story(&pen, ROLE_PLAIN, &text);
    if (is_explained)
        explanation_write(&explanation, &pen, INDENT);
    explanation_release(&explanation);
    write_registers(plain, &pen, history_event(history, seq));
    tell_event(history, seq, TELL_NEXT, false, &text);
    write_story(&pen, ROLE_NEXT, &text);
    buf_release(&text);
    put(plain, &pen);
}

/* The byte at the cursor, with its whole history up to the event. */
static void write_who(struct plain *plain)
{
    struct history *history = plain->session->history;
    const struct cursor *cursor = session_screen(plain->session)->cursor;
    uint64_t seq = plain->session->seq, there = seq;
    struct pen pen = {.color = plain->color};
    size_t count;

    if (!cursor) {
        say(plain, "no byte is asked about any more");
        return;
    }
    count = origins_until(&cursor->origins, seq);
    if (count > 0 && cursor->origins.list[count - 1].kind == ORIGIN_UNMAPPED)
        there = cursor->origins.list[count - 1].seq - 1;
    who_write(&pen, history_store(history), &cursor->origins, seq, cursor->base,
              history_view(history, there));
    put(plain, &pen);
}

/* --- moving -------------------------------------------------------------- */

/* Signals while the program runs, and while the reader thinks. Returns whether
 * we were stopped meanwhile. */
static bool take_signals(struct plain *plain)
{
    bool resumed = false;
    int signal;

    while (!plain->end && (signal = driver_signal(plain->driver)) != 0) {
        if (driver_is_end(signal))
            plain->end = signal;
        if (signal == SIGTSTP)
            driver_suspend(plain->driver);
        resumed |= signal == SIGCONT;
    }
    return resumed;
}

/* Takes note of how the program left the line, if it wrote to where we write,
 * with that descriptor. */
static void note_output(struct plain *plain, const struct event_output *output)
{
    struct stat its, ours;

    if (output->bytes.len > 0 && plain->driver->pause && /* a program runs */
        (output->fd == STDOUT_FILENO || output->fd == STDERR_FILENO) &&
        fstat((int)output->fd, &its) == 0 &&
        fstat(fileno(plain->out), &ours) == 0 && its.st_dev == ours.st_dev &&
        its.st_ino == ours.st_ino)
        plain->unended = output->bytes.data[output->bytes.len - 1] != '\n';
}

/* Lets the program run until the session's goal is met. */
static void reach(struct plain *plain)
{
    struct history *history = plain->session->history;
    bool was_running = plain->session->goal != GOAL_NONE;

    while (!plain->end && plain->session->goal != GOAL_NONE) {
        uint64_t count = history_count(history);
        int more = session_advance(plain->session, plain->err);
        const struct event *event;

        if (more < 0) {
            plain->end = -1;
            return;
        }
        event = history_count(history) > count ? history_event(history, count)
                                               : NULL;
        if (event && event->kind == EVENT_OUTPUT)
            note_output(plain, &event->output);
        driver_wait(plain->driver, 0, more == 0 ? -1 : 0);
        take_signals(plain);
    }
    if (was_running && !plain->end)
        driver_pause(plain->driver);
}

/* Moves, and tells where that led to. */
static void move(struct plain *plain, enum command command,
                 const char *argument)
{
    uint64_t before = plain->session->seq;
    bool is_about_byte = command == COMMAND_WHO ||
                         command == COMMAND_BYTE_NEXT ||
                         command == COMMAND_BYTE_BACK;
    const char *message;

    if (!session_do(plain->session, command, argument)) {
        plain->end = DONE;
        return;
    }
    reach(plain);
    if (plain->end)
        return;
    message = buf_text(&plain->session->message);
    if (*message)
        say(plain, "%s", message);
    if (is_about_byte && !*message)
        write_who(plain);
    else if (!is_about_byte && (!*message || plain->session->seq != before))
        write_event(plain);
}

static void obey(struct plain *plain, const char *line)
{
    size_t len = strcspn(line, " \t");
    enum command command = command_of_word(line, len);
    const char *argument = line + len + strspn(line + len, " \t");

    if (!*line) {
        command = COMMAND_NEXT;
    } else if (*line == '/' && len > 1) { /* no blank is needed behind it */
        command = COMMAND_SEARCH;
        argument = line + 1;
    }
    if (command == COMMAND_NONE)
        say(plain, "there is no command '%.*s'; help lists them", (int)len,
            line);
    else if (*argument && !command_table[command].what)
        say(plain, "nothing can stand after %s", command_table[command].word);
    else if (command == COMMAND_HELP)
        write_help(plain);
    else
        move(plain, command, command_table[command].what ? argument : NULL);
}

/* --- reading ------------------------------------------------------------- */

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

/* Waits for a line. Returns false when there is none, or plain->end. */
static bool read_line(struct plain *plain, struct buf *line)
{
    char bytes[4096];

    while (!plain->end && !take_line(plain, line)) {
        if (plain->input_ended)
            return false;
        if (driver_wait(plain->driver, DRIVER_INPUT, -1)) {
            ssize_t got = read(plain->driver->input, bytes, sizeof bytes);

            if (got > 0)
                buf_append(&plain->input, bytes, (size_t)got);
            else if (got == 0 || errno != EINTR)
                plain->input_ended = true;
            if (got < 0 && errno == EIO) /* the terminal is gone */
                plain->end = SIGHUP;
        }
        if (take_signals(plain))
            ask(plain);
    }
    return !plain->end;
}

/* --- the loop ------------------------------------------------------------ */

/* Nobody types any more: through all events that remain. */
static void run_out(struct plain *plain)
{
    uint64_t before;

    while (!plain->end) {
        before = plain->session->seq;
        session_do(plain->session, COMMAND_NEXT, NULL);
        reach(plain);
        if (!plain->end && plain->session->seq == before)
            plain->end = DONE;
        else if (!plain->end)
            write_event(plain);
    }
}

static void loop(struct plain *plain)
{
    struct buf line = {0};

    reach(plain);
    if (plain->end || history_count(plain->session->history) == 0)
        return;
    write_event(plain);
    say(plain, "Enter goes on; help lists the commands.");
    while (!plain->end) {
        ask(plain);
        if (read_line(plain, &line)) {
            /* A terminal has shown what was typed. */
            if (!isatty(plain->driver->input)) {
                struct pen pen = {.color = plain->color};

                pen_text(&pen, ROLE_PLAIN, buf_text(&line));
                pen_end(&pen);
                put(plain, &pen);
            }
            if (!plain->end)
                obey(plain, buf_text(&line));
            continue;
        }
        /* Behind the prompt nothing was typed. */
        if (plain->end != -1 && sink_write(plain->out, "\n", 1, plain->err) < 0)
            plain->end = -1;
        run_out(plain);
    }
    buf_release(&line);
}

int plain_run(struct session *session, struct driver *driver, FILE *out,
              bool color, struct err *err)
{
    struct plain plain = {.session = session,
                          .driver = driver,
                          .out = out,
                          .color = color,
                          .err = err};

    loop(&plain);
    buf_release(&plain.input);
    return plain.end == DONE ? 0 : plain.end;
}
