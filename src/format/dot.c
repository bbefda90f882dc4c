/* SPDX-License-Identifier: MIT */
/*
 * dot.c - the way that control took through generated code, with how often, as
 * a graph for Graphviz (the language "dot" of its documentation).
 *
 * A spot is an instruction that was executed, or a place outside of the code
 * that control came from or went to. Where code was changed, what stood there
 * before is another spot, and each process has its own. Spots that always come
 * one behind the other are drawn as one box.
 */
#include <search.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cpu/insn.h"
#include "format/format.h"
#include "trace/views.h"

struct spot {
    int pid; /* 0: children are not followed */
    uint64_t addr;
    uint64_t start;     /* of the mapping it lies in */
    struct bytes bytes; /* of the instruction; none: it lies outside */
    char *text;
    char *place;       /* the name of addr, as far as it has one */
    uint64_t count;    /* how often it was executed, or passed */
    size_t number;     /* from 0 on, in the order of what came first */
    size_t in, out;    /* how many edges there are */
    struct spot *next; /* where the last one of these leads to */
    bool is_joined;    /* drawn in the box of the one before */
};

struct edge {
    const struct spot *from, *to;
    uint64_t count;
};

struct row {
    int tid;
    struct spot *at; /* what was executed last; NULL: nothing is known */
};

struct graph {
    struct sink sink;
    FILE *out;
    struct views views;
    void *by_content; /* trees of tsearch(3) */
    void *by_ends;
    struct spot **spots;
    size_t spot_count, spot_capacity;
    struct edge **edges;
    size_t edge_count, edge_capacity;
    struct row *rows;
    size_t row_count, row_capacity;
    struct buf title;
    struct buf injected; /* lines of the title: what --inject did */
    bool limited;        /* something was not watched */
};

static int compare_spots(const void *left, const void *right)
{
    const struct spot *a = left, *b = right;

    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    if (a->addr != b->addr)
        return a->addr < b->addr ? -1 : 1;
    if (a->bytes.len != b->bytes.len)
        return a->bytes.len < b->bytes.len ? -1 : 1;
    return a->bytes.len ? memcmp(a->bytes.data, b->bytes.data, a->bytes.len)
                        : strcmp(a->text, b->text);
}

static int compare_edges(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    size_t x = a->from == b->from ? a->to->number : a->from->number;
    size_t y = a->from == b->from ? b->to->number : b->from->number;

    return x < y ? -1 : x > y;
}

static struct row *row_of(struct graph *graph, int tid)
{
    for (size_t i = 0; i < graph->row_count; i++)
        if (graph->rows[i].tid == tid)
            return &graph->rows[i];
    graph->rows = mem_grow(graph->rows, graph->row_count, &graph->row_capacity,
                           sizeof *graph->rows);
    graph->rows[graph->row_count] = (struct row){.tid = tid};
    return &graph->rows[graph->row_count++];
}

/* The spot with that content, new or not. */
static struct spot *spot_of(struct graph *graph, int pid, uint64_t addr,
                            struct bytes bytes, const char *text)
{
    struct spot key = {
        .pid = pid, .addr = addr, .bytes = bytes, .text = (char *)text};
    const struct view *view = views_of(&graph->views, pid);
    struct spot **found = tfind(&key, &graph->by_content, compare_spots);
    const struct region *region = view_region_at(view, addr);
    struct spot *spot;
    struct buf place = {0};

    if (found)
        return *found;
    spot = mem_alloc(sizeof *spot);
    *spot = key;
    spot->start = region ? region->start : addr;
    spot->bytes.data = mem_copy(bytes.data, bytes.len);
    spot->text = mem_copy_text(text);
    if (labels_describe(&view->labels, addr, &place))
        spot->place = mem_copy_text(buf_text(&place));
    buf_release(&place);
    spot->number = graph->spot_count;
    graph->spots = mem_grow(graph->spots, graph->spot_count,
                            &graph->spot_capacity, sizeof(struct spot *));
    graph->spots[graph->spot_count++] = spot;
    BUG_UNLESS(tsearch(spot, &graph->by_content, compare_spots));
    return spot;
}

/* Control of that thread comes to a spot; from where it was, if it is known. */
static void come_to(struct graph *graph, int tid, struct spot *to)
{
    struct row *row = row_of(graph, tid);
    struct edge key = {row->at, to, 0}, **found, *edge;

    to->count++;
    if (row->at) {
        found = tfind(&key, &graph->by_ends, compare_edges);
        edge = found ? *found : mem_copy(&key, sizeof key);
        edge->count++;
        if (!found) {
            graph->edges =
                mem_grow(graph->edges, graph->edge_count, &graph->edge_capacity,
                         sizeof(struct edge *));
            graph->edges[graph->edge_count++] = edge;
            BUG_UNLESS(tsearch(edge, &graph->by_ends, compare_edges));
        }
    }
    row->at = to;
}

static void come_from_outside(struct graph *graph, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    struct buf text = {0};

    if (word_is(enter->how, "return") && row_of(graph, event->tid)->at)
        return; /* from what was called: control is there */
    buf_printf(&text, "%s", enter->how ? enter->how : "entered");
    if (event->source.file)
        buf_printf(&text, " at %s:%d", event->source.file, event->source.line);
    row_of(graph, event->tid)->at = NULL;
    come_to(graph, event->tid,
            spot_of(graph, event->pid,
                    enter->return_to.known ? enter->return_to.value : 0,
                    (struct bytes){0}, buf_text(&text)));
    buf_release(&text);
}

static void go_outside(struct graph *graph, const struct event *event)
{
    const struct event_leave *leave = &event->leave;
    const char *name =
        leave->callee.symbol ? leave->callee.symbol : leave->to_symbol;
    struct buf text = {0};

    buf_printf(&text, "%s", leave->how);
    if (name)
        buf_printf(&text, " to %s", name);
    else
        buf_printf(&text, " to 0x%" PRIx64, leave->to);
    come_to(graph, event->tid,
            spot_of(graph, event->pid, leave->to, (struct bytes){0},
                    buf_text(&text)));
    if (!word_is(leave->how, "call") && !word_is(leave->how, "signal"))
        row_of(graph, event->tid)->at = NULL;
    buf_release(&text);
}

/* A label: what is no plain text is shown by its bytes, and what dot takes for
 * its own is escaped. The line is one that begins at the left. */
static void put_line(struct buf *out, const char *text)
{
    struct buf shown = {0};

    utf8_escape((struct bytes){(const uint8_t *)text, strlen(text)}, &shown);
    for (const char *c = buf_text(&shown); *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_append_text(out, "\\");
        buf_append(out, c, 1);
    }
    buf_append_text(out, "\\l");
    buf_release(&shown);
}

/* Each thing that was made otherwise is said once, however often it was. */
static void note_injected(struct graph *graph, const struct event *event)
{
    struct buf text = {0};

    if (event_injected_by(event, &text) &&
        !strstr(buf_text(&graph->injected), buf_text(&text)))
        put_line(&graph->injected, buf_text(&text));
    buf_release(&text);
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct graph *graph = (struct graph *)sink;
    struct insn insn;
    bool decoded;

    (void)err;
    views_apply(&graph->views, event);
    note_injected(graph, event);
    switch (event->kind) {
    case EVENT_START:
        for (size_t i = 0; i < event->start.argv.count; i++)
            buf_printf(&graph->title, "%s%s", i ? " " : "",
                       event->start.argv.list[i]);
        break;
    case EVENT_ENTER:
        come_from_outside(graph, event);
        break;
    case EVENT_STEP:
        decoded = view_decode_step(views_of(&graph->views, event->pid),
                                   &event->step, &insn);
        come_to(graph, event->tid,
                spot_of(graph, event->pid, event->step.addr, event->step.bytes,
                        decoded ? insn.text : event->step.text));
        break;
    case EVENT_LEAVE:
        go_outside(graph, event);
        break;
    case EVENT_LIMIT:
        graph->limited = true;
        row_of(graph, event->tid)->at = NULL;
        break;
    default:
        break;
    }
    return 0;
}

/* --- what is drawn -------------------------------------------------------- */

static void put_insn(struct buf *out, const struct spot *spot, uint64_t first)
{
    struct buf line = {0};

    buf_printf(&line, "+%-3" PRIu64 " ", spot->addr - first);
    for (size_t i = 0; i < spot->bytes.len; i++)
        buf_printf(&line, "%02x ", spot->bytes.data[i]);
    buf_printf(&line, " %s", spot->text);
    put_line(out, buf_text(&line));
    buf_release(&line);
}

/* Which spots are drawn with the one before. */
static void join(struct graph *graph)
{
    for (size_t i = 0; i < graph->edge_count; i++) {
        struct spot *from = graph->spots[graph->edges[i]->from->number];
        struct spot *to = graph->spots[graph->edges[i]->to->number];

        from->out++;
        from->next = to;
        to->in++;
    }
    for (size_t i = 0; i < graph->spot_count; i++) {
        struct spot *from = graph->spots[i], *to = from->next;

        if (from->bytes.len && from->out == 1 && to->bytes.len && to->in == 1 &&
            to->addr == from->addr + from->bytes.len &&
            to->count == from->count)
            to->is_joined = true;
        else
            from->next = NULL;
    }
}

static void put_box(const struct spot *spot, struct buf *out)
{
    uint64_t first = spot->start;
    struct buf title = {0};

    buf_printf(out, "  n%zu [label=\"", spot->number);
    if (spot->bytes.len == 0) {
        put_line(out, spot->text);
        buf_append_text(out, "\", style=dashed];\n");
        return;
    }
    if (spot->pid)
        buf_printf(&title, "process %d, ", spot->pid);
    if (spot->place)
        buf_printf(&title, "%s, ", spot->place);
    buf_printf(&title, "0x%" PRIx64 ", %" PRIu64 " time%s", first, spot->count,
               spot->count == 1 ? "" : "s");
    put_line(out, buf_text(&title));
    for (; spot; spot = spot->next)
        put_insn(out, spot, first);
    buf_append_text(out, "\"];\n");
    buf_release(&title);
}

/* The first spot of the box that it is drawn in. */
static size_t *boxes(const struct graph *graph)
{
    size_t *box = mem_alloc(graph->spot_count * sizeof *box);

    for (size_t i = 0; i < graph->spot_count; i++)
        if (!graph->spots[i]->is_joined)
            for (struct spot *at = graph->spots[i]; at; at = at->next)
                box[at->number] = i;
    return box;
}

static int finish(struct sink *sink, struct err *err)
{
    struct graph *graph = (struct graph *)sink;
    struct buf out = {0};
    size_t *box;
    int result;

    buf_append_text(&out, "digraph jittrace {\n"
                          "  node [shape=box, fontname=\"monospace\"];\n"
                          "  edge [fontname=\"monospace\"];\n"
                          "  labelloc=t;\n  label=\"");
    put_line(&out, buf_text(&graph->title));
    buf_append(&out, graph->injected.data, graph->injected.len);
    if (graph->limited)
        put_line(&out,
                 "Not all was watched: it may have gone other ways, too.");
    buf_append_text(&out, "\";\n");
    join(graph);
    box = boxes(graph);
    for (size_t i = 0; i < graph->spot_count; i++)
        if (!graph->spots[i]->is_joined)
            put_box(graph->spots[i], &out);
    for (size_t i = 0; i < graph->edge_count; i++) {
        const struct edge *edge = graph->edges[i];

        if (edge->from->next != edge->to)
            buf_printf(&out, "  n%zu -> n%zu [label=\"%" PRIu64 "\"];\n",
                       box[edge->from->number], edge->to->number, edge->count);
    }
    buf_append_text(&out, "}\n");
    result = sink_write(graph->out, out.data, out.len, err);
    buf_release(&out);
    free(box);
    return result;
}

static void keep_nothing(void *node)
{
    (void)node; /* they are in the lists, too */
}

static void graph_sink_free(struct sink *sink)
{
    struct graph *graph = (struct graph *)sink;

    tdestroy(graph->by_content, keep_nothing);
    tdestroy(graph->by_ends, keep_nothing);
    for (size_t i = 0; i < graph->spot_count; i++) {
        free((void *)graph->spots[i]->bytes.data);
        free(graph->spots[i]->text);
        free(graph->spots[i]->place);
        free(graph->spots[i]);
    }
    for (size_t i = 0; i < graph->edge_count; i++)
        free(graph->edges[i]);
    free(graph->spots);
    free(graph->edges);
    free(graph->rows);
    buf_release(&graph->title);
    buf_release(&graph->injected);
    views_release(&graph->views);
    free(graph);
}

struct sink *dot_sink_new(FILE *out)
{
    struct graph *graph = mem_alloc(sizeof *graph);

    graph->sink = (struct sink){emit, finish, graph_sink_free};
    graph->out = out;
    return &graph->sink;
}
