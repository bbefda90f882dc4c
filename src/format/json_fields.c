/* SPDX-License-Identifier: MIT */
/*
 * json_fields.c - what an event says as JSON, and read from there.
 *
 * There is no code per kind of event here, only per type of value: the fields
 * come from trace/event.def in the order in which they are written, and what
 * has parts (the source, an access to memory) has a table of fields as well.
 *
 * What is read is checked for all that the rest of jittrace takes for granted
 * of an event; what is wrong is told with its line, its field and what would
 * be right.
 */
#include "format/json_fields.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

/* The types of values that are no fields of a kind of event. */
enum {
    TYPE_TID = FIELD_TYPE_ROWS + 1,
    TYPE_NAME, /* a text that must be there */
    TYPE_LINE,
    TYPE_LINES,
    TYPE_EXCERPT,
    TYPE_SOURCE,
    TYPE_READ,
    TYPE_WRITE,
    TYPE_CALLER,
    TYPE_ROW,
    TYPE_PARAMS, /* texts, absent when there are none */
    TYPES,
};

#define PART(type, key, of, member)                               \
    {                                                             \
        (enum field_type)(type), key, offsetof(struct of, member) \
    }

static const struct event_field excerpt_fields[] = {
    PART(TYPE_LINE, "line", srcline, excerpt_line),
    PART(TYPE_LINES, "text", srcline, excerpt),
};
static const struct event_field source_fields[] = {
    PART(TYPE_NAME, "file", srcline, file),
    PART(TYPE_LINE, "line", srcline, line),
    PART(FIELD_TYPE_TEXT, "text", srcline, text),
    {(enum field_type)TYPE_EXCERPT, "excerpt", 0},
};
static const struct event_field read_fields[] = {
    PART(FIELD_TYPE_ADDR, "addr", mem_access, addr),
    PART(FIELD_TYPE_BYTES, "bytes", mem_access, old_bytes),
};
static const struct event_field write_fields[] = {
    PART(FIELD_TYPE_ADDR, "addr", mem_access, addr),
    PART(FIELD_TYPE_BYTES, "old", mem_access, old_bytes),
    PART(FIELD_TYPE_BYTES, "new", mem_access, new_bytes),
};

static const struct event_field caller_fields[] = {
    PART(TYPE_SOURCE, "source", caller, source),
    PART(FIELD_TYPE_TEXT, "symbol", caller, symbol),
};
static const struct event_field callee_fields[] = {
    PART(TYPE_NAME, "symbol", callee, symbol),
    PART(FIELD_TYPE_TEXT, "module", callee, module),
    PART(FIELD_TYPE_TEXT, "known_by", callee, known_by),
    PART(TYPE_PARAMS, "params", callee, params),
    PART(FIELD_TYPE_TEXT, "result", callee, result),
};
static const struct event_field row_fields[] = {
    PART(FIELD_TYPE_SIZE, "offset", line_row, offset),
    PART(TYPE_NAME, "file", line_row, file),
    PART(TYPE_LINE, "line", line_row, line),
};

static const struct event_field tid_field = PART(TYPE_TID, "tid", event, tid);
static const struct event_field source_field =
    PART(TYPE_SOURCE, "source", event, source);

#define RIGHT_ADDR "a text of \"0x\" and 1 to 16 lower-case hex digits"
#define RIGHT_SIZE "a whole number from 0 to 9007199254740991"
#define RIGHT_REGS "an object {\"rax\":\"0x...\",...} of all registers"
#define PARTS(table)                         \
    .right = "an object", .fields = (table), \
    .count = sizeof(table) / sizeof *(table)

static const struct {
    const char *right; /* what it must be, as the end of a sentence */
    const struct event_field *fields;
    size_t count;
    bool optional;
    int64_t min; /* of a number */
    int64_t max;
} types[TYPES] = {
    [FIELD_TYPE_ADDR] = {.right = RIGHT_ADDR},
    [FIELD_TYPE_OPT] = {.right = RIGHT_ADDR, .optional = true},
    [FIELD_TYPE_SIZE] = {.right = RIGHT_SIZE, .max = JSON_NUMBER_MAX},
    [FIELD_TYPE_INT] =
        {.right = "a whole number from -9007199254740991 to 9007199254740991",
         .min = -JSON_NUMBER_MAX,
         .max = JSON_NUMBER_MAX},
    [FIELD_TYPE_OPTINT] = {.right = RIGHT_SIZE,
                           .optional = true,
                           .max = JSON_NUMBER_MAX},
    [FIELD_TYPE_PROT] = {.right = "a text such as \"rw-\" or \"r-x\""},
    [FIELD_TYPE_TEXT] = {.right = "a text", .optional = true},
    [FIELD_TYPE_TEXTS] = {.right = "a list of texts"},
    [FIELD_TYPE_BYTES] =
        {.right = "a text of lower-case hex digits, two for each byte",
         .optional = true},
    [FIELD_TYPE_REGS] = {.right = RIGHT_REGS},
    [FIELD_TYPE_OPTREGS] = {.right = RIGHT_REGS, .optional = true},
    [FIELD_TYPE_CHANGES] =
        {.right = "an object {\"rax\":[\"0xOLD\",\"0xNEW\"],...}"},
    [FIELD_TYPE_VREGS] = {.right =
                              "an object {\"xmm0\":[\"0xOLD\",\"0xNEW\"],...}",
                          .optional = true},
    [FIELD_TYPE_VALUES] = {.right = "an object {\"xmm0\":\"0x...\",...}",
                           .optional = true},
    [FIELD_TYPE_READS] =
        {.right = "a list of objects {\"addr\":\"0x...\",\"bytes\":...}"},
    [FIELD_TYPE_WRITES] =
        {.right =
             "a list of objects {\"addr\":\"0x...\",\"old\":...,\"new\":...}"},
    [FIELD_TYPE_CALLERS] =
        {.right = "a list of objects {\"source\":...,\"symbol\":...}",
         .optional = true},
    [FIELD_TYPE_CALLEE] = {PARTS(callee_fields), .optional = true},
    [FIELD_TYPE_ROWS] =
        {.right =
             "a list of objects {\"offset\":...,\"file\":...,\"line\":...}",
         .optional = true},
    [TYPE_TID] = {.right = "a whole number from -2147483648 to 2147483647",
                  .min = INT_MIN,
                  .max = INT_MAX},
    [TYPE_NAME] = {.right = "a text"},
    /* The sum of two still fits an int. */
    [TYPE_LINE] = {.right = "a whole number from 1 to 1000000000",
                   .min = 1,
                   .max = 1000000000},
    [TYPE_LINES] = {.right = "a text of lines, each with its newline"},
    [TYPE_EXCERPT] = {PARTS(excerpt_fields), .optional = true},
    [TYPE_SOURCE] = {PARTS(source_fields), .optional = true},
    [TYPE_READ] = {PARTS(read_fields)},
    [TYPE_WRITE] = {PARTS(write_fields)},
    [TYPE_CALLER] = {PARTS(caller_fields)},
    [TYPE_ROW] = {PARTS(row_fields)},
    [TYPE_PARAMS] = {.right = "a list of texts", .optional = true},
};

/* Whether the field says nothing in this event: code_offset, which follows code
 * in event.def, when there is no code. */
static bool is_void(const struct event *event, const struct event_field *field)
{
    const void *code;

    if (strcmp(field->name, "code_offset") != 0)
        return false;
    code = (const char *)event + field[-1].offset;
    return !((const struct bytes *)code)->data;
}

/* --- writing ------------------------------------------------------------- */

void json_put(json_t *in, const char *key, json_t *value)
{
    int failed = key ? json_object_set_new_nocheck(in, key, value)
                     : json_array_append_new(in, value);

    BUG_UNLESS(!failed);
}

static void put_parts(json_t *object, const struct event_field *fields,
                      size_t count, const void *at);

/* "xmm0": a value, or old and new ones. */
static json_t *vregs_json(const struct vreg_changes *vregs)
{
    json_t *json = json_object();

    for (size_t i = 0; i < vregs->count; i++) {
        const struct vreg_change *change = &vregs->list[i];
        json_t *value = json_of_wide(change->new_bytes);
        struct buf name = {0};

        if (change->old_bytes.data) {
            json_t *pair = json_array();

            json_put(pair, NULL, json_of_wide(change->old_bytes));
            json_put(pair, NULL, value);
            value = pair;
        }
        vreg_name(change->reg, change->new_bytes.len, &name);
        json_put(json, buf_text(&name), value);
        buf_release(&name);
    }
    return json;
}

/* The value, or NULL when it is one to leave out. */
static json_t *value_json(int type, const void *at)
{
    const struct opt_u64 *opt = at;
    const struct opt_regs *opt_regs = at;
    const struct bytes *bytes = at;
    const struct texts *texts = at;
    const struct srcline *source = at;
    const struct reg_changes *changes = at;
    const struct vreg_changes *vregs = at;
    const struct mem_accesses *accesses = at;
    const struct callers *callers = at;
    const struct line_rows *rows = at;
    const char *text;
    json_t *json, *value;
    char prot[4];

    switch (type) {
    case FIELD_TYPE_ADDR:
        return json_of_addr(*(const uint64_t *)at);
    case FIELD_TYPE_OPT:
        return opt->known ? json_of_addr(opt->value) : NULL;
    case FIELD_TYPE_SIZE:
    case FIELD_TYPE_INT:
        return json_of_number(*(const int64_t *)at);
    case FIELD_TYPE_OPTINT:
        return opt->known ? json_of_number((int64_t)opt->value) : NULL;
    case TYPE_TID:
    case TYPE_LINE:
        return json_of_number(*(const int *)at);
    case FIELD_TYPE_PROT:
        prot_text(*(const unsigned *)at, prot);
        return json_string(prot);
    case FIELD_TYPE_TEXT:
    case TYPE_NAME:
    case TYPE_LINES:
        text = *(const char *const *)at;
        return text ? json_of_text(text) : NULL;
    case FIELD_TYPE_BYTES:
        return bytes->data ? json_of_bytes(*bytes) : NULL;
    case FIELD_TYPE_OPTREGS:
        return opt_regs->known ? value_json(FIELD_TYPE_REGS, &opt_regs->value)
                               : NULL;
    case FIELD_TYPE_REGS:
        json = json_object();
        for (int reg = 0; reg < REG_COUNT; reg++)
            json_put(json, reg_name((enum reg)reg),
                     json_of_addr(((const struct regs *)at)->value[reg]));
        return json;
    case FIELD_TYPE_CHANGES:
        json = json_object();
        for (size_t i = 0; i < changes->count; i++) {
            value = json_array();
            json_put(value, NULL, json_of_addr(changes->list[i].old_value));
            json_put(value, NULL, json_of_addr(changes->list[i].new_value));
            json_put(json, reg_name(changes->list[i].reg), value);
        }
        return json;
    case FIELD_TYPE_VREGS:
    case FIELD_TYPE_VALUES:
        return vregs->count ? vregs_json(vregs) : NULL;
    case FIELD_TYPE_CALLERS:
        json = callers->count > 0 ? json_array() : NULL;
        for (size_t i = 0; i < callers->count; i++)
            json_put(json, NULL, value_json(TYPE_CALLER, &callers->list[i]));
        return json;
    case FIELD_TYPE_ROWS:
        json = rows->count > 0 ? json_array() : NULL;
        for (size_t i = 0; i < rows->count; i++)
            json_put(json, NULL, value_json(TYPE_ROW, &rows->list[i]));
        return json;
    case FIELD_TYPE_TEXTS:
    case TYPE_PARAMS:
        if (type == TYPE_PARAMS && texts->count == 0)
            return NULL;
        json = json_array();
        for (size_t i = 0; i < texts->count; i++)
            json_put(json, NULL, json_of_text(texts->list[i]));
        return json;
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        json = json_array();
        type = type == FIELD_TYPE_READS ? TYPE_READ : TYPE_WRITE;
        for (size_t i = 0; i < accesses->count; i++)
            json_put(json, NULL, value_json(type, &accesses->list[i]));
        return json;
    case FIELD_TYPE_CALLEE:
        if (!((const struct callee *)at)->symbol)
            return NULL;
        break;
    case TYPE_EXCERPT:
    case TYPE_SOURCE:
        if (!(type == TYPE_SOURCE ? source->file : source->excerpt))
            return NULL;
        break;
    }
    json = json_object();
    put_parts(json, types[type].fields, types[type].count, at);
    return json;
}

static void put_parts(json_t *object, const struct event_field *fields,
                      size_t count, const void *at)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value =
            value_json(fields[i].type, (const char *)at + fields[i].offset);

        if (value)
            json_put(object, fields[i].name, value);
    }
}

void json_put_fields(json_t *object, const struct event *event)
{
    size_t count;
    const struct event_field *fields = event_fields(event->kind, &count);

    put_parts(object, &tid_field, 1, event);
    for (size_t i = 0; i < count; i++)
        if (!is_void(event, &fields[i]))
            put_parts(object, &fields[i], 1, event);
    put_parts(object, &source_field, 1, event);
}

/* --- reading ------------------------------------------------------------- */

static int fail_register(const struct json_line *line, const char *name,
                         const struct json_path *path)
{
    json_t *text = json_string(name);
    struct buf quoted = {0};

    json_quote(text, &quoted);
    json_fail(line,
              "the field \"%s\" names %s, which is no register; registers are "
              "named as \"rax\", \"r8\" or \"rflags\"",
              path->name, buf_text(&quoted));
    buf_release(&quoted);
    json_decref(text);
    return -1;
}

/* A store replaces as many bytes as it brings. */
static int check_lengths(const struct json_line *line, struct bytes before,
                         struct bytes after)
{
    if (!before.data || !after.data || before.len == after.len)
        return 0;
    return json_fail(line,
                     "a write has %zu old and %zu new bytes, but it must have "
                     "as many old as new ones",
                     before.len, after.len);
}

static bool get_number(const json_t *value, int type, int64_t *out)
{
    return json_get_number(value, types[type].min, types[type].max, out);
}

static int read_regs(struct json_line *line, json_t *object, struct regs *out,
                     const struct json_path *path)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        if (reg_find(name) == REG_NONE)
            return fail_register(line, name, path);
    }
    for (int reg = 0; reg < REG_COUNT; reg++) {
        name = reg_name((enum reg)reg);
        value = json_object_get(object, name);
        if (!json_get_addr(value, &out->value[reg]))
            return json_fail_field(line, value, RIGHT_ADDR,
                                   &(struct json_path){path, name, 0});
    }
    return 0;
}

static int read_changes(struct json_line *line, json_t *object,
                        struct reg_changes *out, const struct json_path *path)
{
    struct reg_change *change;
    const char *name;
    json_t *pair;

    out->list = change =
        json_keep(line, json_object_size(object) * sizeof *change);
    json_object_foreach(object, name, pair)
    {
        change->reg = reg_find(name);
        if (change->reg == REG_NONE)
            return fail_register(line, name, path);
        if (json_array_size(pair) != 2 ||
            !json_get_addr(json_array_get(pair, 0), &change->old_value) ||
            !json_get_addr(json_array_get(pair, 1), &change->new_value))
            return json_fail_field(line, pair, "a list [\"0xOLD\",\"0xNEW\"]",
                                   &(struct json_path){path, name, 0});
        out->count++;
        change++;
    }
    return 0;
}

/* Values, or pairs of them. Of one register there is one name only. */
static int read_vregs(struct json_line *line, json_t *object, bool pairs,
                      struct vreg_changes *out, const struct json_path *path)
{
    const char *right = pairs ? "a list of two texts \"0x...\", each with as "
                                "many digits as the register has"
                              : "a text \"0x...\" with as many digits as the "
                                "register has";
    struct vreg_change *change;
    bool seen[VREG_COUNT] = {false};
    const char *name;
    json_t *value;
    size_t size;

    out->list = change =
        json_keep(line, json_object_size(object) * sizeof *change);
    json_object_foreach(object, name, value)
    {
        const json_t *now = pairs ? json_array_get(value, 1) : value;

        if (!vreg_find(name, &change->reg, &size) || seen[change->reg])
            return fail_register(line, name, path);
        seen[change->reg] = true;
        if ((pairs && (json_array_size(value) != 2 ||
                       !json_get_wide(line, json_array_get(value, 0), size,
                                      &change->old_bytes))) ||
            !json_get_wide(line, now, size, &change->new_bytes))
            return json_fail_field(line, value, right,
                                   &(struct json_path){path, name, 0});
        out->count++;
        change++;
    }
    return 0;
}

static int read_value(struct json_line *line, json_t *value, int type, void *at,
                      const struct json_path *path);

/* The elements of a list into an array; size is that of each, in bytes. */
static int read_list(struct json_line *line, const json_t *list, int type,
                     void *out, size_t size, const struct json_path *path)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct mem_access *access = (void *)((char *)out + i * size);

        if (read_value(line, json_array_get(list, i), type, access,
                       &(struct json_path){path, NULL, i}) < 0 ||
            (type == TYPE_WRITE &&
             check_lengths(line, access->old_bytes, access->new_bytes) < 0))
            return -1;
    }
    return 0;
}

static int read_parts(struct json_line *line, const json_t *object,
                      const struct event_field *fields, size_t count, void *at,
                      const struct json_path *in)
{
    for (size_t i = 0; i < count; i++)
        if (read_value(line, json_object_get(object, fields[i].name),
                       fields[i].type, (char *)at + fields[i].offset,
                       &(struct json_path){in, fields[i].name, 0}) < 0)
            return -1;
    return 0;
}

static int read_value(struct json_line *line, json_t *value, int type, void *at,
                      const struct json_path *path)
{
    struct opt_u64 *opt = at;
    struct opt_regs *regs = at;
    struct mem_access *access = at;
    struct caller *who;
    struct line_row *row;
    size_t count = json_array_size(value);
    const char **text = at;
    int64_t number = 0;
    bool is_right = false;

    if (!value && types[type].optional)
        return 0;
    switch (type) {
    case FIELD_TYPE_ADDR:
        is_right = json_get_addr(value, at);
        break;
    case FIELD_TYPE_OPT:
        is_right = opt->known = json_get_addr(value, &opt->value);
        break;
    case FIELD_TYPE_OPTINT:
        is_right = opt->known = get_number(value, type, (int64_t *)&opt->value);
        break;
    case FIELD_TYPE_SIZE:
    case FIELD_TYPE_INT:
        is_right = get_number(value, type, at);
        break;
    case TYPE_TID:
    case TYPE_LINE:
        is_right = get_number(value, type, &number);
        *(int *)at = (int)number;
        break;
    case FIELD_TYPE_PROT:
        is_right = json_get_prot(value, at);
        break;
    case FIELD_TYPE_TEXT:
    case TYPE_NAME:
        is_right = json_get_text(value, text);
        break;
    case TYPE_LINES:
        is_right = json_get_text(value, text) && **text &&
                   (*text)[strlen(*text) - 1] == '\n';
        break;
    case FIELD_TYPE_BYTES:
        is_right = json_get_bytes(line, value, at);
        break;
    case FIELD_TYPE_TEXTS:
    case TYPE_PARAMS:
        text = json_keep(line, count * sizeof *text);
        *(struct texts *)at = (struct texts){text, count};
        if (json_is_array(value))
            return read_list(line, value, FIELD_TYPE_TEXT, text, sizeof *text,
                             path);
        break;
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        access = json_keep(line, count * sizeof *access);
        *(struct mem_accesses *)at = (struct mem_accesses){access, count};
        if (json_is_array(value))
            return read_list(line, value, type - FIELD_TYPE_READS + TYPE_READ,
                             access, sizeof *access, path);
        break;
    case FIELD_TYPE_CALLERS:
        who = json_keep(line, count * sizeof *who);
        *(struct callers *)at = (struct callers){who, count};
        if (json_is_array(value))
            return read_list(line, value, TYPE_CALLER, who, sizeof *who, path);
        break;
    case FIELD_TYPE_ROWS:
        row = json_keep(line, count * sizeof *row);
        *(struct line_rows *)at = (struct line_rows){row, count};
        if (json_is_array(value))
            return read_list(line, value, TYPE_ROW, row, sizeof *row, path);
        break;
    case FIELD_TYPE_OPTREGS:
        regs->known = true;
        at = &regs->value;
        /* fall through */
    case FIELD_TYPE_REGS:
        if (json_is_object(value))
            return read_regs(line, value, at, path);
        break;
    case FIELD_TYPE_CHANGES:
        if (json_is_object(value))
            return read_changes(line, value, at, path);
        break;
    case FIELD_TYPE_VREGS:
    case FIELD_TYPE_VALUES:
        if (json_is_object(value))
            return read_vregs(line, value, type == FIELD_TYPE_VREGS, at, path);
        break;
    default:
        if (json_is_object(value))
            return read_parts(line, value, types[type].fields,
                              types[type].count, at, path);
    }
    return is_right ? 0 : json_fail_field(line, value, types[type].right, path);
}

int json_read_fields(struct json_line *line, struct event *event)
{
    const struct event_exit *ended = &event->exit;
    const struct event_write *write = &event->write;
    size_t count;
    const struct event_field *fields = event_fields(event->kind, &count);

    if (read_parts(line, line->root, &tid_field, 1, event, NULL) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!is_void(event, &fields[i]) &&
            read_parts(line, line->root, &fields[i], 1, event, NULL) < 0)
            return -1;
    if (event->kind == EVENT_WRITE &&
        check_lengths(line, write->old, write->new) < 0)
        return -1;
    if (event->kind == EVENT_EXIT && ended->status.known == ended->signal.known)
        return json_fail(line,
                         "the \"exit\" event has %s the fields \"status\" and "
                         "\"signal\", but it must have one of them",
                         ended->status.known ? "both" : "none of");
    return read_parts(line, line->root, &source_field, 1, event, NULL);
}
