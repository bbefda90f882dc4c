/* SPDX-License-Identifier: MIT */
/*
 * One loop: ask, read a line, obey, tell where that led to. Whatever ends it is
 * kept in plain->end, and nothing is written after that.
 */
#include "step/driver.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell/pen.h"
#include "tell/tell.h"
#include "trace/sink.h"

/* Columns of the table of commands. */
#define INDENT        4u /* as of a paragraph */
#define LETTER_COLUMN 15u
#define HELP_COLUMN   18u

#define DONE 1000 /* more than any signal */

struct plain {
    struct session *session;
    struct driver *driver;
    FILE *out;
    struct pen pen;   /* what comes next */
    struct buf input; /* what was read and not yet used */
    bool input_ended;
    bool unended; /* the program has written part of a line where we write */
    int end;      /* 0; DONE, a signal, or -1: err says why */
    struct err *err;
};

/* --- writing ------------------------------------------------------------- */

/* Writes what the pen holds, and forgets it. */
static void put(struct plain *plain)
{
    struct pen *pen = &plain->pen;

    if (!plain->end && plain->unended)
        plain->end = sink_write(plain->out, "\n", 1, plain->err);
    plain->unended = false;
    if (!plain->end)
        plain->end =
            sink_write(plain->out, pen->out.data, pen->out.len, plain->err);
    pen_release(pen);
    *pen = (struct pen){.color = pen->color};
}

static void say(struct plain *plain, const char *text)
{
    pen_words(&plain->pen, ROLE_PLAIN, 0, text);
    put(plain);
}

static void ask(struct plain *plain)
{
    pen_print(&plain->pen, ROLE_KEY, "step %" PRIu64 ">", plain->session->seq);
    buf_append_text(&plain->pen.out, " ");
    put(plain);
}

static void write_help(struct plain *plain)
{
    struct pen *pen = &plain->pen;

    for (int i = 0; i < COMMANDS; i++) {
        const struct command_entry *entry = &command_table[i];

        pen_column(pen, 2);
        pen_text(pen, ROLE_KEY, entry->word);
        if (entry->what)
            pen_print(pen, ROLE_NOTE, " %s", entry->what);
        pen_column(pen, LETTER_COLUMN);
        pen_print(pen, ROLE_KEY, "%.1s", entry->letters);
        pen_column(pen, HELP_COLUMN);
        pen_words(pen, ROLE_PLAIN, HELP_COLUMN,
                  entry->help + strspn(entry->help, "; "));
    }
    say(plain, "An empty line is next. The end of input runs to the end of the "
               "program and shows each event on the way.");
}

/* The event that the session is at. */
static void write_event(struct plain *plain)
{
    const struct session *session = plain->session;

    screen_tell(&session->screen, session->history, session->seq, &plain->pen);
    put(plain);
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

/* Whether the program has left a line open where we write, with that
 * descriptor, if it wrote there; else as it was. */
static bool is_unended(const struct plain *plain, const struct event *event)
{
    const struct event_output *output = &event->output;
    struct stat its, ours;

    if (event->kind != EVENT_OUTPUT || output->bytes.len == 0 ||
        !plain->driver->pause || /* no program runs */
        (output->fd != STDOUT_FILENO && output->fd != STDERR_FILENO) ||
        fstat((int)output->fd, &its) < 0 ||
        fstat(fileno(plain->out), &ours) < 0 || its.st_dev != ours.st_dev ||
        its.st_ino != ours.st_ino)
        return plain->unended;
    return output->bytes.data[output->bytes.len - 1] != '\n';
}

/* Lets the program run until the session's goal is met. */
static void reach(struct plain *plain)
{
    struct session *session = plain->session;
    bool was_running = session->goal != GOAL_NONE;

    while (!plain->end && session->goal != GOAL_NONE) {
        uint64_t count = history_count(session->history);
        int more = session_advance(session, plain->err);

        if (more < 0) {
            plain->end = -1;
            return;
        }
        if (history_count(session->history) > count)
            plain->unended =
                is_unended(plain, history_event(session->history, count));
        driver_wait(plain->driver, 0, more == 0 ? -1 : 0);
        take_signals(plain);
    }
    if (was_running && !plain->end)
        driver_pause(plain->driver);
}

/* --- reading ------------------------------------------------------------- */

/* Waits for a line, which is whole or the last one, and takes it without its
 * newline and the blanks around it. Returns false when there is none, or
 * plain->end. */
static bool read_line(struct plain *plain, struct buf *line)
{
    struct buf *input = &plain->input;
    size_t used, len, first = 0;
    const uint8_t *newline;
    char bytes[4096];
    ssize_t got;

    while (!(newline = memchr(buf_text(input), '\n', input->len)) &&
           !plain->input_ended && !plain->end) {
        if (driver_wait(plain->driver, DRIVER_INPUT, -1)) {
            got = read(plain->driver->input, bytes, sizeof bytes);
            if (got > 0)
                buf_append(input, bytes, (size_t)got);
            else if (got == 0 || errno != EINTR)
                plain->input_ended = true;
            if (got < 0 && errno == EIO) /* the terminal is gone */
                plain->end = SIGHUP;
        }
        if (take_signals(plain))
            ask(plain);
    }
    if (plain->end || input->len == 0)
        return false;
    len = newline ? (size_t)(newline - input->data) : input->len;
    used = newline ? len + 1 : len;
    while (len > 0 && strchr(" \t\r", input->data[len - 1]))
        len--;
    while (first < len && strchr(" \t", input->data[first]))
        first++;
    buf_clear(line);
    buf_append(line, input->data + first, len - first);
    memmove(input->data, input->data + used, input->len - used);
    input->len -= used;
    return true;
}

/* --- obeying ------------------------------------------------------------- */

/* Asks about the event that the session has come to, which is not shown yet. */
static void predict(struct plain *plain)
{
    struct session *session = plain->session;
    struct predict *predict = session->predict;
    struct pen *pen = &plain->pen;
    struct buf line = {0}, reply = {0};
    bool done = false;

    if (!predict_ask(predict, session->history, session->seq))
        return;
    pen_words(pen, ROLE_HEADING, 0, buf_text(&predict->question.text));
    if (predict->question.given.len > 0) {
        pen_column(pen, INDENT);
        pen_words(pen, ROLE_NOTE, INDENT, buf_text(&predict->question.given));
    }
    while (!done) {
        pen_text(pen, ROLE_KEY, "predict>");
        buf_append_text(&pen->out, " ");
        put(plain);
        if (!read_line(plain, &line))
            break;
        if (!isatty(plain->driver->input))
            pen_line(pen, ROLE_PLAIN, "%s", buf_text(&line));
        buf_clear(&reply);
        done = predict_answer(predict, buf_text(&line), &reply);
        say(plain, buf_text(&reply));
    }
    if (!done && !plain->end)
        say(plain, "");
    buf_release(&line);
    buf_release(&reply);
}

/* One line, however long: it is to be taken as a whole. */
static void write_copied(struct plain *plain)
{
    pen_line(&plain->pen, ROLE_PLAIN, "%s", buf_text(&plain->session->copied));
    put(plain);
}

/* What a word means, or each field of the instruction. */
static void write_explained(struct plain *plain)
{
    struct session *session = plain->session;
    struct screen *screen = session_screen(session);

    if (screen->term)
        screen_tell_term(screen->term, &plain->pen);
    else
        screen_tell_fields(session->history, session->seq, &plain->pen);
    screen->field = screen->term = 0;
    put(plain);
}

/* Moves, and tells where that led to: to an event, or to the byte at the cursor
 * with its whole history up to the event. */
static void move(struct plain *plain, enum command command,
                 const char *argument)
{
    struct session *session = plain->session;
    struct history *history = session->history;
    uint64_t before = session->seq, there;
    bool is_about_byte = command == COMMAND_WHO ||
                         command == COMMAND_BYTE_NEXT ||
                         command == COMMAND_BYTE_BACK;
    const struct cursor *cursor;
    const char *message;
    size_t count;

    if (!session_do(session, command, argument))
        plain->end = DONE;
    /* Nobody is there to answer; so what a terminal asks for is only said. */
    if (!session->asks &&
        (session->goal == GOAL_SEARCH || session->goal == GOAL_STAGE)) {
        pen_column(&plain->pen, INDENT);
        pen_line(&plain->pen, ROLE_NOTE,
                 "not there up to this event; the program runs on for it");
        put(plain);
    }
    reach(plain);
    if (session->predict && !plain->end && command == COMMAND_NEXT &&
        session->seq == before + 1)
        predict(plain);
    if (plain->end)
        return;
    message = buf_text(&session->message);
    if (*message)
        say(plain, message);
    if (session->copied.len > 0)
        write_copied(plain);
    else if (command == COMMAND_EXPLAIN && !*message)
        write_explained(plain);
    else if (!is_about_byte && (!*message || session->seq != before))
        write_event(plain);
    if (!is_about_byte || *message)
        return;
    cursor = session_screen(session)->cursor;
    if (!cursor) {
        say(plain, "no byte is asked about any more");
        return;
    }
    there = session->seq;
    count = origins_until(&cursor->origins, there);
    if (count > 0 && cursor->origins.list[count - 1].kind == ORIGIN_UNMAPPED)
        there = cursor->origins.list[count - 1].seq - 1;
    who_write(&plain->pen, history_store(history), history_emissions(history),
              &cursor->origins, session->seq, cursor->base,
              history_view_of(history, there,
                              history_event(history, session->seq)->pid));
    put(plain);
}

static void obey(struct plain *plain, const char *line)
{
    struct buf reply = {0};
    const char *argument = NULL;
    enum command command =
        *line ? command_parse(line, &argument, &reply) : COMMAND_NEXT;

    if (command == COMMAND_HELP)
        write_help(plain);
    else if (command != COMMAND_NONE)
        move(plain, command, argument);
    else if (reply.len)
        say(plain, buf_text(&reply));
    buf_release(&reply);
}

int plain_run(struct session *session, struct driver *driver, FILE *out,
              bool color, struct err *err)
{
    struct plain plain = {.session = session,
                          .driver = driver,
                          .out = out,
                          .pen = {.color = color},
                          .err = err};
    struct buf line = {0};

    session->asks = isatty(driver->input);
    if (session->opens_at.known)
        session_open(session);
    reach(&plain);
    if (!plain.end && history_count(session->history) == 0)
        plain.end = DONE;
    if (!plain.end) {
        if (session->message.len > 0)
            say(&plain, buf_text(&session->message));
        write_event(&plain);
        say(&plain, "Enter goes on; help lists the commands.");
    }
    while (!plain.end) {
        ask(&plain);
        if (read_line(&plain, &line)) {
            /* A terminal has shown what was typed. */
            if (!isatty(driver->input)) {
                pen_line(&plain.pen, ROLE_PLAIN, "%s", buf_text(&line));
                put(&plain);
            }
            if (!plain.end)
                obey(&plain, buf_text(&line));
            continue;
        }
        /* Behind the prompt nothing was typed. */
        if (plain.end != -1 && sink_write(out, "\n", 1, err) < 0)
            plain.end = -1;
        /* Nobody types any more: through all events that remain. */
        while (!plain.end) {
            uint64_t before = session->seq;

            session_do(session, COMMAND_NEXT, NULL);
            reach(&plain);
            if (!plain.end && session->seq == before)
                plain.end = DONE;
            else if (!plain.end)
                write_event(&plain);
        }
    }
    buf_release(&line);
    buf_release(&plain.input);
    pen_release(&plain.pen);
    return plain.end == DONE ? 0 : plain.end;
}
