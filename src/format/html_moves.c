/* SPDX-License-Identifier: MIT */
/*
 * Where the keys lead that look at calls: one pass over all events writes down
 * which call each is in and where each call has ended, then each event gets the
 * event where its instruction is executed again. The player only looks it up.
 * All of it means what it means in step/session.c.
 */
#include "format/html_parts.h"

#include "base/mem.h"
#include "tell/tell.h"

#define NEVER    UINT64_MAX /* no event, or no call */
#define FARTHEST 65536u     /* events that are looked at for one of them */

/* A call that an event told of. */
struct call {
    uint64_t seq; /* the list is sorted by it */
    uint64_t end; /* where it has returned, or NEVER */
    int tid;
    bool seen; /* in the chain that is looked at */
};

/* What is kept of each event. */
struct place {
    uint64_t call; /* that it is in, in front of a step: its seq, or NEVER */
    uint64_t addr; /* executed by it, or to be executed next; or 0 */
    int tid;
    bool is_step;
};

struct moves {
    struct history *history;
    struct place *places;
    struct call *calls;
    size_t count;
    size_t capacity;
    size_t *open; /* the indexes of calls that are not over */
    size_t open_count;
    size_t open_capacity;
};

static struct call *find_call(struct moves *moves, uint64_t seq)
{
    size_t at =
        mem_until(moves->calls, moves->count, sizeof *moves->calls, seq);

    return at > 0 && moves->calls[at - 1].seq == seq ? &moves->calls[at - 1]
                                                     : NULL;
}

/* Calls come in the order of their events. */
static void add_call(struct moves *moves, uint64_t seq, int tid)
{
    moves->calls = mem_grow(moves->calls, moves->count, &moves->capacity,
                            sizeof *moves->calls);
    moves->open = mem_grow(moves->open, moves->open_count,
                           &moves->open_capacity, sizeof *moves->open);
    moves->calls[moves->count] = (struct call){seq, NEVER, tid, false};
    moves->open[moves->open_count++] = moves->count++;
}

/* After event seq of that thread: which of its calls are over. */
static void close_calls(struct moves *moves, uint64_t seq, int tid)
{
    const struct frame *frame =
        view_frame(history_view(moves->history, seq), tid);
    size_t left = 0;

    if (frame && !find_call(moves, frame->seq))
        add_call(moves, frame->seq, tid);
    for (; frame; frame = frame->caller) {
        struct call *call = find_call(moves, frame->seq);

        if (call)
            call->seen = true;
    }
    for (size_t i = 0; i < moves->open_count; i++) {
        struct call *call = &moves->calls[moves->open[i]];

        if (call->tid == tid && !call->seen)
            call->end = seq;
        else
            moves->open[left++] = moves->open[i];
        call->seen = false;
    }
    moves->open_count = left;
}

static void read_event(struct moves *moves, uint64_t seq)
{
    struct history *history = moves->history;
    const struct event *event = history_event(history, seq);
    struct place *place = &moves->places[seq];
    const struct frame *frame;

    *place =
        (struct place){.tid = event->tid, .is_step = event->kind == EVENT_STEP};
    if (event->kind == EVENT_STEP)
        place->addr = event->step.addr;
    else if (event->kind == EVENT_ENTER)
        place->addr = event->enter.addr;
    frame = view_frame(history_view(history, seq - (place->is_step && seq > 0)),
                       place->tid);
    place->call = frame ? frame->seq : NEVER;
    close_calls(moves, seq, place->tid);
}

/* Where the instruction of event seq is executed again, or where its call is
 * over before that; or NEVER. */
static uint64_t find_again(struct moves *moves, uint64_t seq, uint64_t end)
{
    const struct place *from = &moves->places[seq];
    uint64_t last = history_count(moves->history);

    last = last - seq > FARTHEST ? seq + FARTHEST : last;
    for (uint64_t i = seq + 1; i < last && i < end; i++) {
        const struct place *place = &moves->places[i];

        if (place->tid == from->tid && place->is_step &&
            place->addr == from->addr && place->call == from->call)
            return i;
    }
    return end < last ? end : NEVER;
}

/* The first event behind seq at which the call is over: a step that returns has
 * ended its own call, and the next event tells of that. */
static uint64_t end_after(struct moves *moves, const struct call *call,
                          uint64_t seq)
{
    const uint64_t count = history_count(moves->history);
    uint64_t end = call->end;

    if (end == NEVER || end > seq)
        return end;
    for (end = seq + 1; end < count; end++)
        if (moves->places[end].tid == call->tid)
            return end;
    return NEVER;
}

/* "finish": [[from, to], ...], what holds from an event on, and "again", for
 * each event that is kept: null where the key has nothing to go by. */
static void add_calls(struct moves *moves, const struct kept *kept,
                      json_t *index)
{
    json_t *finish = json_array(), *again = json_array();
    const uint64_t count = kept_count(kept);
    json_int_t before = -2;

    for (uint64_t i = 0; i < count; i++) {
        const uint64_t seq = kept_seq(kept, i);
        const struct place *place = &moves->places[seq];
        const struct call *call =
            place->call == NEVER ? NULL : find_call(moves, place->call);
        const uint64_t end = call ? end_after(moves, call, seq) : NEVER;
        const json_int_t to = !call ? 0 : end == NEVER ? -1 : (json_int_t)end;
        uint64_t next;

        if (to != before)
            json_array_append_new(finish,
                                  json_pack("[I,I]", (json_int_t)seq, to));
        before = to;
        next = place->addr && call ? find_again(moves, seq, end) : NEVER;
        json_array_append_new(
            again, json_integer(!place->addr    ? -2
                                : !call         ? -3
                                : next == NEVER ? -1
                                                : (json_int_t)(next - seq)));
    }
    json_object_set_new(index, "finish", finish);
    json_object_set_new(index, "again", again);
}

void html_moves(struct history *history, const struct kept *kept, json_t *index)
{
    const uint64_t count = history_count(history);
    struct moves moves = {.history = history};
    json_t *calls = json_array(), *verdicts = json_array();
    struct buf text = {0};

    moves.places = mem_resize(NULL, count, sizeof *moves.places);
    for (uint64_t seq = 0; seq < count; seq++) {
        const struct event *event = history_event(history, seq);

        if (event->kind == EVENT_ENTER && word_is(event->enter.how, "call"))
            json_array_append_new(calls, json_integer((json_int_t)seq));
        if (event->kind == EVENT_VERDICT && event->verdict.at.known) {
            json_int_t at = (json_int_t)event->verdict.at.value;

            buf_clear(&text);
            tell_event(history, seq, TELL_SENTENCE, false, &text);
            json_array_append_new(verdicts,
                                  json_pack("[I,s]", at, buf_text(&text)));
        }
        read_event(&moves, seq);
    }
    add_calls(&moves, kept, index);
    json_object_set_new(index, "calls", calls);
    json_object_set_new(index, "verdicts", verdicts);
    buf_release(&text);
    free(moves.places);
    free(moves.calls);
    free(moves.open);
}
