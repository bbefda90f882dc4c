/* SPDX-License-Identifier: MIT */
/*
 * format/text_parts.h - the inside of the text sink, shared by its files.
 */
#ifndef JITTRACE_FORMAT_TEXT_PARTS_H
#define JITTRACE_FORMAT_TEXT_PARTS_H

#include <stdio.h>

#include "tell/paragraph.h"
#include "trace/sink.h"

/* text_hold.c: what may or may not become code. */
struct text_held;
struct text_hold {
    struct regions mappings; /* those held back */
    struct text_held *list;  /* a queue of events for each */
    size_t count;
    size_t capacity;
};

/* text_loop.c: the latest steps of a thread, and the loop that it is in. */
struct text_loop;

struct text {
    struct sink sink;
    FILE *out;
    struct telling telling;
    struct text_hold hold;
    struct text_loop *loops; /* one for each thread that made a step */
    size_t loop_count;
    size_t loop_capacity;
    bool started;
    enum stage stage; /* the heading that we are under */
    bool stage_told[STAGES];
    int last_tid;
};

/* Takes an event into account, then tells it. */
void text_tell(struct text *text, const struct event *event);

/* Only tells it. */
void text_tell_in_words(struct text *text, const struct event *event);

/* Says whose events follow, if that is another thread than before. */
void text_name_thread(struct text *text, int tid);

/*
 * text_hold.c: whether the event is held back. If not, it is to be told; what
 * was held back and belongs before it was told by then.
 */
bool text_hold(struct text *text, const struct event *event);
void text_hold_release(struct text_hold *hold);

/* text_loop.c: sums up the loops that end by this event. */
void text_end_loops(struct text *text, const struct event *event);
/* Whether an event is a part of one more round, not to be told now. */
bool text_loop_skips(struct text *text, const struct event *event);
void text_loops_release(struct text *text);

#endif
