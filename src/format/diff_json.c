/* SPDX-License-Identifier: MIT */
/*
 * What differs between two traces, as JSON Lines: one object for each class
 * that has a difference, and one at the end (docs/diff.md).
 */
#include "format/format.h"

#include <jansson.h>

#include "base/mem.h"
#include "diff/diff.h"
#include "format/json_fields.h"
#include "tell/tell.h"

static json_t *of_count(uint64_t number)
{
    return json_of_number((int64_t)number);
}

static void put_source(json_t *object, const char *key,
                       const struct srcline *source)
{
    json_t *place;

    if (!source->file)
        return;
    place = json_object();
    json_put(place, "file", json_of_text(source->file));
    json_put(place, "line", json_of_number(source->line));
    json_put(object, key, place);
}

/* Who stored the byte that a side is about. */
static json_t *writer_of(struct history *history, const struct diff_side *side)
{
    const struct store *store = history_store(history);
    struct origins origins = history_byte(history, side->seq, side->byte);
    json_t *by = NULL;
    size_t count;

    origins_update(&origins, store, side->seq + 1);
    count = origins_until(&origins, side->seq);
    if (count > 0) {
        const struct origin *origin = &origins.list[count - 1];
        struct chain chain = origin->chain;

        by = json_object();
        emissions_name(history_emissions(history), &chain);
        json_put(by, "seq", of_count(origin->seq));
        if (origin->old_known)
            json_put(by, "old",
                     json_of_bytes((struct bytes){&origin->old_byte, 1}));
        if (origin->new_known)
            json_put(by, "new",
                     json_of_bytes((struct bytes){&origin->new_byte, 1}));
        put_source(by, "source", &origin->source);
        if (chain.count > 0 && chain.named_by > 0)
            put_source(by, "named", &chain.list[chain.named_by].source);
        if (origin->symbol)
            json_put(by, "symbol", json_of_text(origin->symbol));
    }
    origins_release(&origins);
    return by;
}

static json_t *side_of(struct history *history, const struct diff_side *side)
{
    struct diff_side of = *side;
    json_t *object = json_object(), *by;
    struct buf title = {0};

    if (side->known) {
        tell_event(history, side->seq, TELL_TITLE, false, &title);
        json_put(object, "seq", of_count(side->seq));
        json_put(object, "event", json_of_text(buf_text(&title)));
        buf_release(&title);
    }
    json_put(object, "has", json_of_text(buf_text(&of.has)));
    if (!side->has_code)
        return object;
    json_put(object, "addr", json_of_addr(side->addr));
    json_put(object, "offset", of_count(side->addr - side->start));
    json_put(object, "byte", of_count(side->byte - side->start));
    json_put(object, "mapping", of_count(side->mapping));
    json_put(object, "generation", of_count(side->version));
    by = writer_of(history, side);
    if (by)
        json_put(object, "by", by);
    return object;
}

static int write_line(FILE *out, json_t *object, struct err *err)
{
    struct buf line = {0};
    int result;

    json_append(object, 0, &line);
    buf_append_text(&line, "\n");
    result = sink_write(out, line.data, line.len, err);
    buf_release(&line);
    return result;
}

static json_t *class_of(enum diff_class class,
                        struct history *const histories[2],
                        const struct difference *difference)
{
    struct difference of = *difference;
    json_t *object = json_object(), *meet;

    json_put(object, "difference", json_of_text(diff_class_name(class)));
    json_put(object, "what", json_of_text(buf_text(&of.what)));
    json_put(object, "a", side_of(histories[0], &difference->side[0]));
    json_put(object, "b", side_of(histories[1], &difference->side[1]));
    if (of.note.len > 0)
        json_put(object, "note", json_of_text(buf_text(&of.note)));
    if (difference->meets) {
        meet = json_object();
        json_put(meet, "a", of_count(difference->meet[0]));
        json_put(meet, "b", of_count(difference->meet[1]));
        json_put(object, "meet", meet);
    }
    json_put(object, "more", of_count(difference->more));
    return object;
}

int diff_write_json(FILE *out, struct history *const histories[2],
                    const struct diff *diff, struct err *err)
{
    const bool limited = diff->limited[0] || diff->limited[1];
    json_t *end = json_object(), *list = json_array();
    int result = 0;

    for (int class = 0; class < DIFFS && result == 0; class ++)
        if (diff->first[class].found)
            result = write_line(out,
                                class_of((enum diff_class) class, histories,
                                         &diff->first[class]),
                                err);
    json_put(end, "result",
             json_of_text(diff_any(diff) ? "different"
                          : limited      ? "not known"
                                         : "equal"));
    if (diff_any(diff))
        json_put(end, "first",
                 json_of_text(diff_class_name(diff_earliest(diff))));
    for (int i = 0; i < 2; i++)
        if (diff->limited[i])
            json_put(list, NULL, json_of_text(i ? "b" : "a"));
    json_put(end, "limited", list);
    json_put(end, "entries", of_count(diff->calls));
    json_put(end, "steps", of_count(diff->steps));
    if (result < 0)
        json_decref(end);
    return result < 0 ? result : write_line(out, end, err);
}
