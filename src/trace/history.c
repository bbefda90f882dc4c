/* SPDX-License-Identifier: MIT */
/*
 * history.c - how to be anywhere in a trace soon.
 *
 *     events       0 ................................................ count
 *     checkpoints  |      |      |      |      |      |      |
 *     cursors                         **-> move forward from here
 *     tip                                                            *
 *
 * A checkpoint is a view at every spacing-th event. When there would be too
 * many of them, every second one goes and the spacing doubles: so there are
 * never more, and to reach any moment takes at most `spacing` events from a
 * checkpoint, or fewer from a cursor, where one of the last questions led. There
 * are two, for whoever compares an event with the moment before it, event after
 * event.
 *
 * Views share the pages that are the same in them, so a checkpoint costs what
 * was written since the one before.
 *
 * An event and a view are decoded into memory of their own each: to ask for one
 * does not end the life of the other.
 */
#include "trace/history.h"

#include "base/mem.h"
#include "trace/store.h"

#define CHECKPOINTS 64u
#define SPACING     256u
#define CURSORS     2u

/* Of longer code so many bytes are compared. */
#define NAMED_BYTES 65536u

/* A name event, where it is found without a way through all events. */
struct named {
    uint64_t seq;
    uint64_t addr;
    uint64_t length;
};

struct history {
    struct store store;
    struct views tip; /* after the last event */
    struct emissions emissions;
    struct lineage lineage;
    struct views cursors[CURSORS];
    struct views
        checkpoint[CHECKPOINTS]; /* number i: i * spacing are applied */
    size_t checkpoint_count;
    uint64_t spacing;
    uint64_t *chapters; /* the first event of each */
    size_t chapter_count;
    size_t chapter_capacity;
    struct named *named;
    size_t named_count;
    size_t named_capacity;
    int last_pid; /* the process of the last event */
};

struct history *history_new(void)
{
    struct history *history = mem_alloc(sizeof *history);

    history->spacing = SPACING;
    history->lineage.keeps_nothing = true; /* the store does */
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < history->checkpoint_count; i++)
        views_release(&history->checkpoint[i]);
    views_release(&history->tip);
    for (unsigned i = 0; i < CURSORS; i++)
        views_release(&history->cursors[i]);
    store_release(&history->store);
    emissions_release(&history->emissions);
    lineage_release(&history->lineage);
    free(history->chapters);
    free(history->named);
    free(history);
}

/* Keeps the tip, if that is due before the next event. */
static void keep_checkpoint(struct history *history)
{
    struct views *list = history->checkpoint;
    size_t *count = &history->checkpoint_count;

    if (history->tip.applied != *count * history->spacing)
        return;
    if (*count < CHECKPOINTS) {
        views_copy(&list[(*count)++], &history->tip);
        return;
    }
    for (size_t i = 0; i < CHECKPOINTS; i += 2) { /* the first one stays */
        list[i / 2] = list[i];
        views_release(&list[i + 1]);
    }
    *count = CHECKPOINTS / 2;
    history->spacing *= 2;
    keep_checkpoint(history);
}

static void note_name(struct history *history, uint64_t seq,
                      const struct event_name *name)
{
    if (!name->name || name->addr + name->length <= name->addr)
        return;
    history->named = mem_grow(history->named, history->named_count,
                              &history->named_capacity, sizeof *history->named);
    history->named[history->named_count++] =
        (struct named){seq, name->addr, name->length};
}

void history_append(struct history *history, const struct event *event)
{
    uint64_t seq = history->store.count;
    enum stage stage = STAGE_PAGE_SIZE, now;

    store_append(&history->store, event);
    if (event->kind == EVENT_NAME)
        note_name(history, seq, &event->name);
    emissions_learn(&history->emissions, event);
    lineage_take(&history->lineage, event);
    keep_checkpoint(history);
    if (seq > 0)
        stage = views_of(&history->tip, event->pid)->stage;
    views_apply(&history->tip, event);
    now = views_of(&history->tip, event->pid)->stage;
    if (seq > 0 && now == stage && event->pid == history->last_pid)
        return;
    history->last_pid = event->pid;
    history->chapters =
        mem_grow(history->chapters, history->chapter_count,
                 &history->chapter_capacity, sizeof *history->chapters);
    history->chapters[history->chapter_count++] = seq;
}

void history_keep_uses(struct history *history)
{
    const struct views none = {.keeps_uses = true};
    struct unpacked unpacked = {0};

    if (history->tip.keeps_uses)
        return;
    for (size_t i = 0; i < history->checkpoint_count; i++)
        views_release(&history->checkpoint[i]);
    history->checkpoint_count = 0;
    for (unsigned i = 0; i < CURSORS; i++) {
        views_release(&history->cursors[i]);
        history->cursors[i] = none;
    }
    views_release(&history->tip);
    history->tip = none;
    while (history->tip.applied < history->store.count) {
        keep_checkpoint(history);
        store_read(&history->store, history->tip.applied, &unpacked);
        views_apply(&history->tip, &unpacked.event);
    }
    unpacked_release(&unpacked);
}

uint64_t history_count(const struct history *history)
{
    return history->store.count;
}

const struct store *history_store(const struct history *history)
{
    return &history->store;
}

struct emissions *history_emissions(struct history *history)
{
    return &history->emissions;
}

const struct lineage *history_lineage(const struct history *history)
{
    return &history->lineage;
}

struct origins history_byte(const struct history *history, uint64_t seq,
                            uint64_t addr)
{
    struct origins byte = {.addr = addr};
    struct unpacked unpacked = {0};

    store_read(&history->store, seq, &unpacked);
    byte.life =
        lineage_life(&history->lineage,
                     lineage_pid(&history->lineage, &unpacked.event), seq);
    if (byte.life != LIFE_NONE)
        byte.lineage = &history->lineage;
    unpacked_release(&unpacked);
    return byte;
}

const struct event *history_event(struct history *history, uint64_t seq)
{
    return store_event(&history->store, seq);
}

const struct view *history_view_of(struct history *history, uint64_t seq,
                                   int pid)
{
    struct views *cursor = NULL, *other = history->cursors;
    const struct views *from;

    BUG_UNLESS(seq < history->store.count);
    if (seq + 1 == history->store.count)
        return views_of(&history->tip, pid);
    from = &history->checkpoint[(seq + 1) / history->spacing];
    /* The one that is the nearest before, or else the one that is farther on:
     * the other is where a reader who goes back was last. */
    for (unsigned i = 0; i < CURSORS; i++) {
        struct views *view = &history->cursors[i];

        if (view->applied <= seq + 1 && view->applied >= from->applied &&
            (!cursor || view->applied > cursor->applied))
            cursor = view;
        other = view->applied > other->applied ? view : other;
    }
    if (!cursor) {
        cursor = other;
        views_release(cursor);
        views_copy(cursor, from);
    }
    views_advance(cursor, &history->store, seq + 1);
    return views_of(cursor, pid);
}

const struct view *history_view(struct history *history, uint64_t seq)
{
    struct unpacked unpacked = {0};
    int pid;

    BUG_UNLESS(seq < history->store.count);
    if (history->tip.count == 1)
        return history_view_of(history, seq, 0);
    store_read(&history->store, seq, &unpacked);
    pid = unpacked.event.pid;
    unpacked_release(&unpacked);
    return history_view_of(history, seq, pid);
}

/* How many chapters begin up to an event. */
static size_t chapters_until(const struct history *history, uint64_t seq)
{
    BUG_UNLESS(seq < history->store.count);
    return mem_until(history->chapters, history->chapter_count,
                     sizeof *history->chapters, seq);
}

uint64_t history_chapter(const struct history *history, uint64_t seq)
{
    return history->chapters[chapters_until(history, seq) - 1];
}

uint64_t history_next_chapter(const struct history *history, uint64_t seq)
{
    size_t next = chapters_until(history, seq);

    return next < history->chapter_count ? history->chapters[next]
                                         : history->store.count;
}

/* --- names that come late ------------------------------------------------- */

/* Reads the code that a name is of, as it is after event seq; returns how many
 * bytes, 0 if none is mapped there. */
static size_t read_named(struct history *history, uint64_t seq, int pid,
                         const struct named *named, uint8_t *out)
{
    const struct view *view = history_view_of(history, seq, pid);
    size_t length = named->length < NAMED_BYTES ? named->length : NAMED_BYTES;

    if (!view_region_at(view, named->addr))
        return 0;
    pages_read(&view->pages, named->addr, length, out);
    return length;
}

/* Whether the code that the name is of was the same after event seq. */
static bool is_same_code(struct history *history, uint64_t seq, int pid,
                         const struct named *named)
{
    uint8_t *both = mem_alloc(2u * NAMED_BYTES), *late = both + NAMED_BYTES;
    size_t length = read_named(history, seq, pid, named, both);
    bool is_same =
        length > 0 &&
        read_named(history, named->seq, pid, named, late) == length &&
        memcmp(both, late, length) == 0;

    free(both);
    return is_same;
}

bool history_named_later(struct history *history, uint64_t seq, uint64_t addr,
                         struct labels *out)
{
    const struct lineage *lineage = &history->lineage;
    struct unpacked unpacked = {0};
    size_t i = mem_until(history->named, history->named_count,
                         sizeof *history->named, seq);
    bool is_named = false;
    size_t life;
    int pid;

    store_read(&history->store, seq, &unpacked);
    pid = unpacked.event.pid;
    life = lineage_life(lineage, lineage_pid(lineage, &unpacked.event), seq);
    for (bool found = false; i < history->named_count && !found; i++) {
        const struct named *named = &history->named[i];

        if (addr - named->addr >= named->length)
            continue;
        store_read(&history->store, named->seq, &unpacked);
        found = unpacked.event.pid == pid;
        is_named = found &&
                   lineage_life(lineage, lineage_pid(lineage, &unpacked.event),
                                named->seq) == life &&
                   is_same_code(history, seq, pid, named) &&
                   labels_add(out, &unpacked.event.name);
    }
    unpacked_release(&unpacked);
    return is_named;
}
