/* SPDX-License-Identifier: MIT */
/*
 * json_write.c - an event as one line of JSON. Jansson keeps the order in which
 * fields are put, quotes texts and rejects those that are not UTF-8.
 */
#include "format/format.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "format/json_fields.h"

/*
 * Jansson escapes what JSON requires. Further characters that are not shown as
 * they are (base/utf8.h) are in strings only, where "\\u" and their number mean
 * the same; all of them are below U+10000.
 */
static void escape_from(struct buf *out, size_t start)
{
    struct buf raw = {0};
    uint32_t rune = 0;
    size_t used;

    while (start < out->len && out->data[start] < 0x7f)
        start++;
    buf_append(&raw, out->data + start, out->len - start);
    out->len = start;
    for (size_t i = 0; i < raw.len; i += used) {
        used = utf8_decode(raw.data + i, raw.len - i, &rune);
        BUG_UNLESS(used > 0);
        if (utf8_shown(raw.data + i, raw.len - i))
            buf_append(out, raw.data + i, used);
        else
            buf_printf(out, "\\u%04x", (unsigned)rune);
    }
    buf_release(&raw);
}

static int append(const char *text, size_t len, void *out)
{
    buf_append(out, text, len);
    return 0;
}

void json_write(const struct event *event, struct buf *out)
{
    size_t start = out->len;
    json_t *object = json_object();
    int failed;

    json_put(object, "seq", json_integer((json_int_t)event->seq));
    json_put(object, "event", json_string(event_name(event->kind)));
    /* A reader must meet the version before all that depends on it. The key
     * keeps this place when it is put again below. */
    if (event->kind == EVENT_START)
        json_put(object, "format", json_integer(event->start.format));
    json_put_fields(object, event);
    failed = json_dump_callback(object, append, out, JSON_COMPACT);
    BUG_UNLESS(!failed);
    escape_from(out, start);
    buf_append_text(out, "\n");
    json_decref(object);
}

struct json_sink {
    struct sink sink;
    FILE *out;
    struct buf line;
};

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct json_sink *json = (struct json_sink *)sink;

    buf_clear(&json->line);
    json_write(event, &json->line);
    return sink_write(json->out, json->line.data, json->line.len, err);
}

static void json_sink_free(struct sink *sink)
{
    struct json_sink *json = (struct json_sink *)sink;

    buf_release(&json->line);
    free(json);
}

struct sink *json_sink_new(FILE *out)
{
    struct json_sink *json = mem_alloc(sizeof *json);

    json->sink = (struct sink){.emit = emit, .free = json_sink_free};
    json->out = out;
    return &json->sink;
}

const char *json_library(void)
{
    return JANSSON_VERSION;
}
