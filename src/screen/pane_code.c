/* SPDX-License-Identifier: MIT */
/*
 * The listing of generated code around an instruction. Jumps whose bytes say
 * where they lead have an arrow in the margin, so that a loop is seen as one:
 *
 *     >╭▸+7     48 ff c9      dec rcx
 *      ╰─+10    75 fb         jnz +7
 *
 * An arrow stands in a lane, the shorter the nearer to the code. One that leads
 * to what is not on the screen goes up or down to its edge. Where there are
 * more than lanes, the longest are left out.
 */
#include "screen/pane.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tell/code.h"
#include "tell/insn_text.h"

#define LANES      3u
#define BYTES      9u  /* the column of an instruction's bytes */
#define BYTES_ROOM 8u  /* how many are shown */
#define WIDE       64u /* columns from which on there is room for bytes */
#define NARROW     45u /* below, there is one lane */

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
    bool written = pages_written(&view->pages, addr);
    struct line line = {.addr = addr};
    struct sweep sweep;

    sweep_init(&sweep, view, addr, written ? end : addr);
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
    code_read(code, (struct sweep){.view = view, .at = addr, .end = end}, addr);
}

/* What the event did there: '>' it was executed, '-' comes next, '!' a signal
 * came; or a blank. */
static char mark_of(const struct moment *moment, uint64_t addr)
{
    const struct event *event = moment->event;

    if (moment->focus.kind == FOCUS_SIGNAL)
        return addr == moment->focus.addr ? '!' : ' ';
    if (event->kind == EVENT_STEP && addr == event->step.addr)
        return '>';
    if (event->kind == EVENT_STEP && addr == event->step.next)
        return '-';
    return event->kind == EVENT_ENTER && addr == event->enter.addr ? '-' : ' ';
}

/* --- arrows -------------------------------------------------------------- */

/* A jump between two rows of the pane. */
struct arrow {
    size_t from;
    size_t to; /* or the row at the edge, if */
    bool cut;  /* that is not where it leads */
};

/* What is drawn in the margin: a row is lanes, then the arrowhead. */
struct margin {
    unsigned lanes;
    unsigned first; /* lanes before that are empty; `lanes`: all are */
    size_t rows;
    uint32_t (*runes)[LANES + 1];
};

static size_t arrow_length(const struct arrow *arrow)
{
    return arrow->from < arrow->to ? arrow->to - arrow->from
                                   : arrow->from - arrow->to;
}

static int by_length(const void *a, const void *b)
{
    size_t one = arrow_length(a), other = arrow_length(b);

    return (one > other) - (one < other);
}

/* The jumps among the lines from `first` on; returns how many they are. */
static size_t find_arrows(const struct code *code, size_t first,
                          const struct view *view, struct arrow *out)
{
    size_t count = 0;

    for (size_t i = first; i < code->count; i++) {
        const struct line *line = &code->ring[i % code->rows];
        uint64_t offset, target;
        size_t to = first;

        if (!line->insn.length || line->insn.kind == INSN_CALL ||
            !view_leads(view, &line->insn, &offset))
            continue;
        target = view_region_at(view, line->addr)->start + offset;
        while (to + 1 < code->count &&
               code->ring[to % code->rows].addr < target)
            to++;
        out[count++] = (struct arrow){
            i - first, to - first, code->ring[to % code->rows].addr != target};
    }
    qsort(out, count, sizeof *out, by_length);
    return count;
}

static void draw_arrow(const struct arrow *arrow, unsigned lane,
                       struct margin *margin)
{
    size_t top = arrow->from < arrow->to ? arrow->from : arrow->to;
    size_t bottom = top + arrow_length(arrow);

    for (size_t row = top; row <= bottom; row++) {
        uint32_t *runes = margin->runes[row];
        bool is_end = row == arrow->from || !arrow->cut;

        if ((row > top && row < bottom) || !is_end) {
            runes[lane] = is_end || row != arrow->to ? 0x2502  /* │ */
                          : row == top               ? 0x2191u /* ↑ */
                                                     : 0x2193u;              /* ↓ */
            continue;
        }
        runes[lane] = row == top ? 0x256d : 0x2570; /* ╭ ╰ */
        for (unsigned i = lane + 1; i < margin->lanes; i++)
            runes[i] = runes[i] == 0x2502 ? 0x253c : 0x2500; /* ┼ ─ */
        if (row == arrow->to)
            runes[margin->lanes] = 0x25b8; /* ▸ */
        else if (runes[margin->lanes] == ' ')
            runes[margin->lanes] = 0x2500;
    }
}

/* Gives each arrow the innermost lane that is free, and draws it. */
static void fill_margin(const struct code *code, size_t first,
                        const struct view *view, struct margin *margin)
{
    struct arrow *arrows = mem_alloc(code->rows * sizeof *arrows);
    size_t count = find_arrows(code, first, view, arrows);

    for (size_t row = 0; row < margin->rows; row++)
        for (unsigned i = 0; i <= margin->lanes; i++)
            margin->runes[row][i] = ' ';
    for (size_t i = 0; i < count; i++) {
        size_t to = arrows[i].to, from = arrows[i].from;
        size_t top = from < to ? from : to, length = arrow_length(&arrows[i]);
        unsigned lane = margin->lanes;
        bool taken = true;

        while (taken && length > 0 && lane-- > 0) {
            taken = false;
            for (size_t row = top; row <= top + length; row++)
                taken |= margin->runes[row][lane] != ' ';
        }
        if (!taken && lane < margin->first)
            margin->first = lane;
        if (!taken)
            draw_arrow(&arrows[i], lane, margin);
    }
    free(arrows);
}

static void write_margin(struct pen *pen, const struct margin *margin,
                         size_t row)
{
    struct buf text = {0};

    for (unsigned i = margin->first; i <= margin->lanes; i++)
        utf8_append(margin->runes[row][i], &text);
    pen_text(pen, ROLE_JUMP, buf_text(&text));
    buf_release(&text);
}

/* --- the listing --------------------------------------------------------- */

static enum role role_of(char mark)
{
    return mark == ' ' ? ROLE_PLAIN : mark == '>' ? ROLE_EXECUTED : ROLE_NEXT;
}

static void write_code_line(struct pen *pen, const struct line *line,
                            uint64_t base, char mark)
{
    unsigned length = line->insn.length, bytes = pen->column + BYTES - 2;
    bool wide = pen_line_width(pen) >= WIDE;
    enum role role = role_of(mark);

    pen_print(pen, role, "+%" PRIu64, line->addr - base);
    pen_gap(pen, bytes);
    for (unsigned i = 0; wide && i < length && i < BYTES_ROOM; i++) {
        if (i + 1 == BYTES_ROOM && length > BYTES_ROOM) {
            pen_text(pen, role, "..");
            break;
        }
        pen_print(pen, role, "%02x", line->insn.bytes[i]);
        pen_column(pen, pen->column + 1);
    }
    pen_gap(pen, wide ? bytes + 3 * BYTES_ROOM + 1 : bytes);
    if (length)
        insn_write_text(pen, role, &line->insn);
    else
        pen_cut(pen, role, "no instruction");
    pen_end(pen);
}

/* Which lines there is room for: at the end of the code the pane stays full. */
static void write_lines(const struct moment *moment, const struct code *code,
                        uint64_t addr, bool current, struct pane *pane)
{
    const struct view *view = moment_view(moment);
    size_t first = code_first(code);
    size_t last = code->count > code->rows ? code->count - code->rows : 0;
    struct margin margin = {
        .lanes = pane->body.columns < NARROW ? 1 : LANES,
        .first = pane->body.columns < NARROW ? 1 : LANES,
        .rows = code->rows,
        .runes = mem_alloc(code->rows * sizeof *margin.runes),
    };

    first = first < last ? first : last;
    fill_margin(code, first, view, &margin);
    for (size_t i = first; i < code->count; i++) {
        const struct line *line = &code->ring[i % code->rows];
        char mark = current ? mark_of(moment, line->addr) : ' ';

        if (line->addr == addr)
            pane_cursor(moment->grid, pane->body.row + (unsigned)(i - first),
                        pane->body.column);
        pen_print(&pane->pen, role_of(mark),
                  margin.first == margin.lanes ? "%c " : "%c", mark);
        if (margin.first < margin.lanes)
            write_margin(&pane->pen, &margin, i - first);
        write_code_line(&pane->pen, line, view_region_at(view, addr)->start,
                        mark);
    }
    free(margin.runes);
}

void pane_listing(const struct moment *moment, uint64_t addr, bool current,
                  struct pane *pane)
{
    const struct view *view = moment_view(moment);
    const struct region *region = view_region_at(view, addr);
    struct code code = {.rows = pane->body.rows};
    char mark = current ? mark_of(moment, addr) : ' ';
    struct srcline made;
    struct bytes text;

    pen_text(&pane->title, ROLE_HEADING, "generated code");
    if (labels_line(&view->labels, addr, &made, NULL)) {
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
    code_fill(&code, view, addr, region->addr + region->length);
    write_lines(moment, &code, addr, current, pane);
    free(code.ring);
}

void pane_code(const struct moment *moment, struct pane *pane)
{
    const struct focus *focus = &moment->focus;
    const struct event *event = moment->event;
    bool current = event->kind == EVENT_STEP || event->kind == EVENT_ENTER ||
                   focus->kind == FOCUS_SIGNAL;

    pane_listing(moment, focus->addr, current, pane);
}
