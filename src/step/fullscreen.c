/* SPDX-License-Identifier: MIT */
/*
 * One loop does a little of everything, so that nothing has to wait for long:
 *
 *      signals    end, suspend, resize
 *      a key      a command, or a character of what is being asked for
 *      events     while the session has a goal: as many as come in 20 ms
 *      the grid   drawn when something changed; while the program runs, at most
 *                 every 50 ms
 *      wait       for a key, a signal, the program or its output
 *
 * Keys that are typed ahead wait their turn for a moment: four times `n` is
 * four events, not one that is interrupted three times. After that moment a key
 * interrupts what the session waits for.
 */
#include "step/driver.h"

#include <signal.h>

#include "screen/screen.h"
#include "screen/timeline.h"
#include "step/complete.h"
#include "step/typing.h"
#include "step/terminal.h"

#define SLICE    20  /* milliseconds of taking events before keys are read */
#define FRAME    50  /* milliseconds between two screens while it runs */
#define PATIENCE 250 /* milliseconds that a key waits for a goal to be met */
#define LOOK     200 /* milliseconds until a running program is looked at */

struct fullscreen {
    struct session *session;
    struct driver *driver;
    struct terminal *terminal;
    struct grid grid;
    enum command asking; /* which command the prompt is for, or none */
    struct typing typing;
    bool steps;      /* the reader has asked for the next event ... */
    uint64_t before; /* ... of this one: a question may come first */
    bool predicts;   /* the prompt is for that */
    struct buf reply;
    const char *message; /* of ours, as reply, or NULL: the session's */
    bool changed;        /* the grid is not what should be seen */
    long drawn;          /* when that was */
    long started;        /* when the session got its goal */
    bool paused;         /* the program stands still */
    int end;             /* a signal, or 0 */
    bool done;
};

/* --- showing ------------------------------------------------------------- */

static void draw(struct fullscreen *full)
{
    struct screen *screen = session_screen(full->session);
    const char *message =
        full->message ? full->message : buf_text(&full->session->message);
    struct buf prompt = {0};
    unsigned rows, columns;

    full->changed = false;
    full->drawn = driver_now();
    if (history_count(full->session->history) == 0)
        return;
    terminal_size(&rows, &columns);
    if (full->grid.rows != rows || full->grid.columns != columns) {
        grid_release(&full->grid);
        grid_init(&full->grid, rows, columns);
    }
    if (full->asking != COMMAND_NONE || full->predicts) {
        buf_append(&prompt, full->typing.question.data,
                   full->typing.question.len);
        screen->prompt_at = prompt.len + full->typing.at;
        buf_append(&prompt, full->typing.text.data, full->typing.text.len);
        screen->prompt = buf_text(&prompt);
        screen->choices = buf_text(&full->typing.more);
    }
    screen->message = *message ? message : NULL;
    screen_draw(screen, full->session->history,
                full->session->seq - full->predicts, &full->grid);
    screen->prompt = screen->message = NULL;
    buf_release(&prompt);
    terminal_show(full->terminal, &full->grid);
}

/* How long until a change must be seen; 0 if now. busy: more is to come. */
static long until_draw(const struct fullscreen *full, bool busy)
{
    long left = full->drawn + FRAME - driver_now();

    return busy && left > 0 ? left : 0;
}

/* --- keys ---------------------------------------------------------------- */

/* To the clipboard. Whether the terminal takes it cannot be known, so it is
 * shown as well. */
static void hand_over(struct fullscreen *full)
{
    struct buf *text = &full->session->copied;
    bool sent = terminal_copy(buf_text(text));

    buf_clear(&full->reply);
    buf_printf(&full->reply, "%s: %s",
               sent ? "to the clipboard" : "this terminal has no clipboard",
               buf_text(text));
    full->message = buf_text(&full->reply);
}

static void obey(struct fullscreen *full, enum command command,
                 const char *argument)
{
    bool was_running = full->session->goal != GOAL_NONE;

    full->message = NULL;
    /* What would wait for the program again only stops waiting. */
    if (was_running &&
        (command == COMMAND_NEXT || command == COMMAND_STAGE_NEXT ||
         command == COMMAND_CALL_NEXT || command == COMMAND_RUN)) {
        session_interrupt(full->session);
        return;
    }
    full->before = full->session->seq;
    full->steps = command == COMMAND_NEXT;
    full->done = !session_do(full->session, command, argument);
    if (full->session->goal != GOAL_NONE && !was_running)
        full->started = driver_now();
    if (full->session->copied.len > 0)
        hand_over(full);
}

static void ask_prediction(struct fullscreen *full, const char *question,
                           const char *behind)
{
    struct buf text = {0};

    buf_printf(&text, "%s%s ", question, behind);
    typing_open(&full->typing, buf_text(&text), COMMAND_NONE);
    buf_release(&text);
}

/* Asks about the event that the session has come to, which is not shown yet. */
static void predict(struct fullscreen *full)
{
    struct session *session = full->session;

    if (!full->steps || session->goal != GOAL_NONE)
        return;
    full->steps = false;
    if (!session->predict || session->seq != full->before + 1 ||
        !predict_ask(session->predict, session->history, session->seq))
        return;
    full->predicts = full->changed = true;
    ask_prediction(full, buf_text(&session->predict->question.text), "");
}

/* Takes the answer; one that is none is asked for again. */
static void take_answer(struct fullscreen *full, const char *answer)
{
    buf_clear(&full->reply);
    full->predicts =
        !predict_answer(full->session->predict, answer, &full->reply);
    full->message = buf_text(&full->reply);
    if (full->predicts)
        ask_prediction(full, full->message, ":");
}

/* Obeys a line that was typed behind a colon; one that needs more asks. */
static void take_line(struct fullscreen *full, const char *line)
{
    const char *argument;
    enum command command;

    buf_clear(&full->reply);
    command = command_parse(line, &argument, &full->reply);
    full->message = full->reply.len ? buf_text(&full->reply) : NULL;
    if (command != COMMAND_NONE)
        obey(full, command, argument);
}

/* A key while the prompt is there. */
static void answer(struct fullscreen *full, const struct press *press)
{
    struct typing *typing = &full->typing;
    enum typing_end end = typing_press(typing, press);
    enum command asking = full->asking;

    if (end == TYPING_TAB && !full->predicts)
        complete(full->session, asking, typing);
    if (end != TYPING_TYPED && end != TYPING_GIVEN_UP)
        return;
    full->asking = COMMAND_NONE;
    if (full->predicts)
        take_answer(full, end == TYPING_TYPED ? buf_text(&typing->text) : "");
    else if (end == TYPING_TYPED && asking == COMMAND_LINE)
        take_line(full, buf_text(&typing->text));
    else if (end == TYPING_TYPED)
        obey(full, asking, buf_text(&typing->text));
}

/* Another field of the instruction, or none. Returns whether the key is for
 * that. */
static bool choose_field(struct fullscreen *full, const struct press *press)
{
    struct screen *screen = session_screen(full->session);
    uint32_t rune = press->kind == PRESS_CHARACTER ? press->character : 0;
    bool is_key = press->kind == PRESS_KEY;
    unsigned count;

    if (rune == CHARACTER_ESCAPE) {
        screen->field = screen->term = 0;
        return true;
    }
    if (!screen->field || full->session->goal != GOAL_NONE)
        return false;
    count = screen_fields(full->session->history, full->session->seq);
    if (rune == CHARACTER_CTRL('I') || (is_key && press->key == KEY_IS_RIGHT))
        screen->field = screen->field % count + 1;
    else if (is_key && press->key == KEY_IS_LEFT)
        screen->field = (screen->field + count - 2) % count + 1;
    else
        return false;
    return true;
}

/* On the timeline, a click goes to an event there; on a field of an
 * instruction, it chooses that. */
static void take_click(struct fullscreen *full, const struct press *press)
{
    uint64_t count = history_count(full->session->history);
    struct buf number = {0};

    struct screen *screen = session_screen(full->session);
    unsigned field;

    if (screen->help || count == 0)
        return;
    if (press->row != TIMELINE_ROW || full->grid.rows < TIMELINE_MIN_ROWS) {
        field = screen_field_at(full->session->history, full->session->seq,
                                &full->grid, press->row, press->column);
        if (field > 0) {
            screen->term = 0;
            screen->field = field;
        }
        return;
    }
    buf_printf(&number, "%" PRIu64,
               timeline_event(count, full->grid.columns, press->column));
    obey(full, COMMAND_GOTO, buf_text(&number));
    buf_release(&number);
}

static void take_key(struct fullscreen *full, const struct press *press)
{
    struct screen *screen = session_screen(full->session);
    enum command command = COMMAND_NONE;

    if (press->kind == PRESS_KEY)
        command = command_of_key(press->key);
    else if (press->kind == PRESS_CHARACTER && press->character < 0x7f)
        command = command_of_letter((char)press->character);

    full->changed = true;
    if (press->kind == PRESS_CLICK) {
        if (full->asking == COMMAND_NONE && !full->predicts)
            take_click(full, press);
    } else if (full->asking != COMMAND_NONE || full->predicts) {
        answer(full, press);
    } else if ((screen->field || screen->term) && !screen->help &&
               choose_field(full, press)) {
        full->message = NULL;
    } else if (screen->help && press->kind == PRESS_KEY &&
               (press->key == KEY_IS_UP || press->key == KEY_IS_DOWN)) {
        if (press->key == KEY_IS_UP)
            screen->help_from -= screen->help_from > 0;
        else
            screen->help_from +=
                screen->help_from < screen_help_end(&full->grid);
    } else if (command == COMMAND_NONE && screen->help) {
        screen->help = press->kind != PRESS_CHARACTER ||
                       press->character != CHARACTER_ESCAPE;
    } else if (command == COMMAND_NONE) {
        full->message = full->session->goal != GOAL_NONE
                            ? "running to the next event … (no command is on "
                              "this key)"
                            : "nothing is on this key; h shows which there are";
    } else if (command_table[command].question) {
        full->asking = command;
        full->message = NULL;
        screen->help = false;
        typing_open(&full->typing, command_table[command].question,
                    command == COMMAND_SEARCH_BACK ? COMMAND_SEARCH : command);
    } else {
        obey(full, command, NULL);
    }
}

/* --- the loop ------------------------------------------------------------ */

static void take_signals(struct fullscreen *full)
{
    int signal;

    while (!full->end && (signal = driver_signal(full->driver)) != 0) {
        full->changed = true;
        full->drawn = 0;
        if (driver_is_end(signal))
            full->end = signal;
        else if (signal == SIGWINCH)
            terminal_resized();
        else
            terminal_leave(); /* also when others stopped us */
        if (signal == SIGTSTP)
            driver_suspend(full->driver);
    }
}

static bool hears_keys(const struct fullscreen *full)
{
    return full->session->goal == GOAL_NONE || full->asking != COMMAND_NONE ||
           driver_now() - full->started >= PATIENCE;
}

/* Takes what events come. Returns how the last of them came, as advance. */
static int run(struct fullscreen *full, struct err *err)
{
    struct session *session = full->session;
    bool was_running = session->goal != GOAL_NONE;
    long since = driver_now();
    int more = 1;

    while (session->goal != GOAL_NONE && more > 0 &&
           driver_now() - since < SLICE) {
        more = session_advance(session, err);
        full->changed |= more > 0;
        full->paused = false;
    }
    if (session->goal == GOAL_NONE && was_running)
        full->message = NULL; /* that it runs */
    if (session->goal == GOAL_NONE && !full->paused) {
        driver_pause(full->driver);
        full->paused = true;
    }
    return more;
}

int fullscreen_run(struct session *session, struct driver *driver,
                   const struct theme *theme, struct err *err)
{
    struct fullscreen full = {
        .session = session,
        .driver = driver,
        .terminal = terminal_new(theme, err),
        .asking = COMMAND_NONE,
        .started = driver_now(),
        .changed = true,
    };
    int more = 1;

    if (!full.terminal)
        return -1;
    session->asks = true;
    session_open(session);
    for (;;) {
        struct press press = {.kind = PRESS_NONE};
        unsigned wanted = DRIVER_GONE;
        bool heard, running;
        long limit;

        take_signals(&full);
        if (!full.end && hears_keys(&full))
            press = terminal_read();
        heard = press.kind != PRESS_NONE;
        if (heard)
            take_key(&full, &press);
        if (full.end || full.done || (more = run(&full, err)) < 0)
            break;
        predict(&full);
        running = session->goal != GOAL_NONE;
        if (full.changed && until_draw(&full, heard || running) == 0)
            draw(&full);
        if (heard)
            continue;

        /* Until there is something to do; at once when there already is. */
        limit = !running ? -1 : more > 0 ? 0 : LOOK;
        if (full.changed && (limit < 0 || limit > until_draw(&full, running)))
            limit = until_draw(&full, running);
        if (hears_keys(&full))
            wanted |= DRIVER_INPUT;
        else if (limit > PATIENCE / 10)
            limit = PATIENCE / 10;
        if (driver_wait(driver, wanted, (int)limit) & DRIVER_GONE)
            full.end = SIGHUP;
    }
    terminal_free(full.terminal);
    grid_release(&full.grid);
    typing_release(&full.typing);
    buf_release(&full.reply);
    return more < 0 ? -1 : full.end;
}
