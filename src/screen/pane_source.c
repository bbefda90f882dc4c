/* SPDX-License-Identifier: MIT */
/*
 * Where control is: the line of source around an event, or the instructions
 * around it inside generated code. An event that says neither leaves on the
 * screen what an earlier one brought there, without marks.
 */
#include "screen/pane.h"

#include "base/mem.h"
#include "tell/code.h"
#include "tell/tell.h"

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
    bool current;  /* the event itself says it */
    char *file;    /* owned */
    int line;      /* of it */
    uint64_t addr; /* or the instruction to show */
};

/* The line of an event: of a store that of who names it, if its text is known,
 * for a helper's is the same for all of them. */
static const struct srcline *line_of(struct history *history,
                                     const struct view *view,
                                     const struct event *event,
                                     struct chain *chain)
{
    const struct srcline *source;
    struct bytes text;

    if (event->kind != EVENT_WRITE)
        return &event->source;
    chain_of(event, chain);
    emissions_name(history_emissions(history), chain);
    source = &chain->list[chain->named_by].source;
    return source->file &&
                   view_source_line(view, source->file, source->line, &text)
               ? source
               : &event->source;
}

static void place_of(struct history *history, const struct view *view,
                     const struct event *event, struct place *place)
{
    const struct srcline *source;
    struct chain chain;

    *place = (struct place){.kind = PLACE_CODE};
    if (event->kind == EVENT_STEP) {
        place->addr = event->step.addr;
    } else if (event->kind == EVENT_ENTER) {
        place->addr = event->enter.addr;
    } else if (event->kind == EVENT_SIGNAL && event->signal.pc.known &&
               view_region_at(view, event->signal.pc.value)) {
        place->addr = event->signal.pc.value;
    } else if (event->source.file) {
        place->kind = PLACE_SOURCE;
        source = line_of(history, view, event, &chain);
        place->file = mem_copy_text(source->file);
        place->line = source->line;
    } else {
        place->kind = PLACE_UNKNOWN;
    }
}

/* The current line stands in the upper half: what follows matters more. A
 * narrow pane has no room for indentation. */
static void show_source(const struct moment *moment, const struct place *place,
                        struct pane *pane)
{
    struct area body = pane->body;
    int before = body.rows > 1 ? (int)(body.rows - 1) / 3 + (body.rows < 4) : 0;
    int line = place->line > before ? place->line - before : 1;
    bool narrow = body.columns < WIDE;
    struct pen *pen = &pane->pen;

    pen_print(&pane->title, ROLE_HEADING, "%s:%d", place->file, place->line);
    for (unsigned row = 0; row < body.rows; row++, line++) {
        bool current = place->current && line == place->line;
        struct buf expanded = {0};
        struct bytes text;
        const char *shown;

        if (line == place->line)
            pane_cursor(moment->grid, body.row + row, body.column);
        if (!view_source_line(moment_view(moment), place->file, line, &text)) {
            pen_end(pen);
            continue;
        }
        for (size_t i = 0; i < text.len; i++)
            if (text.data[i] != '\t')
                buf_append(&expanded, text.data + i, 1);
            else
                buf_printf(&expanded, "%*s", (int)(TAB - expanded.len % TAB),
                           "");
        shown = buf_text(&expanded);
        pen_print(pen, current ? ROLE_CURRENT : ROLE_NOTE, "%c%*d",
                  current ? '>' : ' ', narrow ? 4 : 5, line);
        pen_column(pen, narrow ? TEXT - 2 : TEXT);
        pen_cut(pen, current ? ROLE_SOURCE : ROLE_PLAIN,
                narrow ? shown + strspn(shown, " ") : shown);
        pen_end(pen);
        buf_release(&expanded);
    }
}

/* Instructions, and bytes that are none, around the one to show. */
struct code {
    struct line {
        uint64_t addr;
        struct insn insn; /* length 0: none */
    } * ring;             /* the last `rows` of them */
    size_t rows;
    size_t count;  /* lines so far */
    size_t anchor; /* the line of the instruction to show */
    bool anchored;
};

/* The first line to show: some stand in front of the anchor. */
static size_t code_first(const struct code *code)
{
    size_t before = (code->rows - 1) / 3;

    return code->anchor > before ? code->anchor - before : 0;
}

static void code_add(struct code *code, struct line line, bool is_anchor)
{
    if (is_anchor)
        code->anchor = code->count;
    code->anchored |= is_anchor;
    code->ring[code->count++ % code->rows] = line;
}

/* Reads instructions until all that is to be shown is there. Returns false if
 * they are out of step with the one at addr. */
static bool code_read(struct code *code, struct sweep sweep, uint64_t addr)
{
    enum sweep_found found;

    while ((!code->anchored || code->count < code_first(code) + code->rows) &&
           (found = sweep_next(&sweep)) != SWEEP_END) {
        struct line line = {.addr = sweep.bad};

        if (found == SWEEP_INSN)
            line = (struct line){sweep.insn.addr, sweep.insn};
        if (!code->anchored && sweep.at > addr && line.addr != addr)
            return false;
        code_add(code, line, !code->anchored && sweep.at > addr);
    }
    return true;
}

/* Lists what is around addr, up to end. */
static void code_fill(struct code *code, const struct view *view, uint64_t addr,
                      uint64_t end)
{
    const struct pages *pages = &view->pages;
    bool written = pages_written(pages, addr);
    struct line line = {.addr = addr};
    struct sweep sweep;

    sweep_init(&sweep, pages, addr, written ? end : addr);
    if (code_read(code, sweep, addr) && written)
        return;
    if (written) { /* out of step: from there on, nothing in front */
        code->count = 0;
    } else { /* zeros that nobody stored are listed: control is there */
        if (!view_decode(view, addr, &line.insn))
            line.insn.length = 0;
        code_add(code, line, true);
        addr += line.insn.length;
    }
    code_read(code, (struct sweep){.pages = pages, .at = addr, .end = end},
              addr);
}

/* What the event did there: '>' it was executed, '-' comes next, '!' a signal
 * came; or a blank. */
static char mark_of(const struct moment *moment, const struct place *place,
                    uint64_t addr)
{
    const struct event *event = moment->event;

    if (!place->current)
        return ' ';
    if (moment->focus.kind == FOCUS_SIGNAL)
        return addr == place->addr ? '!' : ' ';
    if (event->kind == EVENT_STEP && addr == event->step.addr)
        return '>';
    if (event->kind == EVENT_STEP && addr == event->step.next)
        return '-';
    return event->kind == EVENT_ENTER && addr == place->addr ? '-' : ' ';
}

static void write_code_line(struct pen *pen, const struct line *line,
                            uint64_t base, char mark)
{
    bool wide = pen_line_width(pen) >= WIDE;
    unsigned room = (WORDS - CODE - 1) / 3, length = line->insn.length;
    enum role role = mark == ' '   ? ROLE_PLAIN
                     : mark == '>' ? ROLE_EXECUTED
                                   : ROLE_NEXT;

    pen_print(pen, role, "%c +%" PRIu64, mark, line->addr - base);
    pen_gap(pen, CODE);
    for (unsigned i = 0; wide && i < length && i < room; i++) {
        if (i + 1 == room && length > room) {
            pen_text(pen, role, "..");
            break;
        }
        pen_print(pen, role, "%02x", line->insn.bytes[i]);
        pen_column(pen, pen->column + 1);
    }
    pen_gap(pen, wide ? WORDS : CODE);
    pen_cut(pen, role, length ? line->insn.text : "no instruction");
    pen_end(pen);
}

static void show_code(const struct moment *moment, const struct place *place,
                      struct pane *pane)
{
    const struct view *view = moment_view(moment);
    const struct region *region = view_region_at(view, place->addr);
    struct code code = {.rows = pane->body.rows};
    char mark = mark_of(moment, place, place->addr);
    struct srcline made;
    struct bytes text;
    size_t first, last;

    pen_text(&pane->title, ROLE_HEADING, "generated code");
    if (labels_line(&view->labels, place->addr, &made, NULL)) {
        pen_print(&pane->title, ROLE_SOURCE, " %s:%d", made.file, made.line);
        if (view_source_line(view, made.file, made.line, &text))
            pen_print(&pane->title, ROLE_SOURCE, " %.*s", (int)text.len,
                      (const char *)text.data);
    }
    buf_append_text(&pane->right, mark == '>'   ? "> executed - next"
                                  : mark == '-' ? "- next"
                                  : mark == '!' ? "! signal here"
                                                : "");
    if (!region || code.rows == 0)
        return;
    code.ring = mem_alloc(code.rows * sizeof *code.ring);
    code_fill(&code, view, place->addr, region->addr + region->length);
    /* At the end of the code the pane stays full. */
    first = code_first(&code);
    last = code.count > code.rows ? code.count - code.rows : 0;
    first = first < last ? first : last;
    for (size_t i = first; i < code.count; i++) {
        const struct line *line = &code.ring[i % code.rows];

        if (line->addr == place->addr)
            pane_cursor(moment->grid, pane->body.row + (unsigned)(i - first),
                        pane->body.column);
        write_code_line(&pane->pen, line, region->start,
                        mark_of(moment, place, line->addr));
    }
    free(code.ring);
}

void pane_source(const struct moment *moment, struct pane *pane)
{
    const struct event *event = moment->event;
    const struct view *view = moment_view(moment);
    /* What it has to show in words itself when its line is not known. */
    const char *words = pane_mapping(event) ? tell_searched(event) : NULL;
    struct place place;

    if (event->kind == EVENT_WRITE && !words)
        words = event->write.text;
    place_of(moment->history, view, event, &place);
    place.current = place.kind != PLACE_UNKNOWN;
    if (place.current && moment->focus.kind == FOCUS_SIGNAL)
        place.addr = moment->focus.addr;
    for (uint64_t i = moment->seq; !words && place.kind == PLACE_UNKNOWN &&
                                   i-- > 0 && moment->seq - i <= LOOK_BACK;)
        place_of(moment->history, view, history_event(moment->history, i),
                 &place);
    if (place.kind == PLACE_SOURCE)
        show_source(moment, &place, pane);
    if (place.kind == PLACE_CODE)
        show_code(moment, &place, pane);
    free(place.file);
    if (place.kind != PLACE_UNKNOWN)
        return;
    pen_text(&pane->title, ROLE_HEADING, "source");
    pane_cursor(moment->grid, pane->body.row, pane->body.column);
    if (!words) {
        pen_words(&pane->pen, ROLE_NOTE, 0, "No line of source is known here.");
        return;
    }
    pen_text(&pane->pen, ROLE_CURRENT, ">");
    pen_column(&pane->pen, 2);
    if (event->kind == EVENT_WRITE)
        pen_print(&pane->pen, ROLE_ADDRESS, "0x%" PRIx64 "  ", event->write.pc);
    pen_cut(&pane->pen, ROLE_MNEMONIC, words);
    pen_end(&pane->pen);
    pen_words(&pane->pen, ROLE_NOTE, 0,
              "The line of source is not known: the program has no debug info "
              "there.");
}
