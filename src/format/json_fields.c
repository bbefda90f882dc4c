/* SPDX-License-Identifier: MIT */
/*
 * json_fields.c - the fields of an event, read from the object of its line.
 *
 * As in the writer there is no code per kind of event, only per type of field.
 * Every value is checked for all that the rest of jittrace takes for granted
 * of an event; what is wrong is told with its line, its field and what would
 * be right.
 */
#include "format/json_fields.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"

#define LINE_MAX_NUMBER 1000000000 /* the sum of two still fits an int */

/* What the value of a field must be, as the end of a sentence. */
#define RIGHT_ADDR   "a text of \"0x\" and 1 to 16 lower-case hex digits"
#define RIGHT_BYTES  "a text of lower-case hex digits, two for each byte"
#define RIGHT_LINE   "a whole number from 1 to 1000000000"
#define RIGHT_OBJECT "an object"
#define RIGHT_REGS   "an object {\"rax\":\"0x...\",...} of all registers"
#define RIGHT_SIZE   "a whole number from 0 to 9007199254740991"
#define RIGHT_TEXT   "a text"

static const char *const right[] = {
    [FIELD_TYPE_ADDR] = RIGHT_ADDR,
    [FIELD_TYPE_OPT] = RIGHT_ADDR,
    [FIELD_TYPE_SIZE] = RIGHT_SIZE,
    [FIELD_TYPE_INT] =
        "a whole number from -9007199254740991 to 9007199254740991",
    [FIELD_TYPE_OPTINT] = RIGHT_SIZE,
    [FIELD_TYPE_PROT] = "a text such as \"rw-\" or \"r-x\"",
    [FIELD_TYPE_TEXT] = RIGHT_TEXT,
    [FIELD_TYPE_TEXTS] = "a list of texts",
    [FIELD_TYPE_BYTES] = RIGHT_BYTES,
    [FIELD_TYPE_REGS] = RIGHT_REGS,
    [FIELD_TYPE_OPTREGS] = RIGHT_REGS,
    [FIELD_TYPE_CHANGES] = "an object {\"rax\":[\"0xOLD\",\"0xNEW\"],...}",
    [FIELD_TYPE_READS] = "a list of objects {\"addr\":\"0x...\",\"bytes\":...}",
    [FIELD_TYPE_WRITES] =
        "a list of objects {\"addr\":\"0x...\",\"old\":...,\"new\":...}",
};

/* size bytes, all zero, that live as long as the event. */
static void *keep(struct json_line *line, size_t size)
{
    line->kept = mem_grow(line->kept, line->kept_count, &line->kept_capacity,
                          sizeof *line->kept);
    return line->kept[line->kept_count++] = mem_alloc(size);
}

void json_line_forget(struct json_line *line)
{
    while (line->kept_count)
        free(line->kept[--line->kept_count]);
    json_decref(line->root);
    line->root = NULL;
}

/* --- what is wrong ------------------------------------------------------- */

int json_fail(const struct json_line *line, const char *format, ...)
{
    struct buf message = {0};
    va_list args;

    buf_printf(&message, "%s:%" PRIu64 ": ", line->name, line->number);
    va_start(args, format);
    buf_vprintf(&message, format, args);
    va_end(args);
    err_set(line->err, ERR_DATA, "%s", buf_text(&message));
    buf_release(&message);
    return -1;
}

/*
 * Appends value as it would stand in the file, so far as it fits a message;
 * in ASCII, because a message must not carry control codes of the file.
 */
static void quote(const json_t *value, struct buf *out)
{
    enum { MOST = 40 };
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII;
    char *text = json_dumps(value, flags);

    BUG_UNLESS(text);
    buf_printf(out, "%.*s%s", MOST, text, strlen(text) > MOST ? "..." : "");
    free(text);
}

int json_fail_field(const struct json_line *line, const json_t *value,
                    const char *must_be, const char *field, ...)
{
    struct buf name = {0}, found = {0};
    va_list args;

    va_start(args, field);
    buf_vprintf(&name, field, args);
    va_end(args);
    if (value) {
        quote(value, &found);
        json_fail(line, "the field \"%s\" is %s, but it must be %s",
                  buf_text(&name), buf_text(&found), must_be);
    } else {
        json_fail(line, "the field \"%s\" is missing; it must be %s",
                  buf_text(&name), must_be);
    }
    buf_release(&name);
    buf_release(&found);
    return -1;
}

static int fail_register(struct json_line *line, const char *field,
                         const char *name)
{
    json_t *text = json_string(name);
    struct buf found = {0};

    quote(text, &found);
    json_fail(line,
              "the field \"%s\" names %s, which is no register; registers are "
              "named as \"rax\", \"r8\" or \"rflags\"",
              field, buf_text(&found));
    buf_release(&found);
    json_decref(text);
    return -1;
}

/* --- one value ------------------------------------------------------------ */

/* Each takes a value, or NULL for a missing one, and returns whether it is of
 * the wanted form. */

bool json_get_text(const json_t *value, const char **out)
{
    if (!json_is_string(value))
        return false;
    *out = json_string_value(value);
    return strlen(*out) == json_string_length(value);
}

bool json_get_number(const json_t *value, int64_t min, int64_t max,
                     int64_t *out)
{
    if (!json_is_integer(value))
        return false;
    *out = json_integer_value(value);
    return *out >= min && *out <= max;
}

static bool get_int(const json_t *value, int min, int max, int *out)
{
    int64_t number = 0;
    bool is_right = json_get_number(value, min, max, &number);

    *out = is_right ? (int)number : 0;
    return is_right;
}

/* The value of a lower-case hex digit, or -1. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool get_addr(const json_t *value, uint64_t *out)
{
    const char *text;

    if (!json_get_text(value, &text) || strncmp(text, "0x", 2) != 0)
        return false;
    text += 2;
    if (!*text || strlen(text) > 16)
        return false;
    for (*out = 0; *text; text++) {
        int digit = hex_digit(*text);

        if (digit < 0)
            return false;
        *out = *out << 4 | (unsigned)digit;
    }
    return true;
}

static bool get_bytes(struct json_line *line, const json_t *value,
                      struct bytes *out)
{
    const char *text;
    uint8_t *data;

    if (!json_get_text(value, &text) || strlen(text) % 2)
        return false;
    out->len = strlen(text) / 2;
    out->data = data = keep(line, out->len);
    for (size_t i = 0; i < out->len; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        data[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool get_prot(const json_t *value, unsigned *out)
{
    const char *text;
    char same[4];

    if (!json_get_text(value, &text))
        return false;
    *out = (strchr(text, 'r') ? PROT_READ : 0) |
           (strchr(text, 'w') ? PROT_WRITE : 0) |
           (strchr(text, 'x') ? PROT_EXEC : 0);
    prot_text(*out, same);
    return strcmp(text, same) == 0;
}

/* --- values with parts ---------------------------------------------------- */

static int read_texts(struct json_line *line, const char *field,
                      const json_t *value, struct texts *out)
{
    const char **list;

    if (!json_is_array(value))
        return json_fail_field(line, value, right[FIELD_TYPE_TEXTS], "%s",
                               field);
    out->count = json_array_size(value);
    out->list = list = keep(line, out->count * sizeof *list);
    for (size_t i = 0; i < out->count; i++) {
        const json_t *element = json_array_get(value, i);

        if (!json_get_text(element, &list[i]))
            return json_fail_field(line, element, RIGHT_TEXT, "%s[%zu]", field,
                                   i);
    }
    return 0;
}

static int read_regs(struct json_line *line, const char *field, json_t *value,
                     struct regs *out)
{
    const char *name;
    json_t *member;

    if (!json_is_object(value))
        return json_fail_field(line, value, RIGHT_REGS, "%s", field);
    json_object_foreach(value, name, member)
    {
        if (reg_find(name) == REG_NONE)
            return fail_register(line, field, name);
    }
    for (int reg = 0; reg < REG_COUNT; reg++) {
        name = reg_name((enum reg)reg);
        member = json_object_get(value, name);
        if (!get_addr(member, &out->value[reg]))
            return json_fail_field(line, member, RIGHT_ADDR, "%s.%s", field,
                                   name);
    }
    return 0;
}

static int read_changes(struct json_line *line, const char *field,
                        json_t *value, struct reg_changes *out)
{
    struct reg_change *change;
    const char *name;
    json_t *pair;

    if (!json_is_object(value))
        return json_fail_field(line, value, right[FIELD_TYPE_CHANGES], "%s",
                               field);
    out->list = change = keep(line, json_object_size(value) * sizeof *change);
    json_object_foreach(value, name, pair)
    {
        change->reg = reg_find(name);
        if (change->reg == REG_NONE)
            return fail_register(line, field, name);
        if (json_array_size(pair) != 2 ||
            !get_addr(json_array_get(pair, 0), &change->old_value) ||
            !get_addr(json_array_get(pair, 1), &change->new_value))
            return json_fail_field(line, pair, "a list [\"0xOLD\",\"0xNEW\"]",
                                   "%s.%s", field, name);
        out->count++;
        change++;
    }
    return 0;
}

/* A store replaces as many bytes as it brings. */
static int check_lengths(struct json_line *line, struct bytes before,
                         struct bytes after)
{
    if (!before.data || !after.data || before.len == after.len)
        return 0;
    return json_fail(line,
                     "a write has %zu old and %zu new bytes, but it must have "
                     "as many old as new ones",
                     before.len, after.len);
}

/* Bytes may be missing: their data stays NULL then. */
static int read_accesses(struct json_line *line,
                         const struct event_field *field, const json_t *value,
                         struct mem_accesses *out)
{
    bool read = field->type == FIELD_TYPE_READS;
    const char *old_key = read ? "bytes" : "old", *name = field->name;
    struct mem_access *list;

    if (!json_is_array(value))
        return json_fail_field(line, value, right[field->type], "%s", name);
    out->count = json_array_size(value);
    out->list = list = keep(line, out->count * sizeof *list);
    for (size_t i = 0; i < out->count; i++) {
        const json_t *object = json_array_get(value, i);
        const json_t *addr = json_object_get(object, "addr");
        const json_t *before = json_object_get(object, old_key);
        const json_t *after = read ? NULL : json_object_get(object, "new");

        if (!json_is_object(object))
            return json_fail_field(line, object, RIGHT_OBJECT, "%s[%zu]", name,
                                   i);
        if (!get_addr(addr, &list[i].addr))
            return json_fail_field(line, addr, RIGHT_ADDR, "%s[%zu].addr", name,
                                   i);
        if (before && !get_bytes(line, before, &list[i].old_bytes))
            return json_fail_field(line, before, RIGHT_BYTES, "%s[%zu].%s",
                                   name, i, old_key);
        if (after && !get_bytes(line, after, &list[i].new_bytes))
            return json_fail_field(line, after, RIGHT_BYTES, "%s[%zu].new",
                                   name, i);
        if (check_lengths(line, list[i].old_bytes, list[i].new_bytes) < 0)
            return -1;
    }
    return 0;
}

/* --- an event ------------------------------------------------------------- */

static int read_field(struct json_line *line, const struct event_field *field,
                      struct event *event)
{
    json_t *value = json_object_get(line->root, field->name);
    void *at = (char *)event + field->offset;
    struct opt_u64 *opt = at;
    struct opt_regs *regs = at;
    bool is_right = false;

    if (!value &&
        (field->type == FIELD_TYPE_OPT || field->type == FIELD_TYPE_OPTINT ||
         field->type == FIELD_TYPE_TEXT || field->type == FIELD_TYPE_BYTES ||
         field->type == FIELD_TYPE_OPTREGS))
        return 0;
    switch (field->type) {
    case FIELD_TYPE_ADDR:
        is_right = get_addr(value, at);
        break;
    case FIELD_TYPE_OPT:
        is_right = opt->known = get_addr(value, &opt->value);
        break;
    case FIELD_TYPE_INT:
        is_right =
            json_get_number(value, -JSON_NUMBER_MAX, JSON_NUMBER_MAX, at);
        break;
    case FIELD_TYPE_SIZE:
        is_right = json_get_number(value, 0, JSON_NUMBER_MAX, at);
        break;
    case FIELD_TYPE_OPTINT:
        is_right = opt->known =
            json_get_number(value, 0, JSON_NUMBER_MAX, (int64_t *)&opt->value);
        break;
    case FIELD_TYPE_PROT:
        is_right = get_prot(value, at);
        break;
    case FIELD_TYPE_TEXT:
        is_right = json_get_text(value, at);
        break;
    case FIELD_TYPE_BYTES:
        is_right = get_bytes(line, value, at);
        break;
    case FIELD_TYPE_TEXTS:
        return read_texts(line, field->name, value, at);
    case FIELD_TYPE_REGS:
        return read_regs(line, field->name, value, at);
    case FIELD_TYPE_OPTREGS:
        regs->known = true;
        return read_regs(line, field->name, value, &regs->value);
    case FIELD_TYPE_CHANGES:
        return read_changes(line, field->name, value, at);
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        return read_accesses(line, field, value, at);
    }
    if (is_right)
        return 0;
    return json_fail_field(line, value, right[field->type], "%s", field->name);
}

static int read_source(struct json_line *line, struct srcline *out)
{
    const json_t *source = json_object_get(line->root, "source");
    const json_t *file = json_object_get(source, "file");
    const json_t *number = json_object_get(source, "line");
    const json_t *text = json_object_get(source, "text");
    const json_t *excerpt = json_object_get(source, "excerpt");

    if (!source)
        return 0;
    if (!json_is_object(source))
        return json_fail_field(line, source, RIGHT_OBJECT, "source");
    if (!json_get_text(file, &out->file))
        return json_fail_field(line, file, RIGHT_TEXT, "source.file");
    if (!get_int(number, 1, LINE_MAX_NUMBER, &out->line))
        return json_fail_field(line, number, RIGHT_LINE, "source.line");
    if (text && !json_get_text(text, &out->text))
        return json_fail_field(line, text, RIGHT_TEXT, "source.text");
    if (!excerpt)
        return 0;
    if (!json_is_object(excerpt))
        return json_fail_field(line, excerpt, RIGHT_OBJECT, "source.excerpt");
    number = json_object_get(excerpt, "line");
    if (!get_int(number, 1, LINE_MAX_NUMBER, &out->excerpt_line))
        return json_fail_field(line, number, RIGHT_LINE, "source.excerpt.line");
    text = json_object_get(excerpt, "text");
    if (!json_get_text(text, &out->excerpt) || !*out->excerpt ||
        out->excerpt[strlen(out->excerpt) - 1] != '\n')
        return json_fail_field(line, text,
                               "a text of lines, each with its newline",
                               "source.excerpt.text");
    return 0;
}

int json_read_fields(struct json_line *line, struct event *event)
{
    const json_t *tid = json_object_get(line->root, "tid");
    const struct event_exit *ended = &event->exit;
    const struct event_write *write = &event->write;
    size_t count;
    const struct event_field *fields = event_fields(event->kind, &count);

    if (!get_int(tid, INT_MIN, INT_MAX, &event->tid))
        return json_fail_field(
            line, tid, "a whole number from -2147483648 to 2147483647", "tid");
    for (size_t i = 0; i < count; i++)
        if (!json_field_is_void(event, &fields[i]) &&
            read_field(line, &fields[i], event) < 0)
            return -1;
    if (event->kind == EVENT_WRITE &&
        check_lengths(line, write->old, write->new) < 0)
        return -1;
    if (event->kind == EVENT_EXIT && ended->status.known == ended->signal.known)
        return json_fail(line,
                         "the \"exit\" event has %s the fields \"status\" and "
                         "\"signal\", but it must have one of them",
                         ended->status.known ? "both" : "none of");
    return read_source(line, &event->source);
}
