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
#include "trace/where.h"

struct who_sink {
    struct sink sink;
    FILE *out;
    bool color;
    uint64_t number;
    struct emissions emissions;
    struct store store;
    struct where where;
    struct origins *bytes; /* one for each that is asked for */
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

static int answer(struct sink *sink, struct err *err)
{
    struct who_sink *who = (struct who_sink *)sink;
    struct pen pen = {.color = who->color};
    struct unpacked unpacked = {0};
    struct view view = {0};
    struct buf why = {0};
    size_t state = 0;
    uint64_t addr;
    int result;

    while (where_next(&who->where, who->number, &state, &addr)) {
        who->bytes = mem_grow(who->bytes, who->count, &who->capacity,
                              sizeof *who->bytes);
        who->bytes[who->count++] = (struct origins){.addr = addr};
    }
    if (who->count == 0) {
        where_explain(&who->where, who->number, &why);
        err_set(err, ERR_DATA, "%s", buf_text(&why));
        buf_release(&why);
        return -1;
    }
    for (uint64_t i = 0; i < who->store.count; i++) {
        store_read(&who->store, i, &unpacked);
        for (size_t k = 0; k < who->count; k++)
            origins_apply(&who->bytes[k], &who->store, &unpacked.event);
    }
    unpacked_release(&unpacked);
    /* A view goes only forwards, so the bytes are told as they went away. */
    qsort_r(who->bytes, who->count, sizeof *who->bytes, by_last_there, who);
    for (size_t i = 0; i < who->count; i++) {
        const struct origins *byte = &who->bytes[i];

        view_advance(&view, &who->store, last_there(who, byte));
        pen_blank(&pen);
        who_write(&pen, &who->store, &who->emissions, byte, who->store.count,
                  where_mapping(&who->where, byte->addr)->start, &view);
    }
    view_release(&view);
    result = sink_write(who->out, pen.out.data, pen.out.len, err);
    pen_release(&pen);
    return result;
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct who_sink *who = (struct who_sink *)sink;

    store_append(&who->store, event);
    where_apply(&who->where, event);
    emissions_learn(&who->emissions, event);
    (void)err;
    return 0;
}

static void free_who(struct sink *sink)
{
    struct who_sink *who = (struct who_sink *)sink;

    for (size_t i = 0; i < who->count; i++)
        origins_release(&who->bytes[i]);
    free(who->bytes);
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
    return &who->sink;
}
