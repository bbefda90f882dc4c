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
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "step/search.h"

enum goal {
    GOAL_NONE,
    GOAL_NEXT,   /* one event more */
    GOAL_NUMBER, /* event number `number` */
    GOAL_STAGE,  /* another stage than at origin */
    GOAL_SEARCH, /* what search finds */
    GOAL_END,    /* the end of the program */
};

struct session {
    struct source *source;
    struct sink *sink; /* or NULL */
    struct history *history;
    uint64_t seq;
    enum goal goal;
    uint64_t origin; /* where the goal was set */
    uint64_t number;
    struct search search;
    bool over;   /* there is no event to come */
    bool exited; /* and the last one is the program's end */
    struct cursor cursor;
    struct screen screen;
    struct buf message;
};

struct session *session_new(struct source *source)
{
    struct session *session = mem_alloc(sizeof *session);

    session->source = source;
    session->history = history_new();
    session->goal = GOAL_NEXT; /* the first event */
    session->screen.end = SCREEN_RUNNING;
    return session;
}

void session_copy_to(struct session *session, struct sink *sink)
{
    session->sink = sink;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    history_free(session->history);
    search_release(&session->search);
    cursor_release(&session->cursor);
    buf_release(&session->message);
    free(session);
}

struct history *session_history(struct session *session)
{
    return session->history;
}

uint64_t session_seq(const struct session *session)
{
    return session->seq;
}

struct screen *session_screen(struct session *session)
{
    cursor_update(&session->cursor, session->history);
    session->screen.cursor = session->cursor.on ? &session->cursor : NULL;
    return &session->screen;
}

const char *session_message(struct session *session)
{
    return buf_text(&session->message);
}

bool session_is_running(const struct session *session)
{
    return session->goal != GOAL_NONE;
}

static uint64_t last_seq(const struct session *session)
{
    return history_count(session->history) - 1;
}

/* --- goals --------------------------------------------------------------- */

static void set_goal(struct session *session, enum goal goal)
{
    session->goal = goal;
    session->origin = session->seq;
    session->screen.end = SCREEN_RUNNING;
}

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

/* There are no more events, and none of them was the goal. ran: to know that. */
static void miss(struct session *session, bool ran)
{
    enum goal goal = session->goal;

    if (history_count(session->history) == 0) {
        session->goal = GOAL_NONE;
        return;
    }
    stop_at(session, goal == GOAL_END ? last_seq(session) : session->origin);
    if (ran && session->seq < last_seq(session))
        buf_printf(&session->message, "ran to the end (event %" PRIu64 "); ",
                   last_seq(session));
    switch (goal) {
    case GOAL_NUMBER:
        buf_printf(&session->message,
                   "there is no event %" PRIu64 "; the last one is %" PRIu64,
                   session->number, last_seq(session));
        break;
    case GOAL_STAGE:
        buf_append_text(&session->message, "there is no stage after this one");
        break;
    case GOAL_SEARCH:
        buf_printf(&session->message,
                   "nothing after event %" PRIu64 " has '%s'", session->seq,
                   session->search.text);
        break;
    case GOAL_NEXT:
    case GOAL_END:
    case GOAL_NONE:
        say_the_end(session);
        break;
    }
}

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
    case GOAL_END:
        return session->exited;
    case GOAL_NONE:
        break;
    }
    return false;
}

int session_advance(struct session *session, struct err *err)
{
    struct event event;
    int more;

    if (session->goal == GOAL_NONE)
        return 1;
    more = source_ready(session->source, err);
    if (more == 0)
        return 0;
    if (more > 0)
        more = source_next(session->source, &event, err);
    if (more > 0) {
        if (session->sink)
            sink_emit(session->sink, &event, err);
        history_append(session->history, &event);
        session->seq = last_seq(session);
        session->exited = event.kind == EVENT_EXIT;
    }
    session->over = more <= 0 || session->exited;
    if (more > 0 && is_met(session))
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

static void do_goto(struct session *session, const char *argument)
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
    else if (session->number < history_count(session->history))
        session->seq = session->number;
    else
        set_goal(session, GOAL_NUMBER);
}

static void do_search(struct session *session, const char *argument)
{
    if (argument[strspn(argument, " \t")])
        search_set(&session->search, argument);
    if (!session->search.text) {
        buf_append_text(&session->message, "there is no search to repeat");
        return;
    }
    for (uint64_t i = session->seq + 1; i < history_count(session->history);
         i++) {
        if (search_finds(&session->search, session->history, i)) {
            session->seq = i;
            return;
        }
    }
    set_goal(session, GOAL_SEARCH);
}

static void do_back(struct session *session)
{
    if (session->seq > 0)
        session->seq--;
    else
        buf_append_text(&session->message,
                        "this is the first event; go on (n) or quit (q)");
}

/* Commands that move, or set a goal. */
static void move(struct session *session, enum command command,
                 const char *argument)
{
    struct history *history = session->history;
    uint64_t last = last_seq(session), to;

    switch (command) {
    case COMMAND_NEXT:
        if (session->seq < last)
            session->seq++;
        else
            set_goal(session, GOAL_NEXT);
        break;
    case COMMAND_BACK:
        do_back(session);
        break;
    case COMMAND_STAGE_NEXT:
        to = history_next_chapter(history, session->seq);
        if (to <= last)
            session->seq = to;
        else
            set_goal(session, GOAL_STAGE);
        break;
    case COMMAND_STAGE_BACK:
        to = history_chapter(history, session->seq);
        if (session->seq == 0)
            do_back(session); /* which says why not */
        else if (to < session->seq)
            session->seq = to;
        else
            session->seq = history_chapter(history, session->seq - 1);
        break;
    case COMMAND_GOTO:
        do_goto(session, argument ? argument : "");
        break;
    case COMMAND_FIRST:
        session->seq = 0;
        break;
    case COMMAND_LAST:
        session->seq = last;
        break;
    case COMMAND_SEARCH:
        do_search(session, argument ? argument : "");
        break;
    case COMMAND_WRITER:
        if (cursor_jump(&session->cursor, history, session->seq, &to,
                        &session->message))
            session->seq = to;
        break;
    case COMMAND_RUN:
        if (!session->over)
            set_goal(session, GOAL_END);
        else if (session->seq == last)
            say_the_end(session);
        else
            session->seq = last;
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
    if (command == COMMAND_HELP || command == COMMAND_REGISTERS ||
        command == COMMAND_BASE)
        return true;
    /* Before the first event there is nowhere to go. */
    if (history_count(session->history) == 0)
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

bool session_exit_status(struct session *session, int *status)
{
    const struct event *event;

    if (!session->exited)
        return false;
    event = history_event(session->history, last_seq(session));
    *status = event_exit_status(&event->exit);
    return true;
}
