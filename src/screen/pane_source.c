/* SPDX-License-Identifier: MIT */
/*
 * Where control is: the line of source around an event, or the instructions
 * around it inside generated code. An event that says neither leaves on the
 * screen what an earlier one brought there, without marks.
 */
#include "screen/pane.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tell/sweep.h"

#define LOOK_BACK 4096u /* events, for one that says where control was */
#define TAB       4u
#define TEXT      8u  /* column of the source text */
#define CODE      9u  /* column of an instruction's bytes */
#define WORDS     34u /* of an instruction's text, behind its bytes */
#define WIDE      64u /* columns from which on there is room for all */

struct place {
    enum {
        PLACE_UNKNOWN,
        PLACE_SOURCE,
        PLACE_CODE,
    } kind;
    bool current; /* the event itself says it */

    char *file; /* owned */
    int line;

    uint64_t addr; /* the instruction to show */
    bool executed; /* by this event */
    bool signal;   /* this event came there */
    bool next_known;
    uint64_t next;
};

static void place_of(const struct view *view, const struct event *event,
                     struct place *place)
{
    *place = (struct place){.kind = PLACE_CODE};
    if (event->kind == EVENT_STEP) {
        place->addr = event->step.addr;
        place->executed = true;
        place->next_known = true;
        place->next = event->step.next;
    } else if (event->kind == EVENT_ENTER) {
        place->addr = event->enter.addr;
        place->next_known = true;
        place->next = event->enter.addr;
    } else if (event->kind == EVENT_SIGNAL && event->signal.pc.known &&
               view_region_at(view, event->signal.pc.value)) {
        place->addr = event->signal.pc.value;
    } else if (event->source.file) {
        place->kind = PLACE_SOURCE;
        place->file = mem_copy_text(event->source.file);
        place->line = event->source.line;
    } else {
        place->kind = PLACE_UNKNOWN;
    }
}

/* What the event itself has to show in words when its line is not known. */
static const char *own_words(const struct event *event)
{
    switch (event->kind) {
    case EVENT_MAP:
        return event->map.call;
    case EVENT_WRITE:
        return event->write.by ? event->write.by : event->write.text;
    case EVENT_PROTECT:
        return event->protect.call;
    case EVENT_UNMAP:
        return event->unmap.call;
    default:
        return NULL;
    }
}

static void find_place(const struct moment *moment, struct place *place)
{
    uint64_t oldest = moment->seq < LOOK_BACK ? 0 : moment->seq - LOOK_BACK;
    const struct view *view = moment_view(moment);

    place_of(view, moment->event, place);
    place->current = place->kind != PLACE_UNKNOWN;
    if (place->current && moment->focus.kind == FOCUS_SIGNAL) {
        place->addr = moment->focus.addr;
        place->signal = true;
    }
    if (own_words(moment->event))
        return;
    for (uint64_t i = moment->seq;
         place->kind == PLACE_UNKNOWN && i-- > oldest;)
        place_of(view, history_event(moment->history, i), place);
    if (!place->current)
        place->executed = place->next_known = false;
}

/* --- source -------------------------------------------------------------- */

static void expand_tabs(struct bytes text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\t') {
            buf_append(out, text.data + i, 1);
            continue;
        }
        do
            buf_append_text(out, " ");
        while (out->len % TAB);
    }
}

/* A narrow pane has no room for indentation. */
static void source_line(struct pen *pen, int line, struct bytes text,
                        bool current)
{
    bool narrow = pen_line_width(pen) < WIDE;
    struct buf expanded = {0};
    const char *shown;

    expand_tabs(text, &expanded);
    shown = buf_text(&expanded);
    if (narrow)
        shown += strspn(shown, " ");
    pen_print(pen, current ? ROLE_CURRENT : ROLE_NOTE, "%c%*d",
              current ? '>' : ' ', narrow ? 4 : 5, line);
    pen_column(pen, narrow ? TEXT - 2 : TEXT);
    pen_cut(pen, current ? ROLE_SOURCE : ROLE_PLAIN, shown);
    buf_release(&expanded);
}

/* The current line stands in the upper half: what follows matters more. */
static void draw_source(const struct moment *moment, struct area area,
                        const struct place *place)
{
    const struct view *view = moment_view(moment);
    struct area body = pane_body(area);
    int before = body.rows > 1 ? (int)(body.rows - 1) / 3 + (body.rows < 4) : 0;
    int first = place->line > before ? place->line - before : 1;
    struct pen title = pane_pen(area), pen = pane_pen(body);

    pen_print(&title, ROLE_HEADING, "%s:%d", place->file, place->line);
    pane_rule(moment->grid, area, &title, NULL);
    for (unsigned row = 0; row < body.rows; row++) {
        int line = first + (int)row;
        struct bytes text;

        if (view_source_line(view, place->file, line, &text))
            source_line(&pen, line, text,
                        place->current && line == place->line);
        if (line == place->line)
            pane_cursor(moment->grid, body.row + row, body.column);
        pen_end(&pen);
    }
    pane_fill(moment->grid, area, &pen);
}

/* --- generated code ------------------------------------------------------ */

/* An instruction, or bytes that are none. */
struct listed {
    uint64_t addr;
    struct insn insn; /* length 0: none */
};

/* The last lines of a sweep, as many as the pane has rows. */
struct window {
    struct listed *ring;
    size_t rows;
    size_t count;  /* lines so far */
    size_t anchor; /* the line of the instruction to show */
    bool anchored;
};

static void list_add(struct window *list, const struct sweep *sweep,
                     enum sweep_found found)
{
    struct listed *line = &list->ring[list->count++ % list->rows];

    *line = (struct listed){.addr = sweep->bad};
    if (found == SWEEP_INSN)
        *line = (struct listed){sweep->insn.addr, sweep->insn};
}

static size_t lines_before(const struct window *list)
{
    return (list->rows - 1) / 3;
}

/* Whether all that is to be shown is there. */
static bool list_full(const struct window *list)
{
    size_t before = lines_before(list);
    size_t first = list->anchor > before ? list->anchor - before : 0;

    return list->anchored && list->count >= first + list->rows;
}

/*
 * Reads instructions until the list is full. Returns false if they are out of
 * step with the one to show.
 */
static bool list_read(struct window *list, struct sweep *sweep, uint64_t addr)
{
    enum sweep_found found = SWEEP_END;

    while (!list_full(list) && (found = sweep_next(sweep)) != SWEEP_END) {
        uint64_t at = found == SWEEP_INSN ? sweep->insn.addr : sweep->bad;

        if (!list->anchored && sweep->at > addr) {
            if (at != addr)
                return false;
            list->anchored = true;
            list->anchor = list->count;
        }
        list_add(list, sweep, found);
    }
    return true;
}

/* Lists zeros that nobody stored, because control is there. */
static void list_unwritten(struct window *list, const struct pages *pages,
                           uint64_t addr, uint64_t end)
{
    struct listed line = {.addr = addr};
    uint8_t bytes[INSN_MAX_LENGTH];
    struct sweep sweep;

    sweep_init(&sweep, pages, addr, addr);
    list_read(list, &sweep, addr);
    pages_read(pages, addr, sizeof bytes, bytes);
    if (insn_decode(bytes, sizeof bytes, addr, &line.insn) <= 0)
        line.insn.length = 0;
    list->anchored = true;
    list->anchor = list->count;
    list->ring[list->count++ % list->rows] = line;
    sweep = (struct sweep){
        .pages = pages, .at = addr + line.insn.length, .end = end};
    list_read(list, &sweep, addr);
}

static void list_code(struct window *list, const struct pages *pages,
                      uint64_t addr, uint64_t end)
{
    struct sweep sweep;

    if (!pages_written(pages, addr)) {
        list_unwritten(list, pages, addr, end);
        return;
    }
    sweep_init(&sweep, pages, addr, end);
    if (list_read(list, &sweep, addr))
        return;
    list->count = 0;
    sweep = (struct sweep){.pages = pages, .at = addr, .end = end};
    list_read(list, &sweep, addr);
}

/* The first line that is shown: at the end of the code the pane stays full. */
static size_t list_first(const struct window *list)
{
    size_t before = lines_before(list);
    size_t first = list->anchor > before ? list->anchor - before : 0;
    size_t last = list->count > list->rows ? list->count - list->rows : 0;

    return first < last ? first : last;
}

static void write_bytes(struct pen *pen, enum role role,
                        const struct insn *insn)
{
    unsigned room = (WORDS - CODE - 1) / 3;

    for (unsigned i = 0; i < insn->length; i++) {
        bool cut = i + 1 == room && insn->length > room;

        pen_print(pen, role, cut ? ".." : "%02x", insn->bytes[i]);
        if (cut)
            break;
        pen_column(pen, pen->column + 1);
    }
}

static void code_line(struct pen *pen, const struct listed *line, uint64_t base,
                      char mark, enum role role)
{
    unsigned words = pen_line_width(pen) < WIDE ? CODE : WORDS;
    const struct insn *insn = &line->insn;

    pen_print(pen, role, "%c +%llu", mark,
              (unsigned long long)(line->addr - base));
    pen_gap(pen, CODE);
    if (words == WORDS)
        write_bytes(pen, role, insn);
    pen_gap(pen, words);
    pen_cut(pen, role, insn->length ? insn->text : "no instruction");
}

static void draw_code_line(const struct moment *moment, struct pen *pen,
                           const struct listed *line, uint64_t base,
                           const struct place *place)
{
    char mark = ' ';
    enum role role = ROLE_PLAIN;

    (void)moment;
    if (place->next_known && line->addr == place->next) {
        mark = '-';
        role = ROLE_NEXT;
    }
    if (place->executed && line->addr == place->addr) {
        mark = '>';
        role = ROLE_EXECUTED;
    }
    if (place->signal && line->addr == place->addr) {
        mark = '!';
        role = ROLE_NEXT;
    }
    code_line(pen, line, base, mark, role);
    pen_end(pen);
}

static void draw_code(const struct moment *moment, struct area area,
                      const struct place *place)
{
    const struct view *view = moment_view(moment);
    const struct region *region = view_region_at(view, place->addr);
    struct area body = pane_body(area);
    struct window list = {.rows = body.rows};
    struct pen title = pane_pen(area), pen = pane_pen(body);
    uint64_t base = region ? region->start : place->addr;

    pen_text(&title, ROLE_HEADING, "generated code");
    pane_rule(moment->grid, area, &title,
              place->executed     ? "> executed - next"
              : place->next_known ? "- next"
              : place->signal     ? "! signal here"
                                  : NULL);
    if (region && list.rows > 0) {
        list.ring = mem_alloc(list.rows * sizeof *list.ring);
        list_code(&list, &view->pages, place->addr,
                  region->addr + region->length);
    }
    for (size_t i = list_first(&list); i < list.count; i++) {
        const struct listed *line = &list.ring[i % list.rows];

        if (line->addr == place->addr)
            pane_cursor(moment->grid,
                        body.row + (unsigned)(i - list_first(&list)),
                        body.column);
        draw_code_line(moment, &pen, line, base, place);
    }
    pane_fill(moment->grid, area, &pen);
    free(list.ring);
}

/* --- neither ------------------------------------------------------------- */

static void draw_unknown(const struct moment *moment, struct area area)
{
    const struct event *event = moment->event;
    const char *words = own_words(event);
    struct area body = pane_body(area);
    struct pen title = pane_pen(area), pen = pane_pen(body);

    pen_text(&title, ROLE_HEADING, "source");
    pane_rule(moment->grid, area, &title, NULL);
    pane_cursor(moment->grid, body.row, body.column);
    if (words) {
        pen_text(&pen, ROLE_CURRENT, ">");
        pen_column(&pen, 2);
        if (event->kind == EVENT_WRITE)
            pen_print(&pen, ROLE_ADDRESS, "0x%llx  ",
                      (unsigned long long)event->write.pc);
        pen_cut(&pen, ROLE_MNEMONIC, words);
        pen_end(&pen);
    }
    pen_words(&pen, ROLE_NOTE, 0,
              words ? "The line of source is not known: the program has no "
                      "debug info there."
                    : "No line of source is known here.");
    pane_fill(moment->grid, area, &pen);
}

void pane_source(const struct moment *moment, struct area area)
{
    struct place place;

    if (area.rows == 0)
        return;
    find_place(moment, &place);
    switch (place.kind) {
    case PLACE_SOURCE:
        draw_source(moment, area, &place);
        break;
    case PLACE_CODE:
        draw_code(moment, area, &place);
        break;
    case PLACE_UNKNOWN:
        draw_unknown(moment, area);
        break;
    }
    free(place.file);
}
