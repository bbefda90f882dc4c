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

int json_fail(const struct json_line *line, struct err *err, const char *format,
              ...)
{
    struct buf message = {0};
    va_list args;

    buf_printf(&message, "%s:%" PRIu64 ": ", line->name, line->number);
    va_start(args, format);
    buf_vprintf(&message, format, args);
    va_end(args);
    err_set(err, ERR_DATA, "%s", buf_text(&message));
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

int json_fail_field(const struct json_line *line, const char *field,
                    const json_t *value, const char *right, struct err *err)
{
    struct buf found = {0};

    if (value)
        quote(value, &found);
    if (value)
        json_fail(line, err, "the field \"%s\" is %s, but it must be %s", field,
                  buf_text(&found), right);
    else
        json_fail(line, err, "the field \"%s\" is missing; it must be %s",
                  field, right);
    buf_release(&found);
    return -1;
}

/* The same for a part of a field: "regs" and ".rax", "reads" and "[0].addr" */
static int fail_part(const struct json_line *line, const char *field,
                     const char *part, const json_t *value, const char *right,
                     struct err *err)
{
    struct buf path = {0};

    buf_printf(&path, "%s%s", field, part);
    json_fail_field(line, buf_text(&path), value, right, err);
    buf_release(&path);
    return -1;
}

/* What the value of a field must be, as the end of a sentence. */
#define RIGHT_ADDR   "a text of \"0x\" and 1 to 16 lower-case hex digits"
#define RIGHT_BYTES  "a text of lower-case hex digits, two for each byte"
#define RIGHT_INT    "a whole number from -9007199254740991 to 9007199254740991"
#define RIGHT_INT32  "a whole number from -2147483648 to 2147483647"
#define RIGHT_LINE   "a whole number from 1 to 1000000000"
#define RIGHT_LINES  "a text of lines, each with its newline"
#define RIGHT_OBJECT "an object"
#define RIGHT_PAIR   "a list [\"0xOLD\",\"0xNEW\"]"
#define RIGHT_PROT   "a text such as \"rw-\" or \"r-x\""
#define RIGHT_REGS   "an object {\"rax\":\"0x...\",...} of all registers"
#define RIGHT_SIZE   "a whole number from 0 to 9007199254740991"
#define RIGHT_TEXT   "a text"

static const char *const right[] = {
    [FIELD_TYPE_ADDR] = RIGHT_ADDR,
    [FIELD_TYPE_OPT] = RIGHT_ADDR,
    [FIELD_TYPE_SIZE] = RIGHT_SIZE,
    [FIELD_TYPE_INT] = RIGHT_INT,
    [FIELD_TYPE_OPTINT] = RIGHT_SIZE,
    [FIELD_TYPE_PROT] = RIGHT_PROT,
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

/*
 * The get functions take a value, or NULL for a missing one, and return
 * whether it is of the wanted form.
 */

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

static bool get_int32(const json_t *value, int *out)
{
    int64_t number;

    if (!json_get_number(value, INT_MIN, INT_MAX, &number))
        return false;
    *out = (int)number;
    return true;
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

/* Fields of one value only; false for a wrong one. */
static bool get_field(struct json_line *line, enum field_type type,
                      const json_t *value, void *at)
{
    struct opt_u64 *opt = at;
    int64_t number;

    switch (type) {
    case FIELD_TYPE_ADDR:
        return get_addr(value, at);
    case FIELD_TYPE_OPT:
        return opt->known = get_addr(value, &opt->value);
    case FIELD_TYPE_INT:
        return json_get_number(value, -JSON_NUMBER_MAX, JSON_NUMBER_MAX, at);
    case FIELD_TYPE_SIZE:
        return json_get_number(value, 0, JSON_NUMBER_MAX, at);
    case FIELD_TYPE_OPTINT:
        if (!json_get_number(value, 0, JSON_NUMBER_MAX, &number))
            return false;
        *opt = (struct opt_u64){true, (uint64_t)number};
        return true;
    case FIELD_TYPE_PROT:
        return get_prot(value, at);
    case FIELD_TYPE_TEXT:
        return json_get_text(value, at);
    case FIELD_TYPE_BYTES:
        return get_bytes(line, value, at);
    default:
        return false;
    }
}

/*
 * The read functions take the value of a field that has parts, and fill err
 * with the part that is wrong.
 */

static int read_texts(struct json_line *line, const char *field,
                      const json_t *value, struct texts *out, struct err *err)
{
    const char **list;

    if (!json_is_array(value))
        return json_fail_field(line, field, value, right[FIELD_TYPE_TEXTS],
                               err);
    out->count = json_array_size(value);
    out->list = list = keep(line, out->count * sizeof *list);
    for (size_t i = 0; i < out->count; i++) {
        const json_t *element = json_array_get(value, i);
        char part[32];

        snprintf(part, sizeof part, "[%zu]", i);
        if (!json_get_text(element, &list[i]))
            return fail_part(line, field, part, element, RIGHT_TEXT, err);
    }
    return 0;
}

static int fail_register(struct json_line *line, const char *field,
                         const char *name, struct err *err)
{
    json_t *text = json_string(name);
    struct buf found = {0};

    quote(text, &found);
    json_fail(line, err,
              "the field \"%s\" names %s, which is no register; registers are "
              "named as \"rax\", \"r8\" or \"rflags\"",
              field, buf_text(&found));
    buf_release(&found);
    json_decref(text);
    return -1;
}

static int read_regs(struct json_line *line, const char *field, json_t *value,
                     struct regs *out, struct err *err)
{
    const char *name;
    json_t *member;

    if (!json_is_object(value))
        return json_fail_field(line, field, value, right[FIELD_TYPE_REGS], err);
    json_object_foreach(value, name, member)
    {
        if (reg_find(name) == REG_NONE)
            return fail_register(line, field, name, err);
    }
    for (int reg = 0; reg < REG_COUNT; reg++) {
        char part[32];

        name = reg_name((enum reg)reg);
        member = json_object_get(value, name);
        snprintf(part, sizeof part, ".%s", name);
        if (!get_addr(member, &out->value[reg]))
            return fail_part(line, field, part, member, RIGHT_ADDR, err);
    }
    return 0;
}

static int read_change(struct json_line *line, const char *field,
                       const char *name, const json_t *pair,
                       struct reg_change *out, struct err *err)
{
    char part[32];

    out->reg = reg_find(name);
    if (out->reg == REG_NONE)
        return fail_register(line, field, name, err);
    if (json_array_size(pair) == 2 &&
        get_addr(json_array_get(pair, 0), &out->old_value) &&
        get_addr(json_array_get(pair, 1), &out->new_value))
        return 0;
    snprintf(part, sizeof part, ".%s", name);
    return fail_part(line, field, part, pair, RIGHT_PAIR, err);
}

static int read_changes(struct json_line *line, const char *field,
                        json_t *value, struct reg_changes *out, struct err *err)
{
    struct reg_change *list;
    const char *name;
    json_t *pair;

    if (!json_is_object(value))
        return json_fail_field(line, field, value, right[FIELD_TYPE_CHANGES],
                               err);
    out->list = list = keep(line, json_object_size(value) * sizeof *list);
    json_object_foreach(value, name, pair)
    {
        if (read_change(line, field, name, pair, &list[out->count++], err) < 0)
            return -1;
    }
    return 0;
}

/* Bytes that may be missing: out->data stays NULL then. */
static int read_part_bytes(struct json_line *line, const char *field,
                           size_t index, const json_t *object, const char *key,
                           struct bytes *out, struct err *err)
{
    const json_t *value = json_object_get(object, key);
    char part[64];

    if (!value || get_bytes(line, value, out))
        return 0;
    snprintf(part, sizeof part, "[%zu].%s", index, key);
    return fail_part(line, field, part, value, RIGHT_BYTES, err);
}

/* A store replaces as many bytes as it brings. */
static int check_lengths(struct json_line *line, struct bytes before,
                         struct bytes after, struct err *err)
{
    if (!before.data || !after.data || before.len == after.len)
        return 0;
    return json_fail(line, err,
                     "a write has %zu old and %zu new bytes, but it must have "
                     "as many old as new ones",
                     before.len, after.len);
}

static int read_access(struct json_line *line, const struct event_field *field,
                       size_t index, const json_t *object,
                       struct mem_access *out, struct err *err)
{
    bool read = field->type == FIELD_TYPE_READS;
    const json_t *addr = json_object_get(object, "addr");
    char part[32];

    snprintf(part, sizeof part, "[%zu]", index);
    if (!json_is_object(object))
        return fail_part(line, field->name, part, object, RIGHT_OBJECT, err);
    snprintf(part, sizeof part, "[%zu].addr", index);
    if (!get_addr(addr, &out->addr))
        return fail_part(line, field->name, part, addr, RIGHT_ADDR, err);
    if (read_part_bytes(line, field->name, index, object,
                        read ? "bytes" : "old", &out->old_bytes, err) < 0)
        return -1;
    if (!read && read_part_bytes(line, field->name, index, object, "new",
                                 &out->new_bytes, err) < 0)
        return -1;
    return check_lengths(line, out->old_bytes, out->new_bytes, err);
}

static int read_accesses(struct json_line *line,
                         const struct event_field *field, const json_t *value,
                         struct mem_accesses *out, struct err *err)
{
    struct mem_access *list;

    if (!json_is_array(value))
        return json_fail_field(line, field->name, value, right[field->type],
                               err);
    out->count = json_array_size(value);
    out->list = list = keep(line, out->count * sizeof *list);
    for (size_t i = 0; i < out->count; i++)
        if (read_access(line, field, i, json_array_get(value, i), &list[i],
                        err) < 0)
            return -1;
    return 0;
}

/* Fields that an event may do without. */
static bool is_optional(enum field_type type)
{
    return type == FIELD_TYPE_OPT || type == FIELD_TYPE_OPTINT ||
           type == FIELD_TYPE_TEXT || type == FIELD_TYPE_BYTES ||
           type == FIELD_TYPE_OPTREGS;
}

static int read_field(struct json_line *line, const struct event_field *field,
                      struct event *event, struct err *err)
{
    json_t *value = json_object_get(line->root, field->name);
    void *at = (char *)event + field->offset;

    if (!value && is_optional(field->type))
        return 0;
    switch (field->type) {
    case FIELD_TYPE_TEXTS:
        return read_texts(line, field->name, value, at, err);
    case FIELD_TYPE_REGS:
        return read_regs(line, field->name, value, at, err);
    case FIELD_TYPE_OPTREGS:
        ((struct opt_regs *)at)->known = true;
        return read_regs(line, field->name, value,
                         &((struct opt_regs *)at)->value, err);
    case FIELD_TYPE_CHANGES:
        return read_changes(line, field->name, value, at, err);
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        return read_accesses(line, field, value, at, err);
    default:
        if (get_field(line, field->type, value, at))
            return 0;
        return json_fail_field(line, field->name, value, right[field->type],
                               err);
    }
}

static int check_exit(struct json_line *line, const struct event_exit *ended,
                      struct err *err)
{
    if (ended->status.known != ended->signal.known)
        return 0;
    return json_fail(line, err,
                     "the \"exit\" event has %s the fields \"status\" and "
                     "\"signal\", but it must have one of them",
                     ended->status.known ? "both" : "none of");
}

static int read_fields(struct json_line *line, struct event *event,
                       struct err *err)
{
    size_t count;
    const struct event_field *fields = event_fields(event->kind, &count);

    for (size_t i = 0; i < count; i++) {
        if (json_field_is_void(event, &fields[i]))
            continue;
        if (read_field(line, &fields[i], event, err) < 0)
            return -1;
    }
    if (event->kind == EVENT_WRITE)
        return check_lengths(line, event->write.old, event->write.new, err);
    if (event->kind == EVENT_EXIT)
        return check_exit(line, &event->exit, err);
    return 0;
}

#define LINE_MAX_NUMBER 1000000000

/* The number of a line in a source; the sum of two still fits an int. */
static bool get_line(const json_t *value, int *out)
{
    int64_t number;

    if (!json_get_number(value, 1, LINE_MAX_NUMBER, &number))
        return false;
    *out = (int)number;
    return true;
}

static bool get_lines(const json_t *value, const char **out)
{
    return json_get_text(value, out) && **out &&
           (*out)[strlen(*out) - 1] == '\n';
}

static int read_excerpt(struct json_line *line, const json_t *excerpt,
                        struct srcline *out, struct err *err)
{
    const json_t *number = json_object_get(excerpt, "line");
    const json_t *text = json_object_get(excerpt, "text");

    if (!excerpt)
        return 0;
    if (!json_is_object(excerpt))
        return json_fail_field(line, "source.excerpt", excerpt, RIGHT_OBJECT,
                               err);
    if (!get_line(number, &out->excerpt_line))
        return json_fail_field(line, "source.excerpt.line", number, RIGHT_LINE,
                               err);
    if (!get_lines(text, &out->excerpt))
        return json_fail_field(line, "source.excerpt.text", text, RIGHT_LINES,
                               err);
    return 0;
}

static int read_source(struct json_line *line, struct srcline *out,
                       struct err *err)
{
    const json_t *source = json_object_get(line->root, "source");
    const json_t *file = json_object_get(source, "file");
    const json_t *number = json_object_get(source, "line");
    const json_t *text = json_object_get(source, "text");

    if (!source)
        return 0;
    if (!json_is_object(source))
        return json_fail_field(line, "source", source, RIGHT_OBJECT, err);
    if (!json_get_text(file, &out->file))
        return json_fail_field(line, "source.file", file, RIGHT_TEXT, err);
    if (!get_line(number, &out->line))
        return json_fail_field(line, "source.line", number, RIGHT_LINE, err);
    if (text && !json_get_text(text, &out->text))
        return json_fail_field(line, "source.text", text, RIGHT_TEXT, err);
    return read_excerpt(line, json_object_get(source, "excerpt"), out, err);
}

int json_read_fields(struct json_line *line, struct event *event,
                     struct err *err)
{
    const json_t *tid = json_object_get(line->root, "tid");

    if (!get_int32(tid, &event->tid))
        return json_fail_field(line, "tid", tid, RIGHT_INT32, err);
    if (read_fields(line, event, err) < 0)
        return -1;
    return read_source(line, &event->source, err);
}
