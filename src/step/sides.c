/* SPDX-License-Identifier: MIT */
/*
 * Where the reader of two traces is, and the line mode. Each side is told by
 * the paragraph that --step --plain has for one.
 */
#include "step/sides.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "tell/pen.h"
#include "trace/sink.h"

#define HELP_COLUMN 16u

#define DONE 1000 /* more than any signal */

const char *const *sides_entry(enum sides_command command)
{
    static const char *const entries[][3] = {
#define SIDES(ID, letters, word, help) {letters, word, help},
        SIDES_COMMANDS(SIDES)
#undef SIDES
    };

    return entries[command];
}

enum sides_command sides_parse(const char *text)
{
    for (int i = 0; i < SIDES_NONE; i++) {
        const char *const *entry = sides_entry((enum sides_command)i);

        if (!strcmp(text, entry[1]) ||
            (*text && !text[1] && strchr(entry[0], *text)))
            return (enum sides_command)i;
    }
    return SIDES_NONE;
}

/* --- moving --------------------------------------------------------------- */

/* Where a difference is on both sides: one that has no event there is where
 * the other was when they last went together. */
static void place(const struct sides *sides, enum diff_class class,
                  uint64_t seq[2])
{
    const struct diff_side *side = sides->diff->first[class].side;

    for (int i = 0; i < 2; i++)
        seq[i] = side[i].known || !side[!i].known
                     ? side[i].seq
                     : diff_other(sides->diff, !i, side[!i].seq);
}

/* Whether a difference is behind another one, in the order of A. */
static bool is_behind(const struct sides *sides, enum diff_class class,
                      const uint64_t seq[2], enum diff_class other)
{
    uint64_t there[2];

    place(sides, class, there);
    return there[0] != seq[0]   ? there[0] > seq[0]
           : there[1] != seq[1] ? there[1] > seq[1]
                                : other != DIFFS && class > other;
}

/* The nearest difference behind where the reader is, or before that; DIFFS if
 * there is none. */
static enum diff_class nearest(const struct sides *sides, bool back)
{
    enum diff_class found = DIFFS;
    uint64_t there[2];

    for (int i = 0; i < DIFFS; i++) {
        enum diff_class class = (enum diff_class)i;
        bool behind, nearer;

        if (!sides->diff->first[i].found || class == sides->class)
            continue;
        place(sides, class, there);
        behind = is_behind(sides, class, sides->seq, sides->class);
        if (!behind && sides->class == DIFFS && there[0] == sides->seq[0] &&
            there[1] == sides->seq[1])
            behind = !back; /* one that stands right here was not seen yet */
        if (behind == back)
            continue;
        if (found == DIFFS) {
            found = class;
            continue;
        }
        place(sides, found, there);
        nearer = is_behind(sides, class, there, found) == back;
        found = nearer ? class : found;
    }
    return found;
}

static void go_to(struct sides *sides, enum diff_class class)
{
    sides->class = class;
    place(sides, class, sides->seq);
}

void sides_open(struct sides *sides)
{
    sides->class = DIFFS;
    sides->screen.end = SCREEN_ENDED;
    if (diff_any(sides->diff))
        go_to(sides, nearest(sides, false));
}

static void step(struct sides *sides, bool back)
{
    const uint64_t count[] = {history_count(sides->histories[0]),
                              history_count(sides->histories[1])};

    if (!diff_move(sides->diff, count, back, sides->seq)) {
        sides->message = back ? "both begin here" : "both end here";
        return;
    }
    sides->class = DIFFS;
    for (int i = 0; i < DIFFS && sides->class == DIFFS; i++) {
        uint64_t there[2];

        place(sides, (enum diff_class)i, there);
        if (sides->diff->first[i].found && there[0] == sides->seq[0] &&
            there[1] == sides->seq[1])
            sides->class = (enum diff_class)i;
    }
}

static void jump(struct sides *sides, bool back)
{
    enum diff_class class = nearest(sides, back);

    if (class == DIFFS)
        sides->message = back ? "there is no difference before this"
                              : "there is no further kind of difference";
    else
        go_to(sides, class);
}

static void meet(struct sides *sides)
{
    const struct difference *at =
        sides->class == DIFFS ? NULL : &sides->diff->first[sides->class];

    if (!at) {
        sides->message = "m is for a difference: n goes to one";
    } else if (!at->meets) {
        sides->message = "no entry behind it is alike";
    } else {
        sides->seq[0] = at->meet[0];
        sides->seq[1] = at->meet[1];
        sides->class = DIFFS;
    }
}

bool sides_do(struct sides *sides, enum sides_command command)
{
    sides->message = NULL;
    switch (command) {
    case SIDES_NEXT:
    case SIDES_PREVIOUS:
        jump(sides, command == SIDES_PREVIOUS);
        break;
    case SIDES_FORWARD:
    case SIDES_BACK:
        step(sides, command == SIDES_BACK);
        break;
    case SIDES_MEET:
        meet(sides);
        break;
    case SIDES_A:
    case SIDES_B:
        sides->alone = true;
        sides->shown = command == SIDES_B;
        break;
    case SIDES_BOTH:
        sides->alone = false;
        break;
    case SIDES_REGISTERS:
        sides->screen.all_registers = !sides->screen.all_registers;
        break;
    case SIDES_BASE:
        sides->screen.decimal = !sides->screen.decimal;
        break;
    default:
        break;
    }
    return command != SIDES_QUIT;
}

/* --- telling -------------------------------------------------------------- */

void sides_describe(const struct sides *sides, struct buf *out)
{
    unsigned count = 0, number = 1;

    for (int i = 0; i < DIFFS; i++) {
        if (!sides->diff->first[i].found)
            continue;
        count++;
        if (sides->class != DIFFS && i != (int)sides->class)
            number +=
                !is_behind(sides, (enum diff_class)i, sides->seq, sides->class);
    }
    if (sides->class != DIFFS) {
        struct difference of = sides->diff->first[sides->class];

        buf_printf(out, "difference %u of %u, %s: %s", number, count,
                   diff_class_name(sides->class), buf_text(&of.what));
        if (of.more > 0)
            buf_printf(out, " (%" PRIu64 " more of these)", of.more);
        return;
    }
    buf_printf(out, "event %" PRIu64 " of A, %" PRIu64 " of B%s", sides->seq[0],
               sides->seq[1],
               diff_is_pair(sides->diff, sides->seq)
                   ? ""
                   : ", not compared with each other");
    if (count == 0)
        buf_append_text(out, sides->diff->limited[0] || sides->diff->limited[1]
                                 ? "; no difference was found"
                                 : "; there is no difference");
}

void sides_describe_side(const struct sides *sides, int side, struct buf *out)
{
    struct buf has = {0};

    if (sides->class != DIFFS)
        has = sides->diff->first[sides->class].side[side].has;
    buf_printf(out, "%s", side ? "B" : "A");
    if (sides->class != DIFFS)
        buf_printf(out, "  has %s", buf_text(&has));
    buf_printf(out, "  (%s)", sides->names[side]);
}

/* --- line by line --------------------------------------------------------- */

struct plain {
    struct sides *sides;
    struct driver *driver;
    FILE *out;
    struct pen pen;
    struct buf input;
    int end; /* 0; DONE, a signal, or -1: err says why */
    struct err *err;
};

static void put(struct plain *plain)
{
    struct pen *pen = &plain->pen;

    if (!plain->end)
        plain->end =
            sink_write(plain->out, pen->out.data, pen->out.len, plain->err);
    pen_release(pen);
    *pen = (struct pen){.color = pen->color};
}

static void write_moment(struct plain *plain)
{
    const struct sides *sides = plain->sides;
    struct buf text = {0};

    sides_describe(sides, &text);
    pen_words(&plain->pen, ROLE_WARNING, 0, buf_text(&text));
    if (sides->class != DIFFS) {
        struct buf note = sides->diff->first[sides->class].note;

        if (note.len > 0)
            pen_words(&plain->pen, ROLE_NOTE, 0, buf_text(&note));
    }
    for (int i = 0; i < 2; i++) {
        if (sides->alone && sides->shown != i)
            continue;
        buf_clear(&text);
        sides_describe_side(sides, i, &text);
        pen_words(&plain->pen, ROLE_RESULT, 3, buf_text(&text));
        screen_tell(&sides->screen, sides->histories[i], sides->seq[i],
                    &plain->pen);
    }
    buf_release(&text);
    put(plain);
}

static void write_help(struct plain *plain)
{
    for (int i = 0; i < SIDES_NONE; i++) {
        const char *const *entry = sides_entry((enum sides_command)i);

        pen_column(&plain->pen, 2);
        pen_print(&plain->pen, ROLE_KEY, "%.1s  %s", entry[0], entry[1]);
        pen_column(&plain->pen, HELP_COLUMN);
        pen_line(&plain->pen, ROLE_PLAIN, "%s", entry[2]);
    }
    pen_line(&plain->pen, ROLE_NOTE, "An empty line is forward.");
    put(plain);
}

/* Takes the next line, without the blanks around it. Returns false when there
 * is none, or plain->end. */
static bool read_line(struct plain *plain, struct buf *line)
{
    struct buf *input = &plain->input;
    const char *text, *newline;
    bool ended = false;
    size_t len, used;
    char bytes[4096];
    int signal;

    while (!(newline = memchr(buf_text(input), '\n', input->len)) && !ended) {
        if (driver_wait(plain->driver, DRIVER_INPUT, -1)) {
            ssize_t got = read(plain->driver->input, bytes, sizeof bytes);

            if (got > 0)
                buf_append(input, bytes, (size_t)got);
            else if (got == 0 || errno != EINTR)
                ended = true;
        }
        while (!plain->end && (signal = driver_signal(plain->driver)) != 0) {
            if (driver_is_end(signal))
                plain->end = signal;
            if (signal == SIGTSTP)
                driver_suspend(plain->driver);
        }
        if (plain->end)
            return false;
    }
    if (input->len == 0)
        return false;
    text = buf_text(input);
    len = newline ? (size_t)(newline - text) : input->len;
    used = newline ? len + 1 : len;
    while (len > 0 && strchr(" \t\r", text[len - 1]))
        len--;
    for (; len > 0 && strchr(" \t", *text); text++)
        len--;
    buf_clear(line);
    buf_append(line, text, len);
    memmove(input->data, input->data + used, input->len - used);
    input->len -= used;
    return true;
}

static void obey(struct plain *plain, const char *line)
{
    struct sides *sides = plain->sides;
    enum sides_command command = *line ? sides_parse(line) : SIDES_FORWARD;

    if (command == SIDES_NONE) {
        pen_line(&plain->pen, ROLE_PLAIN, "'%s' is no command; help lists them",
                 line);
        put(plain);
    } else if (command == SIDES_HELP) {
        write_help(plain);
    } else if (!sides_do(sides, command)) {
        plain->end = DONE;
    } else if (sides->message) {
        pen_line(&plain->pen, ROLE_PLAIN, "%s", sides->message);
        put(plain);
    } else {
        write_moment(plain);
    }
}

int sides_plain(struct sides *sides, struct driver *driver, FILE *out,
                bool color, struct err *err)
{
    struct plain plain = {.sides = sides,
                          .driver = driver,
                          .out = out,
                          .pen = {.color = color},
                          .err = err};
    struct buf line = {0};

    sides_open(sides);
    write_moment(&plain);
    pen_line(&plain.pen, ROLE_PLAIN,
             "n is the next difference, Enter goes on; help lists the "
             "commands.");
    while (!plain.end) {
        pen_text(&plain.pen, ROLE_KEY, "diff>");
        buf_append_text(&plain.pen.out, " ");
        put(&plain);
        if (!plain.end && !read_line(&plain, &line)) {
            if (sink_write(out, "\n", 1, err) < 0)
                plain.end = -1;
            plain.end = plain.end ? plain.end : DONE;
        } else if (!plain.end) {
            /* A terminal has shown what was typed. */
            if (!isatty(driver->input))
                pen_line(&plain.pen, ROLE_PLAIN, "%s", buf_text(&line));
            obey(&plain, buf_text(&line));
        }
    }
    buf_release(&line);
    buf_release(&plain.input);
    pen_release(&plain.pen);
    return plain.end == DONE ? 0 : plain.end;
}
