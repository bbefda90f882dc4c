/* SPDX-License-Identifier: MIT */
/*
 * asciicast.c - the text, as asciinema plays it: "asciicast v2" of its
 * documentation. A header, then a line for each event: [seconds, "o", text], or
 * "m" for a marker, which a player can jump to.
 *
 * The program's own speed would be no use to a reader, so the time is that of
 * reading: so much for each line.
 */
#include <jansson.h>

#include "base/mem.h"
#include "format/format.h"
#include "format/json_fields.h"
#include "tell/pen.h"
#include "trace/view.h"

#define SECONDS_A_LINE  0.25
#define SECONDS_AT_MOST 2.5

struct cast {
    struct sink sink;
    FILE *out;
    char *text; /* what the text sink has written */
    size_t len; /* of it */
    FILE *stream;
    struct sink *telling;
    bool color;
    double now;
    bool begun;
};

static int put(struct cast *cast, json_t *value, struct err *err)
{
    struct buf line = {0};
    int result;

    json_append(value, JSON_REAL_PRECISION(6), &line);
    buf_append_text(&line, "\n");
    result = sink_write(cast->out, line.data, line.len, err);
    buf_release(&line);
    return result;
}

static int put_row(struct cast *cast, const char *kind, const char *data,
                   struct err *err)
{
    json_t *row = json_array();

    json_put(row, NULL, json_real(cast->now));
    json_put(row, NULL, json_string(kind));
    json_put(row, NULL, json_of_text(data));
    return put(cast, row, err);
}

/* The stage that a line is the heading of, or STAGES. */
static enum stage heading(const char *line, size_t len)
{
    struct buf plain = {0}, expected = {0};
    enum stage stage = 0;
    const char *text;

    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\033') /* colours: "\033[1m" */
            while (i < len && line[i] != 'm')
                i++;
        else
            buf_append(&plain, &line[i], 1);
    }
    text = buf_text(&plain);
    if (strncmp(text, "[pid ", 5) == 0 && strstr(text, "] ")) /* a child's */
        text = strstr(text, "] ") + 2;
    for (; stage < STAGES; stage++) {
        buf_clear(&expected);
        buf_printf(&expected, "%d  %s", (int)stage + 1, stage_name(stage));
        if (strcmp(text, buf_text(&expected)) == 0)
            break;
    }
    buf_release(&plain);
    buf_release(&expected);
    return stage;
}

/* What the text sink has written since, line by line, as a terminal takes it:
 * a line feed alone does not go back to the first column. */
static int put_text(struct cast *cast, struct err *err)
{
    struct buf text = {0};
    int result = 0;

    fflush(cast->stream);
    for (size_t at = 0, len; result == 0 && at < cast->len; at += len) {
        const char *line = cast->text + at;
        const char *end = memchr(line, '\n', cast->len - at);
        enum stage stage;

        len = end ? (size_t)(end - line) : cast->len - at;
        stage = heading(line, len);
        if (stage < STAGES)
            result = put_row(cast, "m", stage_name(stage), err);
        buf_clear(&text);
        buf_append(&text, line, len);
        buf_append_text(&text, end ? "\r\n" : "");
        len += end != NULL;
        if (result == 0)
            result = put_row(cast, "o", buf_text(&text), err);
        cast->now += SECONDS_A_LINE;
    }
    buf_release(&text);
    rewind(cast->stream);
    return result;
}

static int begin(struct cast *cast, const struct event *start, struct err *err)
{
    json_t *header = json_object();
    struct buf title = {0};

    cast->begun = true;
    json_put(header, "version", json_integer(2));
    json_put(header, "width", json_integer(PEN_WIDTH));
    json_put(header, "height", json_integer(24));
    for (size_t i = 0; i < start->start.argv.count; i++)
        buf_printf(&title, "%s%s", i ? " " : "", start->start.argv.list[i]);
    json_put(header, "title", json_of_text(buf_text(&title)));
    buf_release(&title);
    return put(cast, header, err);
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct cast *cast = (struct cast *)sink;

    if (!cast->begun && begin(cast, event, err) < 0)
        return -1;
    return sink_emit(cast->telling, event, err) < 0 ? -1 : put_text(cast, err);
}

static int finish(struct sink *sink, struct err *err)
{
    struct cast *cast = (struct cast *)sink;

    return sink_finish(cast->telling, err) < 0 ? -1 : put_text(cast, err);
}

static void cast_sink_free(struct sink *sink)
{
    struct cast *cast = (struct cast *)sink;

    sink_free(cast->telling);
    fclose(cast->stream);
    free(cast->text);
    free(cast);
}

static struct sink *make_text(FILE *out, const void *context)
{
    const struct cast *cast = context;

    return text_sink_new(out, cast->color);
}

struct sink *asciicast_sink_new(FILE *out, bool color)
{
    struct cast *cast = mem_alloc(sizeof *cast);

    cast->sink = (struct sink){emit, finish, cast_sink_free};
    cast->out = out;
    cast->stream = open_memstream(&cast->text, &cast->len);
    BUG_UNLESS(cast->stream);
    cast->color = color;
    cast->telling = split_sink_new(&(struct split_form){
        make_text, .context = cast, .out = cast->stream, .prefix = true});
    return &cast->sink;
}
