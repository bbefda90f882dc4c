/* SPDX-License-Identifier: MIT */
/*
 * json.c - an event as one line of JSON, and a recorded trace as a source of
 * events. What is in a line, both ways, is in json_fields.c.
 *
 * A recording comes from anywhere: cut by a full disk, edited by hand, made by
 * a later version, or no recording at all. What a later version may add is
 * skipped: unknown keys, unknown kinds, and after the exit event any
 * line that is not an event of ours.
 */
#include "format/format.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>

#include "base/mem.h"
#include "format/json_fields.h"

/* A line has at most the code of a mapping, two digits a byte. What is longer
 * has no end, as /dev/zero. */
#define LINE_MOST (256 << 20)

/* --- writing ------------------------------------------------------------- */

void json_write(const struct event *event, struct buf *out)
{
    json_t *object = json_object();

    json_put(object, "seq", json_integer((json_int_t)event->seq));
    json_put(object, "event", json_string(event_name(event->kind)));
    /* A reader must meet the version before all that depends on it. The key
     * keeps this place when it is put again below. */
    if (event->kind == EVENT_START)
        json_put(object, "format", json_integer(event->start.format));
    if (event->pid && event->kind != EVENT_START) /* which has it anyway */
        json_put(object, "pid", json_integer(event->pid));
    json_put_fields(object, event);
    json_append(object, 0, out);
    buf_append_text(out, "\n");
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

/* --- reading ------------------------------------------------------------- */

struct json_source {
    struct source source;
    FILE *in;

    struct json_line line; /* the latest one */
    struct buf text;       /* of it, without the newline */
    bool whole;            /* it ended with a newline */

    uint64_t next_seq; /* that the next event of the file must have */
    uint64_t yielded;  /* events so far, without those of unknown kind */
    int64_t root;      /* the process of the start event */
    bool ended;        /* its exit event was seen */
};

void json_line_forget(struct json_line *line)
{
    while (line->kept_count)
        free(line->kept[--line->kept_count]);
    json_decref(line->root);
    line->root = NULL;
}

/* Returns 1 for an event, 0 for a line to skip, -1 for a wrong one. */
static int take_line(struct json_source *json, struct event *event)
{
    const struct json_line *line = &json->line;
    const json_t *value = json_object_get(line->root, "event");
    const json_t *seq = json_object_get(line->root, "seq");
    const json_t *format = json_object_get(line->root, "format");
    const json_t *pid = json_object_get(line->root, "pid");
    const char *name = NULL;
    bool named = json_get_text(value, &name);
    enum event_kind kind = named ? event_find(name) : EVENT_KINDS;
    char right_seq[64];
    int64_t number;

    if (json->next_seq == 0 && kind != EVENT_START)
        return json_fail(line, "this is no trace of jittrace, or its beginning "
                               "is missing; the first line must be its "
                               "\"start\" event");
    if (!json_is_object(line->root))
        return json_fail(line,
                         "the line is JSON, but it must be one JSON object");
    /* Verdicts are found anew, from the events. */
    if (json->ended && (kind == EVENT_KINDS || kind == EVENT_VERDICT))
        return 0;
    if (!named)
        return json_fail_field(line, value,
                               "a text such as \"write\" or \"step\"",
                               &(struct json_path){.name = "event"});

    /* Where it stands in the trace: first, last, and in order. */
    if (json->ended)
        return json_fail(line,
                         "the event \"%s\" comes after the \"exit\" event, "
                         "which must be the last",
                         event_name(kind));
    if (json->next_seq > 0 && kind == EVENT_START)
        return json_fail(line,
                         "the \"start\" event comes a second time; a file "
                         "holds one trace");
    snprintf(right_seq, sizeof right_seq,
             "%" PRIu64 ", as events are numbered without a gap",
             json->next_seq);
    if (!json_get_number(seq, 0, JSON_NUMBER_MAX, &number) ||
        (uint64_t)number != json->next_seq)
        return json_fail_field(line, seq, right_seq,
                               &(struct json_path){.name = "seq"});
    json->next_seq++;
    if (kind == EVENT_KINDS || kind == EVENT_VERDICT)
        return 0;

    /* Before the other fields, which a newer format may have changed. */
    if (kind == EVENT_START &&
        !json_get_number(format, 1, JSON_NUMBER_MAX, &number))
        return json_fail_field(line, format, "a whole number from 1 on",
                               &(struct json_path){.name = "format"});
    if (kind == EVENT_START && number > TRACE_FORMAT)
        return json_fail(line,
                         "the trace has format %" PRId64 ", but this jittrace "
                         "reads formats up to %d; use a newer jittrace",
                         number, TRACE_FORMAT);
    *event = (struct event){.kind = kind, .seq = json->yielded};
    if (pid && kind != EVENT_START) {
        if (!json_get_number(pid, 1, INT_MAX, &number))
            return json_fail_field(line, pid,
                                   "a whole number from 1 to 2147483647",
                                   &(struct json_path){.name = "pid"});
        event->pid = (int)number;
    }
    if (json_read_fields(&json->line, event) < 0)
        return -1;
    if (kind == EVENT_START && event->start.arch &&
        strcmp(event->start.arch, ARCH_NAME) != 0)
        return json_fail(line,
                         "the trace is of another CPU than %s, which alone "
                         "this jittrace can show",
                         ARCH_NAME);
    json->yielded++;
    if (kind == EVENT_START)
        json->root = event->start.pid;
    json->ended =
        kind == EVENT_EXIT && (event->pid == 0 || event->pid == json->root);
    return 1;
}

/* The line is no JSON. Jansson's own sentences quote the file, control codes
 * and all; these do not. */
static int fail_syntax(struct json_source *json, const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    int column = error->column > 0 ? error->column : 1;
    bool has_nul = memchr(buf_text(&json->text), 0, json->text.len);

    if (has_nul && code == json_error_premature_end_of_input)
        return json_fail(&json->line,
                         "the line is no text: there is a NUL byte in it; a "
                         "trace is one JSON object a line");
    if (!json->whole &&
        (json->line.number > 1 || code == json_error_premature_end_of_input))
        return json_fail(&json->line,
                         "the trace is cut short in the middle of this line; "
                         "it must end with an \"exit\" event");
    if (code == json_error_duplicate_key)
        return json_fail(&json->line,
                         "a key stands twice in one object, the second time "
                         "before column %d; each may stand there once",
                         column);
    if (code == json_error_invalid_utf8)
        return json_fail(&json->line,
                         "the line is not valid UTF-8 after column %d; a trace "
                         "is one JSON object a line, in UTF-8",
                         column);
    if (code == json_error_numeric_overflow)
        return json_fail(&json->line,
                         "the number before column %d is too large; numbers in "
                         "a trace have at most 53 bits",
                         column + 1);
    return json_fail(&json->line,
                     "the line is not valid JSON at column %d; a trace is one "
                     "JSON object a line, the first of them its \"start\" "
                     "event",
                     column);
}

/* Returns 1, 0 at the end of the file, or -1. */
static int read_line(struct json_source *json)
{
    char part[4096];
    size_t len = 0;
    int c = 0;

    buf_clear(&json->text);
    flockfile(json->in);
    while (json->text.len + len <= LINE_MOST &&
           (c = getc_unlocked(json->in)) != EOF && c != '\n') {
        part[len++] = (char)c;
        if (len < sizeof part)
            continue;
        buf_append(&json->text, part, len);
        len = 0;
    }
    funlockfile(json->in);
    buf_append(&json->text, part, len);
    if (c == EOF && ferror(json->in))
        return err_set(json->line.err, ERR_NO_INPUT, "cannot read %s: %s",
                       json->line.name, strerror(errno));
    if (c == EOF && json->text.len == 0)
        return 0;
    json->whole = c == '\n';
    json->line.number++;
    if (json->text.len > LINE_MOST)
        return json_fail(&json->line,
                         "the line is longer than %d bytes, which no line of a "
                         "trace is",
                         LINE_MOST);
    return 1;
}

static int json_next(struct source *source, struct event *event,
                     struct err *err)
{
    struct json_source *json = (struct json_source *)source;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;
    int more, taken = 0;

    json->line.err = err;
    while (!taken) {
        more = read_line(json);
        if (more < 0 || (!more && json->ended))
            return more;
        if (!more && json->line.number > 0)
            return json_fail(&json->line,
                             "the trace is cut short after this line; it must "
                             "end with an \"exit\" event");
        if (!more) {
            json->line.number = 1;
            return json_fail(&json->line,
                             "the file is empty; a trace begins with a "
                             "\"start\" event");
        }
        json_line_forget(&json->line);
        /* An editor may leave empty lines at the end. */
        if (json->ended &&
            strspn(buf_text(&json->text), " \t\r") == json->text.len)
            continue;
        json->line.root =
            json_loadb(buf_text(&json->text), json->text.len, flags, &error);
        if (!json->line.root)
            return fail_syntax(json, &error);
        taken = take_line(json, event);
    }
    return taken;
}

static void json_source_free(struct source *source)
{
    struct json_source *json = (struct json_source *)source;

    json_line_forget(&json->line);
    free(json->line.kept);
    buf_release(&json->text);
    free(json->line.name);
    free(json);
}

struct source *json_source_new(FILE *in, const char *name)
{
    struct json_source *json = mem_alloc(sizeof *json);

    json->source = (struct source){.next = json_next, .free = json_source_free};
    json->in = in;
    json->line.name = mem_copy_text(name);
    return &json->source;
}

const struct json_line *json_source_line(const struct source *source)
{
    return &((const struct json_source *)source)->line;
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

void json_quote(const json_t *value, struct buf *out)
{
    enum { MOST = 40 };
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII;
    char *text = json_dumps(value, flags);

    BUG_UNLESS(text);
    buf_printf(out, "%.*s%s", MOST, text, strlen(text) > MOST ? "..." : "");
    free(text);
}

static void append_path(const struct json_path *path, struct buf *out)
{
    if (path->in)
        append_path(path->in, out);
    if (path->name)
        buf_printf(out, "%s%s", path->in ? "." : "", path->name);
    else
        buf_printf(out, "[%zu]", path->index);
}

int json_fail_field(const struct json_line *line, const json_t *value,
                    const char *right, const struct json_path *path)
{
    struct buf what = {0};

    append_path(path, &what);
    if (value) {
        buf_append_text(&what, "\" is ");
        json_quote(value, &what);
    }
    json_fail(line, "the field \"%s%s it must be %s", buf_text(&what),
              value ? ", but" : "\" is missing;", right);
    buf_release(&what);
    return -1;
}
