/* SPDX-License-Identifier: MIT */
/*
 * json_write.c - an event as one line of JSON.
 *
 * There is no code per kind of event here, only per type of field: the fields
 * come from trace/event.def in the order in which they are written. Jansson
 * keeps that order, quotes texts and rejects those that are not UTF-8.
 */
#include "format/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "format/json_fields.h"

/* Adds a member, whose value becomes the object's. */
static void put(json_t *object, const char *key, json_t *value)
{
    BUG_UNLESS(json_object_set_new_nocheck(object, key, value) == 0);
}

static void add(json_t *array, json_t *value)
{
    BUG_UNLESS(json_array_append_new(array, value) == 0);
}

static json_t *number_json(int64_t value)
{
    BUG_UNLESS(value >= -JSON_NUMBER_MAX && value <= JSON_NUMBER_MAX);
    return json_integer(value);
}

static json_t *addr_json(uint64_t value)
{
    char text[sizeof "0x" + 16];
    int len = snprintf(text, sizeof text, "0x%" PRIx64, value);

    return json_stringn_nocheck(text, (size_t)len);
}

static json_t *bytes_json(struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = mem_resize(NULL, bytes.len, 2);
    json_t *json;

    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    json = json_stringn_nocheck(text, 2 * bytes.len);
    free(text);
    return json;
}

/*
 * The length in bytes of the UTF-8 character at the start of text, 0 if there
 * is none. Jansson is asked, as what it takes is what it will read again. The
 * shortest that it takes is one character, and none is longer than four bytes
 * (RFC 3629, 3).
 */
static size_t character_length(const char *text)
{
    size_t max = strnlen(text, 4);

    for (size_t len = 1; len <= max; len++) {
        json_t *taken = json_stringn(text, len);

        json_decref(taken);
        if (taken)
            return len;
    }
    return 0;
}

/* The text, with U+FFFD in place of each byte that is no part of UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    struct buf buf = {0};

    if (json)
        return json;
    while (*text) {
        size_t len = character_length(text);

        if (len)
            buf_append(&buf, text, len);
        else
            buf_append_text(&buf, "\xef\xbf\xbd");
        text += len ? len : 1;
    }
    json = json_string(buf_text(&buf));
    buf_release(&buf);
    return json;
}

static json_t *texts_json(const struct texts *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < texts->count; i++)
        add(array, text_json(texts->list[i]));
    return array;
}

static json_t *regs_json(const struct regs *regs)
{
    json_t *object = json_object();

    for (int reg = 0; reg < REG_COUNT; reg++)
        put(object, reg_name((enum reg)reg), addr_json(regs->value[reg]));
    return object;
}

static json_t *changes_json(const struct reg_changes *changes)
{
    json_t *object = json_object();

    for (size_t i = 0; i < changes->count; i++) {
        const struct reg_change *change = &changes->list[i];
        json_t *pair = json_array();

        add(pair, addr_json(change->old_value));
        add(pair, addr_json(change->new_value));
        put(object, reg_name(change->reg), pair);
    }
    return object;
}

static json_t *accesses_json(const struct mem_accesses *accesses,
                             const char *old_key)
{
    json_t *array = json_array();

    for (size_t i = 0; i < accesses->count; i++) {
        const struct mem_access *access = &accesses->list[i];
        json_t *object = json_object();

        put(object, "addr", addr_json(access->addr));
        if (access->old_bytes.data)
            put(object, old_key, bytes_json(access->old_bytes));
        if (access->new_bytes.data)
            put(object, "new", bytes_json(access->new_bytes));
        add(array, object);
    }
    return array;
}

/* The value of a field, or NULL when it is one to leave out. */
static json_t *field_json(enum field_type type, const void *at)
{
    const struct opt_u64 *opt = at;
    const struct opt_regs *regs = at;
    const struct bytes *bytes = at;
    const char *text;
    char prot[4];

    switch (type) {
    case FIELD_TYPE_ADDR:
        return addr_json(*(const uint64_t *)at);
    case FIELD_TYPE_OPT:
        return opt->known ? addr_json(opt->value) : NULL;
    case FIELD_TYPE_SIZE:
    case FIELD_TYPE_INT:
        return number_json(*(const int64_t *)at);
    case FIELD_TYPE_OPTINT:
        return opt->known ? number_json((int64_t)opt->value) : NULL;
    case FIELD_TYPE_PROT:
        prot_text(*(const unsigned *)at, prot);
        return json_string(prot);
    case FIELD_TYPE_TEXT:
        text = *(const char *const *)at;
        return text ? text_json(text) : NULL;
    case FIELD_TYPE_TEXTS:
        return texts_json(at);
    case FIELD_TYPE_BYTES:
        return bytes->data ? bytes_json(*bytes) : NULL;
    case FIELD_TYPE_REGS:
        return regs_json(at);
    case FIELD_TYPE_OPTREGS:
        return regs->known ? regs_json(&regs->value) : NULL;
    case FIELD_TYPE_CHANGES:
        return changes_json(at);
    case FIELD_TYPE_READS:
        return accesses_json(at, "bytes");
    case FIELD_TYPE_WRITES:
        return accesses_json(at, "old");
    }
    return NULL;
}

static void put_source(json_t *object, const struct srcline *source)
{
    json_t *place = json_object(), *excerpt;

    put(place, "file", text_json(source->file));
    put(place, "line", number_json(source->line));
    if (source->text)
        put(place, "text", text_json(source->text));
    if (source->excerpt) {
        excerpt = json_object();
        put(excerpt, "line", number_json(source->excerpt_line));
        put(excerpt, "text", text_json(source->excerpt));
        put(place, "excerpt", excerpt);
    }
    put(object, "source", place);
}

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
    size_t start = out->len, count;
    const struct event_field *fields = event_fields(event->kind, &count);
    json_t *object = json_object(), *value;
    int failed;

    put(object, "seq", number_json((int64_t)event->seq));
    put(object, "event", json_string(event_name(event->kind)));
    /* A reader must meet the version before all that depends on it. The key
     * keeps this place when it is put again below. */
    if (event->kind == EVENT_START)
        put(object, "format", number_json(event->start.format));
    put(object, "tid", number_json(event->tid));
    for (size_t i = 0; i < count; i++) {
        if (json_field_is_void(event, &fields[i]))
            continue;
        value =
            field_json(fields[i].type, (const char *)event + fields[i].offset);
        if (value)
            put(object, fields[i].name, value);
    }
    if (event->source.file)
        put_source(object, &event->source);
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
