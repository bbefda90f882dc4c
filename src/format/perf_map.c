/* SPDX-License-Identifier: MIT */
/*
 * perf_map.c - the code as perf(1) wants it named: tools/perf/Documentation/
 * jit-interface.txt of the kernel, a line "START SIZE NAME" in bare hex for
 * each function. Of what the program has given no name the start is the name.
 *
 * The file is of one process: of several it has what the first one runs. A later
 * line for the same addresses counts more; so each is written as soon as it is
 * true.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "format/format.h"
#include "trace/view.h"

struct perf_map {
    struct sink sink;
    FILE *out;
    int root; /* the process that began */
    struct view view;
    struct ranges told; /* stretches without a name that have a line */
};

static int put(struct perf_map *map, uint64_t addr, uint64_t length,
               const char *name, struct err *err)
{
    struct buf line = {0};
    int result;

    buf_printf(&line, "%" PRIx64 " %" PRIx64 " ", addr, length);
    utf8_escape((struct bytes){(const uint8_t *)name, strlen(name)}, &line);
    buf_append_text(&line, "\n");
    result = sink_write(map->out, line.data, line.len, err);
    buf_release(&line);
    return result;
}

/* What runs and has no name: all that is known of the mapping, once. */
static int put_unnamed(struct perf_map *map, uint64_t addr, struct err *err)
{
    const struct region *region = view_region_at(&map->view, addr);
    struct range_value *value;
    uint64_t first, last;
    struct buf name = {0};
    int result;

    if (!region || ranges_at(&map->view.labels.ranges, addr) ||
        ranges_at(&map->told, addr) ||
        !pages_extent(&map->view.pages, region->addr, region->length, &first,
                      &last))
        return 0;
    value = range_value_new(sizeof *value);
    ranges_set(&map->told, first, last + 1, value);
    range_value_drop(value);
    buf_printf(&name, "code@0x%" PRIx64, first);
    result = put(map, first, last + 1 - first, buf_text(&name), err);
    buf_release(&name);
    return result;
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct perf_map *map = (struct perf_map *)sink;

    if (event->kind == EVENT_START)
        map->root = (int)event->start.pid;
    if (event->pid && event->pid != map->root)
        return 0;
    view_apply(&map->view, event);
    switch (event->kind) {
    case EVENT_NAME:
        return event->name.name ? put(map, event->name.addr, event->name.length,
                                      event->name.name, err)
                                : 0;
    case EVENT_ENTER:
        return put_unnamed(map, event->enter.addr, err);
    case EVENT_STEP:
        return put_unnamed(map, event->step.addr, err);
    case EVENT_MAP:
        ranges_forget(&map->told, event->map.addr,
                      event->map.addr + event->map.length);
        return 0;
    case EVENT_UNMAP:
        ranges_forget(&map->told, event->unmap.addr,
                      event->unmap.addr + event->unmap.length);
        return 0;
    default:
        return 0;
    }
}

static void perf_map_sink_free(struct sink *sink)
{
    struct perf_map *map = (struct perf_map *)sink;

    ranges_release(&map->told);
    view_release(&map->view);
    free(map);
}

struct sink *perf_map_sink_new(FILE *out)
{
    struct perf_map *map = mem_alloc(sizeof *map);

    map->sink = (struct sink){.emit = emit, .free = perf_map_sink_free};
    map->out = out;
    return &map->sink;
}
