/* SPDX-License-Identifier: MIT */
/*
 * split.c - several processes in one trace, each shown as if it were alone.
 *
 *     events ──▶ which process? ──▶ its sink ──▶ its stream ──▶ out
 *                                                 prefix, or nothing
 *
 * A sink keeps in mind what was where, by address, and what its reader was told
 * of that. So each process has a sink of its own. That of a child is given first
 * what made the memory it began with (trace/lineage.h), while its stream throws
 * away what the sink writes: that was told of the parent.
 */
#include "format/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "trace/lineage.h"

struct split;

struct part {
    struct split *split;
    int pid;
    struct sink *sink;
    FILE *stream; /* that the sink writes to */
    FILE *out;    /* that this writes to */
    bool has_past;
    bool silent;
    bool in_line; /* the last line is not ended */
    uint64_t seq; /* of the next event, in a file of its own */
};

struct split {
    struct sink sink;
    struct split_form form;
    struct lineage lineage;
    struct part **parts; /* the latest of a process is the one that counts */
    size_t count;
    size_t capacity;
};

/* --- the stream ----------------------------------------------------------- */

static bool put(struct part *part, const void *data, size_t len)
{
    return fwrite(data, 1, len, part->out) == len;
}

/* As fopencookie(3) wants it: 0 for a failure. */
static ssize_t write_part(void *cookie, const char *data, size_t size)
{
    struct part *part = cookie;
    const struct split *split = part->split;
    bool named = split->form.prefix && split->lineage.has_children;
    char prefix[32];

    if (part->silent)
        return (ssize_t)size;
    snprintf(prefix, sizeof prefix, "[pid %d] ", part->pid);
    for (size_t at = 0, len; at < size; at += len) {
        const char *end = memchr(data + at, '\n', size - at);

        len = end ? (size_t)(end - data) + 1 - at : size - at;
        if (named && !part->in_line && data[at] != '\n' &&
            !put(part, prefix, strlen(prefix)))
            return 0;
        if (!put(part, data + at, len))
            return 0;
        part->in_line = end == NULL;
    }
    return fflush(part->out) == 0 ? (ssize_t)size : 0;
}

/* --- the parts ------------------------------------------------------------ */

static void part_free(struct part *part)
{
    sink_free(part->sink);
    if (part->stream)
        fclose(part->stream);
    if (part->out && part->out != part->split->form.out)
        fclose(part->out);
    free(part);
}

static struct part *find(const struct split *split, int pid)
{
    for (size_t i = split->count; i-- > 0;)
        if (split->parts[i]->pid == pid)
            return split->parts[i];
    return NULL;
}

/* A sink that has seen nothing, for what the part goes on with. */
static void begin(struct part *part)
{
    const struct split_form *form = &part->split->form;

    sink_free(part->sink);
    part->sink = form->make(part->stream, form->context);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static FILE *open_file(const struct split_form *form, int pid, struct err *err)
{
    struct buf path = {0};
    FILE *out = NULL;

    buf_printf(&path, "%s.%d", form->name, pid);
    if (form->read && is_same_file(buf_text(&path), form->read))
        err_set(err, ERR_CREATE,
                "cannot write to '%s': it is the recording that is shown",
                buf_text(&path));
    else if (!(out = fopen(buf_text(&path), "we")))
        err_set(err, ERR_CREATE, "cannot write to '%s': %s", buf_text(&path),
                strerror(errno));
    buf_release(&path);
    return out;
}

/* NULL with err filled if its file cannot be made. */
static struct part *add(struct split *split, int pid, struct err *err)
{
    const cookie_io_functions_t functions = {.write = write_part};
    struct part *part = mem_alloc(sizeof *part);

    part->split = split;
    part->pid = pid;
    part->out =
        split->form.name ? open_file(&split->form, pid, err) : split->form.out;
    if (part->out)
        part->stream = fopencookie(part, "w", functions);
    if (part->out && !part->stream)
        err_set(err, ERR_OUTPUT, "cannot write: %s", strerror(errno));
    if (!part->stream) {
        part_free(part);
        return NULL;
    }
    begin(part);
    split->parts = mem_grow(split->parts, split->count, &split->capacity,
                            sizeof *split->parts);
    split->parts[split->count++] = part;
    return part;
}

/* In a file of its own it is a trace of its own. */
static int give(struct part *part, const struct event *event, struct err *err)
{
    struct event own = *event;

    if (!part->split->form.name)
        return sink_emit(part->sink, event, err);
    own.copy = NULL;
    own.seq = part->seq++;
    own.pid = 0;
    if (own.kind == EVENT_START)
        own.start.pid = part->pid;
    return sink_emit(part->sink, &own, err);
}

struct giving {
    struct part *part;
    struct err *err;
};

static int give_past(void *context, const struct event *event)
{
    struct giving *giving = context;

    return give(giving->part, event, giving->err);
}

static int take_past(struct part *part, struct err *err)
{
    struct split *split = part->split;
    struct giving giving = {part, err};
    int status;

    part->has_past = true;
    part->silent = !split->form.whole;
    status = lineage_replay(&split->lineage, part->pid, give_past, &giving);
    fflush(part->stream);
    part->silent = false;
    return status;
}

static int emit(struct sink *base, const struct event *event, struct err *err)
{
    struct split *split = (struct split *)base;
    int pid = lineage_pid(&split->lineage, event);
    struct part *part = find(split, pid);
    bool is_new = !part;
    struct event own = *event;

    lineage_take(&split->lineage, event);
    if (is_new)
        part = add(split, pid, err);
    if (!part)
        return -1;
    if (event->kind == EVENT_START || event->kind == EVENT_EXEC) {
        part->has_past = true;
        if (!split->form.whole || is_new)
            own = lineage_own(event, pid);
        if (event->kind == EVENT_EXEC && !split->form.whole && !is_new)
            begin(part);
    } else if (!part->has_past &&
               (split->form.whole || lineage_needs_past(event)) &&
               take_past(part, err) < 0) {
        return -1;
    }
    return give(part, &own, err);
}

static int finish(struct sink *base, struct err *err)
{
    struct split *split = (struct split *)base;
    struct err other;
    int status = 0;

    /* The process that began ends last. */
    for (size_t i = 1; i <= split->count; i++)
        if (sink_finish(split->parts[i % split->count]->sink,
                        status < 0 ? &other : err) < 0)
            status = -1;
    return status;
}

static void free_split(struct sink *base)
{
    struct split *split = (struct split *)base;

    while (split->count > 0)
        part_free(split->parts[--split->count]);
    free(split->parts);
    lineage_release(&split->lineage);
    free(split);
}

struct sink *split_sink_new(const struct split_form *form)
{
    struct split *split = mem_alloc(sizeof *split);

    split->sink =
        (struct sink){.emit = emit, .finish = finish, .free = free_split};
    split->form = *form;
    return &split->sink;
}
