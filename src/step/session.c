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
#include "tell/glossary.h"
#include "tell/tell.h"

/* --- the session --------------------------------------------------------- */

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
    free(session->changed.text);
    cursor_release(&session->cursor);
    buf_release(&session->message);
    buf_release(&session->copied);
    free(session);
}

struct screen *session_screen(struct session *session)
{
    if (history_count(session->history) > 0)
        cursor_update(&session->cursor, session->history, session->seq);
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
    session->screen.next = (struct srcline){0};
    if (!session->over && session->next_line && seq == last_seq(session))
        session->next_line(session->program, &session->screen.next);
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
    else if (goal == GOAL_CALL)
        buf_append_text(message, "there is no call after this event");
    else if (goal == GOAL_FINISH)
        buf_append_text(message, "this call was not seen to return");
    else if (goal == GOAL_ITERATION)
        buf_append_text(message, "this instruction is not executed again");
    else if (goal == GOAL_SEARCH)
        buf_printf(message, "nothing after event %" PRIu64 " has '%s'",
                   session->seq, session->search.text);
    else
        say_the_end(session);
}

/* --- calls ---------------------------------------------------------------- */

/* Whether the call that began with event `number` is over in its thread. */
static bool is_finished(struct session *session, uint64_t seq)
{
    const struct frame *frame = view_frame(
        history_view_of(session->history, seq, session->pid), session->tid);

    while (frame && frame->seq > session->number)
        frame = frame->caller;
    return !frame || frame->seq != session->number;
}

/* Whether event seq is the instruction once more, in the same call and not in
 * one that it has made; or the end of that call, which is told. */
static bool is_again(struct session *session, uint64_t seq)
{
    const struct event *event = history_event(session->history, seq);
    const struct frame *frame;

    if (event->tid != session->tid)
        return false;
    if (is_finished(session, seq)) {
        buf_append_text(&session->message,
                        "the call is over: it was not executed again");
        return true;
    }
    event = history_event(session->history, seq);
    if (event->kind != EVENT_STEP || event->step.addr != session->again)
        return false;
    frame = view_frame(history_view_of(session->history, seq - 1, session->pid),
                       session->tid);
    return frame && frame->seq == session->number;
}

/* Whether event seq, which must exist, is the goal that was set at origin. */
static bool meets(struct session *session, enum goal goal, uint64_t seq)
{
    const struct event *event = history_event(session->history, seq);

    switch (goal) {
    case GOAL_NEXT:
        return true;
    case GOAL_OPENING: /* these are shown beside others */
        return event->kind != EVENT_START && event->kind != EVENT_NAME &&
               event->kind != EVENT_OUTPUT && event->kind != EVENT_LIMIT;
    case GOAL_NUMBER:
        return seq == session->number;
    case GOAL_STAGE:
        return history_next_chapter(session->history, session->origin) == seq;
    case GOAL_SEARCH:
        return search_finds(&session->search, session->history, seq);
    case GOAL_CALL:
        return event->kind == EVENT_ENTER && word_is(event->enter.how, "call");
    case GOAL_FINISH:
        return event->tid == session->tid && is_finished(session, seq);
    case GOAL_ITERATION:
        return is_again(session, seq);
    default:
        return session->exited;
    }
}

/* Takes the next event; returns whether it is the goal. */
static bool take(struct session *session, const struct event *event)
{
    uint64_t seq = history_count(session->history);

    if (session->sink)
        sink_emit(session->sink, event, &(struct err){0});
    history_append(session->history, event);
    if (event->kind == EVENT_EXIT &&
        (event->pid == 0 ||
         event->pid == history_event(session->history, 0)->start.pid)) {
        session->exited = true;
        session->status = event_exit_status(&event->exit);
    }
    return meets(session, session->goal, seq);
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

void session_open(struct session *session)
{
    enum goal goal = session->opens_at.known ? GOAL_NUMBER : GOAL_OPENING;
    uint64_t seq = 0;

    session->number = session->opens_at.value;
    while (seq < history_count(session->history) && !meets(session, goal, seq))
        seq++;
    if (seq < history_count(session->history))
        session->seq = seq;
    else if (!session->over || session->opens_at.known)
        session->goal = goal;
    if (session->goal == GOAL_NUMBER && session->over)
        miss(session, false);
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

/* The first later event that is the goal; the program runs for it if none is
 * there, after a question if it may never come. */
static void find(struct session *session, enum goal goal, bool may_miss)
{
    uint64_t seq = session->seq + 1;

    session->origin = session->seq;
    while (seq < history_count(session->history) && !meets(session, goal, seq))
        seq++;
    if (may_miss && session->asks && !session->over &&
        seq == history_count(session->history)) {
        session->proposed = goal;
        buf_printf(&session->message,
                   "not there up to event %" PRIu64
                   "; y lets the program run on for it",
                   last_seq(session));
        return;
    }
    go_to(session, seq, goal);
}

/* To the end of the call that the reader is in, or to the next time that the
 * same instruction is executed there. */
static void find_in_call(struct session *session, enum goal goal)
{
    const struct event *event = history_event(session->history, session->seq);
    bool is_step = event->kind == EVENT_STEP;
    uint64_t at = session->seq - (is_step && session->seq > 0);
    const struct frame *frame;

    session->tid = event->tid;
    session->pid = event->pid;
    session->again = is_step                      ? event->step.addr
                     : event->kind == EVENT_ENTER ? event->enter.addr
                                                  : 0;
    if (goal == GOAL_ITERATION && !session->again) {
        buf_append_text(&session->message,
                        "i is for an instruction that was executed");
        return;
    }
    frame = view_frame(history_view_of(session->history, at, session->pid),
                       session->tid);
    if (!frame) {
        buf_append_text(&session->message,
                        "this event is in no call of generated code");
        return;
    }
    session->number = frame->seq;
    find(session, goal, false);
}

/* Back to the event that has changed it last, before the present one. */
static void find_change(struct session *session, const char *argument)
{
    struct search *what = &session->changed;
    uint64_t seq = session->seq;

    if (argument[strspn(argument, " \t")])
        search_set(what, argument);
    if (!argument[strspn(argument, " \t")] && session->cursor.on) {
        if (cursor_jump(&session->cursor, session->history, session->seq, &seq,
                        &session->message))
            session->seq = seq;
        return;
    }
    if (!what->text || what->kind == SEARCH_TEXT) {
        buf_append_text(&session->message,
                        "of what? a register (rax), a flag (ZF), code[3] or "
                        "an address; w chooses a byte");
        return;
    }
    while (seq > 0 && !search_changed(what, session->history, seq - 1))
        seq--;
    if (seq > 0)
        session->seq = seq - 1;
    else
        buf_printf(&session->message,
                   "nothing before event %" PRIu64 " has changed %s",
                   session->seq, what->text);
}

static void search(struct session *session, const char *argument, bool back)
{
    uint64_t seq = session->seq;

    if (argument[strspn(argument, " \t")])
        search_set(&session->search, argument);
    if (!session->search.text) {
        buf_append_text(&session->message, "there is no search to repeat");
        return;
    }
    if (!back) {
        find(session, GOAL_SEARCH, true);
        return;
    }
    while (seq > 0 &&
           !search_finds(&session->search, session->history, seq - 1))
        seq--;
    if (seq > 0)
        session->seq = seq - 1;
    else
        buf_printf(&session->message,
                   "nothing before event %" PRIu64 " has '%s'", session->seq,
                   session->search.text);
}

/* To the next place that a verdict is about. They stand behind the end. */
static void go_to_verdict(struct session *session)
{
    struct history *history = session->history;
    uint64_t last = last_seq(session), found = 0, to = UINT64_MAX;
    struct opt_u64 before = {0}; /* the nearest one that is not ahead */

    for (uint64_t seq = last; seq > 0; seq--) {
        const struct event *event = history_event(history, seq);

        if (event->kind != EVENT_VERDICT)
            break;
        if (!event->verdict.at.known || event->verdict.at.value >= seq)
            continue;
        if (event->verdict.at.value <= session->seq) {
            if (!before.known || event->verdict.at.value > before.value)
                before = event->verdict.at;
        } else if (event->verdict.at.value <= to) {
            to = event->verdict.at.value;
            found = seq;
        }
    }
    if (found > 0) {
        session->seq = to;
        tell_event(history, found, TELL_SENTENCE, false, &session->message);
    } else {
        buf_append_text(&session->message,
                        session->over
                            ? "no rule is broken after this event"
                            : "what breaks a rule is known when the program "
                              "has ended: run it (r)");
        if (before.known)
            buf_printf(&session->message,
                       "; the nearest one before: g %" PRIu64, before.value);
    }
}

/* Commands that move, or set a goal. */
static void move(struct session *session, enum command command,
                 const char *argument)
{
    struct history *history = session->history;
    uint64_t last = last_seq(session), to;
    const char *text = argument ? argument + strspn(argument, " \t") : "";
    size_t digits = strspn(text, "0123456789");
    enum goal proposed = session->proposed;

    session->proposed = GOAL_NONE;
    switch (command) {
    case COMMAND_NEXT:
        go_to(session, session->seq + 1, GOAL_NEXT);
        break;
    case COMMAND_STAGE_NEXT:
        to = history_next_chapter(history, session->seq);
        /* From a call on there may be none. */
        if (to < history_count(history) ||
            history_view(history, last)->stage < STAGE_CALL)
            go_to(session, to, GOAL_STAGE);
        else
            find(session, GOAL_STAGE, true);
        break;
    case COMMAND_CALL_NEXT:
        find(session, GOAL_CALL, false);
        break;
    case COMMAND_FINISH:
        find_in_call(session, GOAL_FINISH);
        break;
    case COMMAND_ITERATION:
        find_in_call(session, GOAL_ITERATION);
        break;
    case COMMAND_CHANGED:
        find_change(session, argument ? argument : "");
        break;
    case COMMAND_COPY: /* which is the yes here */
        go_to(session, last + 1, proposed);
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
        errno = 0;
        session->number = strtoull(text, NULL, 10);
        if (!*text)
            buf_append_text(&session->message,
                            "goto takes the number of an event");
        else if (digits == 0 || errno ||
                 text[digits + strspn(text + digits, " \t")])
            buf_printf(&session->message, "'%s' is not the number of an event",
                       argument);
        else
            go_to(session, session->number, GOAL_NUMBER);
        break;
    case COMMAND_FIRST:
        session->seq = 0;
        break;
    case COMMAND_LAST:
        session->seq = last;
        break;
    case COMMAND_SEARCH:
    case COMMAND_SEARCH_BACK:
        search(session, argument ? argument : "",
               command == COMMAND_SEARCH_BACK);
        break;
    case COMMAND_WRITER:
        if (cursor_jump(&session->cursor, history, session->seq, &to,
                        &session->message))
            session->seq = to;
        break;
    case COMMAND_VERDICT:
        go_to_verdict(session);
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

/* The line of the event, or the command that leads to it. */
static void copy(struct session *session, bool is_command)
{
    if (!is_command)
        tell_event(session->history, session->seq, TELL_TITLE,
                   session->screen.decimal, &session->copied);
    else if (session->command)
        buf_printf(&session->copied, "%s --goto=%" PRIu64 "%s",
                   session->command, session->seq, session->arguments);
    else
        buf_append_text(&session->message, "what was typed is not known");
}

/* What a word means, or the first field; nothing if that was told already. */
static void explain(struct session *session, const char *word, bool explained)
{
    struct screen *screen = &session->screen;
    struct buf *message = &session->message;

    if (*word) {
        screen->term = glossary_find(word);
        if (screen->term)
            return;
        buf_printf(message, "'%s' is not in the glossary; it has ", word);
        for (unsigned i = 1; i <= glossary_count(); i++) {
            buf_append_text(message, i > 1 ? ", " : "");
            glossary_term(i, message);
        }
    } else if (screen_fields(session->history, session->seq) > 0) {
        screen->field = !explained;
    } else {
        buf_append_text(message, "no instruction is shown here; :? and a word "
                                 "explains that, h lists the keys");
    }
}

bool session_do(struct session *session, enum command command,
                const char *argument)
{
    struct screen *screen = &session->screen;
    bool helped = screen->help, explained = screen->field || screen->term;

    screen->help = command == COMMAND_HELP && !helped;
    screen->help_from = 0;
    screen->field = screen->term = 0;
    if (command == COMMAND_QUIT)
        return helped;
    screen->all_registers ^= command == COMMAND_REGISTERS;
    screen->vectors ^= command == COMMAND_VECTORS;
    screen->stack ^= command == COMMAND_STACK;
    screen->decimal ^= command == COMMAND_BASE;
    screen->zoom ^= command == COMMAND_ZOOM;
    /* Before the first event there is nowhere to go. */
    if (command == COMMAND_HELP || command == COMMAND_REGISTERS ||
        command == COMMAND_VECTORS || command == COMMAND_STACK ||
        command == COMMAND_BASE || command == COMMAND_ZOOM ||
        history_count(session->history) == 0)
        return true;

    session_interrupt(session);
    buf_clear(&session->message);
    buf_clear(&session->copied);
    if (command == COMMAND_HERE ||
        (command == COMMAND_COPY && session->proposed == GOAL_NONE)) {
        copy(session, command == COMMAND_HERE);
    } else if (command == COMMAND_EXPLAIN) {
        explain(session, argument ? argument : "", explained);
    } else if (command == COMMAND_WHO) {
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
