/* SPDX-License-Identifier: MIT */
/*
 * A move within the history is done at once. One beyond it becomes a goal:
 *
 *      session_do --> goal --> session_advance, again and again
 *                                 | an event comes: is it the goal?
 *                                 | no more events: the goal is not there
 *      session_interrupt <--------+
 *
 * While there is a goal the position goes with the last event, so that a
 * reader sees the program run. If what was looked for is not there, it goes
 * back to where it was (origin).
 */
#include "step/session.h"

#include <errno.h>

#include "base/mem.h"

struct session *session_new(struct source *source)
{
    struct session *session = mem_alloc(sizeof *session);

    session->source = source;
    session->history = history_new();
    session->goal = GOAL_NEXT; /* the first event */
    session->screen.end = SCREEN_RUNNING;
    return session;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    history_free(session->history);
    free(session->search.text);
    cursor_release(&session->cursor);
    buf_release(&session->message);
    free(session);
}

struct screen *session_screen(struct session *session)
{
    cursor_update(&session->cursor, session->history);
    session->screen.cursor = session->cursor.on ? &session->cursor : NULL;
    return &session->screen;
}

static uint64_t last_seq(const struct session *session)
{
    return history_count(session->history) - 1;
}

/* --- goals --------------------------------------------------------------- */

static void stop_at(struct session *session, uint64_t seq)
{
    session->goal = GOAL_NONE;
    session->seq = seq;
    session->screen.end = session->over ? SCREEN_ENDED : SCREEN_PAUSED;
}

static void say_the_end(struct session *session)
{
    buf_printf(&session->message, "%s; go back (b) or quit (q)",
               session->exited ? "the program has ended"
                               : "the recording ends here");
}

/* There are no more events, and none was the goal. ran: to know that. */
static void miss(struct session *session, bool ran)
{
    struct buf *message = &session->message;
    enum goal goal = session->goal;
    uint64_t last = last_seq(session);

    if (history_count(session->history) == 0) {
        session->goal = GOAL_NONE;
        return;
    }
    stop_at(session, goal == GOAL_END ? last : session->origin);
    if (ran && session->seq < last)
        buf_printf(message, "ran to the end (event %" PRIu64 "); ", last);
    if (goal == GOAL_NUMBER)
        buf_printf(message,
                   "there is no event %" PRIu64 "; the last one is %" PRIu64,
                   session->number, last);
    else if (goal == GOAL_STAGE)
        buf_append_text(message, "there is no stage after this one");
    else if (goal == GOAL_SEARCH)
        buf_printf(message, "nothing after event %" PRIu64 " has '%s'",
                   session->seq, session->search.text);
    else
        say_the_end(session);
}

/* Whether the last event is the goal. */
static bool is_met(struct session *session)
{
    uint64_t seq = last_seq(session);

    switch (session->goal) {
    case GOAL_NEXT:
        return true;
    case GOAL_NUMBER:
        return seq == session->number;
    case GOAL_STAGE:
        return history_next_chapter(session->history, session->origin) == seq;
    case GOAL_SEARCH:
        return search_finds(&session->search, session->history, seq);
    default:
        return session->exited;
    }
}

/* Takes the next event; returns whether it is the goal. */
static bool take(struct session *session, const struct event *event)
{
    if (session->sink)
        sink_emit(session->sink, event, &(struct err){0});
    history_append(session->history, event);
    if (event->kind == EVENT_EXIT) {
        session->exited = true;
        session->status = event_exit_status(&event->exit);
    }
    return is_met(session);
}

int session_advance(struct session *session, struct err *err)
{
    struct event event;
    bool met = false;
    int more;

    if (session->goal == GOAL_NONE)
        return 1;
    more = source_ready(session->source, err);
    if (more == 0)
        return 0;
    if (more > 0)
        more = source_next(session->source, &event, err);
    if (more > 0) {
        met = take(session, &event);
        session->seq = last_seq(session);
    }
    /* Verdicts are there at once. */
    while (more > 0 && session->exited &&
           (more = source_ready(session->source, err)) > 0 &&
           (more = source_next(session->source, &event, err)) > 0)
        if (take(session, &event) && !met) {
            met = true;
            session->seq = last_seq(session);
        }
    session->over = more <= 0 || session->exited;
    if (met)
        stop_at(session, session->seq);
    else if (session->over)
        miss(session, true);
    return more < 0 ? -1 : 1;
}

void session_interrupt(struct session *session)
{
    if (session->goal == GOAL_NONE || history_count(session->history) == 0)
        return;
    stop_at(session, last_seq(session));
    buf_clear(&session->message);
    buf_printf(&session->message,
               "stopped; event %" PRIu64 " is the last one so far",
               session->seq);
}

int session_load(struct session *session, struct err *err)
{
    struct event event;

    while (!session->over) {
        session->goal = GOAL_END;
        if (session_advance(session, err) < 0)
            return -1;
    }
    session->seq = 0;
    buf_clear(&session->message);
    /* What follows the end must be sound, too. */
    return source_next(session->source, &event, err) < 0 ? -1 : 0;
}

/* --- moves --------------------------------------------------------------- */

/* To an event that is there, or else to where the goal is met. */
static void go_to(struct session *session, uint64_t seq, enum goal goal)
{
    if (seq < history_count(session->history)) {
        session->seq = seq;
        return;
    }
    session->goal = goal;
    session->origin = session->seq;
    session->screen.end = SCREEN_RUNNING;
}

static void go_to_number(struct session *session, const char *argument)
{
    const char *text = argument + strspn(argument, " \t");
    size_t digits = strspn(text, "0123456789");

    errno = 0;
    session->number = strtoull(text, NULL, 10);
    if (!*text)
        buf_append_text(&session->message, "goto takes the number of an event");
    else if (digits == 0 || errno ||
             text[digits + strspn(text + digits, " \t")])
        buf_printf(&session->message, "'%s' is not the number of an event",
                   argument);
    else
        go_to(session, session->number, GOAL_NUMBER);
}

static void search(struct session *session, const char *argument)
{
    uint64_t seq = session->seq + 1;

    if (argument[strspn(argument, " \t")])
        search_set(&session->search, argument);
    if (!session->search.text) {
        buf_append_text(&session->message, "there is no search to repeat");
        return;
    }
    while (seq < history_count(session->history) &&
           !search_finds(&session->search, session->history, seq))
        seq++;
    go_to(session, seq, GOAL_SEARCH);
}

/* Commands that move, or set a goal. */
static void move(struct session *session, enum command command,
                 const char *argument)
{
    struct history *history = session->history;
    uint64_t last = last_seq(session), to;

    switch (command) {
    case COMMAND_NEXT:
        go_to(session, session->seq + 1, GOAL_NEXT);
        break;
    case COMMAND_STAGE_NEXT:
        go_to(session, history_next_chapter(history, session->seq), GOAL_STAGE);
        break;
    case COMMAND_BACK:
    case COMMAND_STAGE_BACK:
        if (session->seq == 0)
            buf_append_text(&session->message,
                            "this is the first event; go on (n) or quit (q)");
        else if (command == COMMAND_BACK)
            session->seq--;
        else
            session->seq = history_chapter(history, session->seq - 1);
        break;
    case COMMAND_GOTO:
        go_to_number(session, argument ? argument : "");
        break;
    case COMMAND_FIRST:
        session->seq = 0;
        break;
    case COMMAND_LAST:
        session->seq = last;
        break;
    case COMMAND_SEARCH:
        search(session, argument ? argument : "");
        break;
    case COMMAND_WRITER:
        if (cursor_jump(&session->cursor, history, session->seq, &to,
                        &session->message))
            session->seq = to;
        break;
    case COMMAND_RUN:
        if (session->over && session->seq == last)
            say_the_end(session);
        else
            go_to(session, session->over ? last : last + 1, GOAL_END);
        break;
    default:
        break;
    }
    /* Nothing has to run to know that the goal is not there. */
    if (session->goal != GOAL_NONE && session->over)
        miss(session, false);
}

bool session_do(struct session *session, enum command command,
                const char *argument)
{
    struct screen *screen = &session->screen;
    bool helped = screen->help;

    screen->help = command == COMMAND_HELP && !helped;
    if (command == COMMAND_QUIT)
        return helped;
    screen->all_registers ^= command == COMMAND_REGISTERS;
    screen->decimal ^= command == COMMAND_BASE;
    /* Before the first event there is nowhere to go. */
    if (command == COMMAND_HELP || command == COMMAND_REGISTERS ||
        command == COMMAND_BASE || history_count(session->history) == 0)
        return true;

    session_interrupt(session);
    buf_clear(&session->message);
    if (command == COMMAND_WHO) {
        cursor_set(&session->cursor, session->history, session->seq, argument,
                   &session->message);
    } else if (command == COMMAND_BYTE_NEXT || command == COMMAND_BYTE_BACK) {
        cursor_move(&session->cursor, session->history, session->seq,
                    command == COMMAND_BYTE_NEXT ? 1 : -1, &session->message);
    } else {
        session->cursor.leads = false;
        move(session, command, argument);
    }
    return true;
}
