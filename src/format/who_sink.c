/* SPDX-License-Identifier: MIT */
/*
 * Which bytes are asked for is known only at the end: an offset is one of each
 * mapping that was ever executable. So all events are kept, and then read three
 * times, however many bytes there are: for the histories, for the state in
 * which the bytes were last there, and back to who executed them.
 */
#include "format/format.h"

#include "base/mem.h"
#include "tell/tell.h"
#include "trace/lineage.h"
#include "trace/where.h"

struct who_sink {
    struct sink sink;
    FILE *out;
    bool color;
    uint64_t number;
    struct emissions emissions;
    struct store store;
    struct where where;     /* of all processes, for a message */
    struct lineage lineage; /* of the same events */
    struct origins *bytes;  /* one for each that is asked for, in one of them */
    size_t count;
    size_t capacity;
};

/* How many events there were when the byte was last there. */
static uint64_t last_there(const struct who_sink *who,
                           const struct origins *byte)
{
    const struct origin *last =
        byte->count > 0 ? &byte->list[byte->count - 1] : NULL;

    return last && last->kind == ORIGIN_UNMAPPED ? last->seq : who->store.count;
}

static int by_last_there(const void *a, const void *b, void *who)
{
    uint64_t x = last_there(who, a), y = last_there(who, b);

    return x < y ? -1 : x > y;
}

/* Whether a process did more with its memory than to begin with it. */
static bool has_done(const struct who_sink *who, const struct birth *birth)
{
    struct unpacked unpacked = {0};
    bool found = birth->pid == who->lineage.root;

    for (uint64_t i = birth->place;
         i < who->store.count && i < birth->end && !found; i++) {
        const struct event *event = &unpacked.event;

        store_read(&who->store, i, &unpacked);
        found = event->pid == birth->pid && lineage_needs_past(event) &&
                event->kind != EVENT_EXEC && event->kind != EVENT_SIGNAL &&
                event->kind != EVENT_LIMIT;
    }
    unpacked_release(&unpacked);
    return found;
}

/* Looks for the bytes in the mappings that a process has had in a life. */
static void find_bytes(struct who_sink *who, size_t life, struct where *where)
{
    struct unpacked unpacked = {0};
    const struct event *event = &unpacked.event;
    size_t state = 0;
    uint64_t addr;

    who->count = 0;
    for (uint64_t i = 0; i < who->store.count; i++) {
        store_read(&who->store, i, &unpacked);
        if (lineage_has(&who->lineage, life, i, event))
            where_apply(where, event);
    }
    while (where_next(where, who->number, &state, &addr)) {
        who->bytes = mem_grow(who->bytes, who->count, &who->capacity,
                              sizeof *who->bytes);
        who->bytes[who->count++] = (struct origins){
            .addr = addr, .lineage = &who->lineage, .life = life};
    }
    for (uint64_t i = 0; i < who->store.count && who->count > 0; i++) {
        store_read(&who->store, i, &unpacked);
        for (size_t k = 0; k < who->count; k++)
            origins_apply(&who->bytes[k], &who->store, event);
    }
    unpacked_release(&unpacked);
}

/* Tells of them in one life. Returns how many there are. */
static size_t tell_bytes(struct who_sink *who, size_t life, struct pen *pen)
{
    struct unpacked unpacked = {0};
    struct where where = {0};
    struct view view = {0};

    find_bytes(who, life, &where);
    /* A view goes only forwards, so the bytes are told as they went away. */
    if (who->count > 0)
        qsort_r(who->bytes, who->count, sizeof *who->bytes, by_last_there, who);
    for (size_t i = 0; i < who->count; i++) {
        struct origins *byte = &who->bytes[i];

        while (view.applied < last_there(who, byte)) {
            uint64_t place = view.applied;

            store_read(&who->store, place, &unpacked);
            if (lineage_has(&who->lineage, life, place, &unpacked.event))
                view_apply(&view, &unpacked.event);
            view.applied = place + 1;
        }
        pen_blank(pen);
        who_write(pen, &who->store, &who->emissions, byte, who->store.count,
                  where_mapping(&where, byte->addr)->start, &view);
        origins_release(byte);
    }
    unpacked_release(&unpacked);
    view_release(&view);
    where_release(&where);
    return who->count;
}

static int answer(struct sink *sink, struct err *err)
{
    struct who_sink *who = (struct who_sink *)sink;
    struct pen pen = {.color = who->color};
    struct buf why = {0};
    size_t found = 0;
    int result = 0;

    for (size_t i = 0; i < who->lineage.count; i++)
        if (has_done(who, &who->lineage.births[i]))
            found += tell_bytes(who, i, &pen);
    if (found == 0) {
        where_explain(&who->where, who->number, &why);
        result = err_set(err, ERR_DATA, "%s", buf_text(&why));
        buf_release(&why);
    } else {
        result = sink_write(who->out, pen.out.data, pen.out.len, err);
    }
    pen_release(&pen);
    return result;
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct who_sink *who = (struct who_sink *)sink;

    store_append(&who->store, event);
    lineage_take(&who->lineage, event);
    where_apply(&who->where, event);
    emissions_learn(&who->emissions, event);
    (void)err;
    return 0;
}

static void free_who(struct sink *sink)
{
    struct who_sink *who = (struct who_sink *)sink;

    free(who->bytes);
    lineage_release(&who->lineage);
    where_release(&who->where);
    store_release(&who->store);
    emissions_release(&who->emissions);
    free(who);
}

struct sink *who_sink_new(FILE *out, bool color, uint64_t number)
{
    struct who_sink *who = mem_alloc(sizeof *who);

    who->sink = (struct sink){emit, answer, free_who};
    who->out = out;
    who->color = color;
    who->number = number;
    who->lineage.keeps_nothing = true;
    return &who->sink;
}
