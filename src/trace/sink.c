/* SPDX-License-Identifier: MIT */
#include "trace/sink.h"

#include <errno.h>

#include "base/mem.h"

int sink_emit(struct sink *sink, const struct event *event, struct err *err)
{
    return sink->emit(sink, event, err);
}

int sink_finish(struct sink *sink, struct err *err)
{
    return sink->finish ? sink->finish(sink, err) : 0;
}

void sink_free(struct sink *sink)
{
    if (sink)
        sink->free(sink);
}

int sink_write(FILE *out, const void *data, size_t len, struct err *err)
{
    if (len == 0)
        return 0;
    if (fwrite(data, 1, len, out) == len && fflush(out) == 0)
        return 0;
    return err_set(err, errno == EPIPE ? ERR_PIPE : ERR_OUTPUT,
                   "cannot write the trace: %s", strerror(errno));
}

/* --- a fan ---------------------------------------------------------------- */

struct branch {
    struct sink *sink;
    struct err lost; /* why it is given no more */
};

struct fan {
    struct sink sink;
    struct branch *list;
    size_t count;
    size_t capacity;
};

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct fan *fan = (struct fan *)sink;

    (void)err;
    for (size_t i = 0; i < fan->count; i++)
        if (fan->list[i].lost.kind == ERR_NONE)
            sink_emit(fan->list[i].sink, event, &fan->list[i].lost);
    return 0;
}

static int finish(struct sink *sink, struct err *err)
{
    struct fan *fan = (struct fan *)sink;
    int result = 0;

    for (size_t i = 0; i < fan->count; i++) {
        struct err *lost = &fan->list[i].lost;

        if (lost->kind == ERR_NONE)
            sink_finish(fan->list[i].sink, lost);
        if (lost->kind == ERR_NONE || lost->kind == ERR_PIPE)
            continue;
        *err = *lost;
        result = -1;
    }
    return result;
}

static void free_fan(struct sink *sink)
{
    struct fan *fan = (struct fan *)sink;

    for (size_t i = 0; i < fan->count; i++)
        sink_free(fan->list[i].sink);
    free(fan->list);
    free(fan);
}

struct sink *fan_new(void)
{
    struct fan *fan = mem_alloc(sizeof *fan);

    fan->sink = (struct sink){emit, finish, free_fan};
    return &fan->sink;
}

void fan_add(struct sink *sink, struct sink *added)
{
    struct fan *fan = (struct fan *)sink;

    fan->list =
        mem_grow(fan->list, fan->count, &fan->capacity, sizeof *fan->list);
    fan->list[fan->count++] = (struct branch){.sink = added};
}
