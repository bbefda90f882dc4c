/* SPDX-License-Identifier: MIT */
/*
 * The page: what the mapping holds around the focus. The dump has the columns
 * of xxd -g1, and marks stand in the blanks between its bytes:
 *
 *     00000000: 48 c7 c0[fc]·· ·· ··        stored by this event
 *     00000000:<48 c7 c0 fc ff ff ff>(48 01 f8)c3
 *
 * `<...>` was executed by this event, `(...)` comes next, `!...!` is where a
 * signal came, `{..}` the byte that a reader asks about. Where one ends and
 * another begins there is a mark for each: what is behind moves.
 */
#include "screen/pane.h"

#include "tell/code.h"

#define PER_ROW   16u
#define ROW_WIDTH 75u   /* with its text */
#define OFFSET    10u   /* columns of an offset */
#define LOOK_BACK 4096u /* events, for a mapping */

/* A stretch of bytes that is marked. */
struct span {
    uint64_t addr;
    uint64_t length;
    enum role role;
    char open[2]; /* texts of one character */
    char close[2];
};

/* Which mapping is shown, and what is marked in it. */
struct dump {
    const struct view *view;
    const struct region *region;
    unsigned per_row;
    struct span spans[3]; /* the last one is drawn last */
    size_t span_count;
};

const uint64_t *pane_mapping(const struct event *event)
{
    switch (event->kind) {
    case EVENT_MAP:
        return &event->map.addr;
    case EVENT_WRITE:
        return &event->write.addr;
    case EVENT_PROTECT:
        return &event->protect.addr;
    case EVENT_UNMAP:
        return &event->unmap.addr;
    default:
        return NULL;
    }
}

/* Where to look: at the byte that a reader asks about, while that leads; else
 * into the mapping that the event is about, else that of the focus, else the
 * last one that an event was about; at the focus if it is there. */
bool pane_page_addr(const struct moment *moment, uint64_t *addr)
{
    const struct cursor *cursor = moment->screen->cursor;
    const struct view *view = moment_view(moment);
    const struct focus *focus = &moment->focus;
    const uint64_t *named = pane_mapping(moment->event);
    const struct region *region;

    if (cursor && cursor->leads && view_region_at(view, cursor->origins.addr)) {
        *addr = cursor->origins.addr;
        return true;
    }
    region = named ? view_region_at(view, *named) : NULL;
    *addr = focus->addr;
    if (focus->kind != FOCUS_NONE &&
        (!named || (region && focus->base == region->start)))
        return true;
    for (uint64_t i = moment->seq;
         !named && i-- > 0 && moment->seq - i <= LOOK_BACK;)
        named = pane_mapping(history_event(moment->history, i));
    if (named)
        *addr = *named;
    return named;
}

static void add_span(struct dump *dump, uint64_t addr, uint64_t length,
                     enum role role, const char *marks)
{
    dump->spans[dump->span_count++] =
        (struct span){addr, length, role, {marks[0]}, {marks[1]}};
}

/* The instruction that comes next, if it is in the pages. */
static void add_next(struct dump *dump, uint64_t addr)
{
    struct insn insn;

    if (pages_written(&dump->view->pages, addr) &&
        view_decode(dump->view, addr, &insn))
        add_span(dump, addr, insn.length, ROLE_NEXT, "()");
}

/* The offset of the first row: as much as possible of what is in front of the
 * focus, with some rows behind it where there are many. Nothing moves before it
 * must. */
static uint64_t first_row(const struct moment *moment, const struct dump *dump,
                          uint64_t addr, unsigned rows)
{
    const struct region *region = dump->region;
    uint64_t start = region->start, end = addr + 1, row, last, all, first;

    /* To the end of the instruction, and of the one that follows it. */
    if (moment->focus.kind != FOCUS_NONE && moment->focus.addr == addr)
        end = addr + moment->focus.length;
    for (size_t i = 0; i < dump->span_count; i++)
        if (dump->spans[i].addr == end && dump->spans[i].length <= PER_ROW)
            end += dump->spans[i].length;
    if (end <= addr)
        end = addr + 1;

    row = (addr - start) / dump->per_row;
    last = (end - 1 - start) / dump->per_row + rows / 3;
    all = (region->addr + region->length - start) / dump->per_row;
    last = last < all ? last : all - 1;
    first = last + 1 > rows ? last + 1 - rows : 0;
    return (first < row ? first : row) * dump->per_row;
}

static bool span_has(const struct span *span, uint64_t addr)
{
    return addr - span->addr < span->length;
}

/* The role of a byte; and whether it is known, if only because it is in code,
 * where a zero that nobody was seen to store is one. */
static enum role role_of(const struct dump *dump, uint64_t addr, bool *known)
{
    enum role role = ROLE_BYTE;

    *known = pages_written(&dump->view->pages, addr);
    for (size_t k = 0; k < dump->span_count; k++)
        if (span_has(&dump->spans[k], addr)) {
            role = dump->spans[k].role;
            *known |= role != ROLE_BYTE_NEW && role != ROLE_CURRENT;
        }
    return role;
}

/* Draws what stands in front of byte i of a row, from a column on: the marks of
 * what ends and begins there, or a blank. Returns the column behind. */
static unsigned put_marks(const struct dump *dump, struct grid *grid,
                          struct area row, uint64_t addr, unsigned i,
                          unsigned column)
{
    unsigned end = row.column + row.columns, start = column;
    enum role between = i == 0 ? ROLE_ADDRESS : ROLE_BYTE;

    for (size_t k = dump->span_count; i > 0 && k-- > 0;)
        if (span_has(&dump->spans[k], addr - 1) &&
            !span_has(&dump->spans[k], addr))
            column = grid_put(grid, row.row, column, end, dump->spans[k].role,
                              dump->spans[k].close);
    for (size_t k = 0; k < dump->span_count; k++) {
        const struct span *span = &dump->spans[k];

        if (i < dump->per_row && span->length > 0 && span->addr == addr)
            column =
                grid_put(grid, row.row, column, end, span->role, span->open);
        else if (i > 0 && i < dump->per_row && span_has(span, addr - 1) &&
                 span_has(span, addr))
            between = span->role;
    }
    return column > start ? column
                          : grid_put(grid, row.row, column, end, between, " ");
}

/* row is a row of the body; its bytes begin at an offset of the mapping. */
static void draw_row(const struct moment *moment, const struct dump *dump,
                     struct area row, uint64_t offset)
{
    uint64_t addr = dump->region->start + offset;
    unsigned end = row.column + row.columns, per_row = dump->per_row, first;
    struct grid *grid = moment->grid;
    uint8_t bytes[PER_ROW];
    struct buf line = {0};
    unsigned column;

    pages_read(&dump->view->pages, addr, per_row, bytes);
    first = hexdump_row((struct bytes){bytes, per_row}, offset, per_row, &line);
    column = row.column + first - 1;
    grid_put(grid, row.row, row.column, column, ROLE_ADDRESS, buf_text(&line));
    for (unsigned i = 0; i < per_row; i++) {
        char hex[] = {buf_text(&line)[first + 3 * i],
                      buf_text(&line)[first + 3 * i + 1], 0};
        bool known;
        enum role role = role_of(dump, addr + i, &known);

        column = put_marks(dump, grid, row, addr + i, i, column);
        column =
            grid_put(grid, row.row, column, end, known ? role : ROLE_UNWRITTEN,
                     known ? hex : FIELDS_UNWRITTEN);
    }
    column = put_marks(dump, grid, row, addr + per_row, per_row, column) + 1;
    for (unsigned i = 0; i < per_row && line.len <= row.columns; i++) {
        char text[] = {buf_text(&line)[first + 3 * per_row + 1 + i], 0};
        bool known;

        role_of(dump, addr + i, &known);
        column =
            grid_put(grid, row.row, column, end, ROLE_BYTE, known ? text : " ");
    }
    buf_release(&line);
}

/* Whether nothing was written from an offset on, and nothing is marked. */
static bool is_rest(const struct dump *dump, uint64_t offset)
{
    const struct region *region = dump->region;
    uint64_t addr = region->start + offset, end = region->addr + region->length;

    for (size_t k = 0; k < dump->span_count; k++)
        if (dump->spans[k].addr + dump->spans[k].length > addr)
            return false;
    return addr >= end || pages_next(&dump->view->pages, addr, end) >= end;
}

/* The rows, up to where there is nothing any more. Returns how many have
 * bytes. */
static unsigned draw_rows(const struct moment *moment, const struct dump *dump,
                          struct area body, uint64_t first)
{
    uint64_t end = dump->region->addr + dump->region->length;

    for (unsigned i = 0; i < body.rows; i++) {
        struct area row = {body.row + i, body.column, 1, body.columns};
        uint64_t offset = first + (uint64_t)i * dump->per_row;
        struct pen pen = {.keep_roles = true, .width = body.columns};

        if (i == 0 || !is_rest(dump, offset)) {
            draw_row(moment, dump, row, offset);
            continue;
        }
        if (dump->region->start + offset < end) {
            pen_print(&pen, ROLE_ADDRESS, "%08" PRIx64 ":", offset);
            pen_print(&pen, ROLE_NOTE, " %" PRIu64 " bytes, not written",
                      end - dump->region->start - offset);
            grid_put_pen(moment->grid, row, &pen, 0);
        }
        pen_release(&pen);
        return i;
    }
    return body.rows;
}

void pane_page_title(const struct moment *moment, const struct region *region,
                     struct pen *title)
{
    const struct event *event = moment->event;
    bool changed = event->kind == EVENT_PROTECT &&
                   event->protect.old_prot != event->protect.prot;
    const struct event *start = history_event(moment->history, 0);
    const struct protection *protection =
        view_protection(moment_view(moment), region->addr);
    const char *maps = protection ? protection->maps : NULL;
    bool one =
        start->kind == EVENT_START && region->length == start->start.page_size;
    char shared = 'p';
    struct buf length = {0};

    /* As maps has it, with four characters; only its line knows the last. */
    maps = maps ? strchr(maps, ' ') : NULL;
    if (maps && strlen(maps) > 4)
        shared = maps[4];
    pen_text(title, ROLE_HEADING, one ? "page" : "pages");
    pen_print(title, ROLE_PLAIN, " ");
    pen_hex(title, ROLE_ADDRESS, region->addr);
    pen_gap(title, 0);
    if (changed) {
        pen_print(title, ROLE_CHANGED, "%s%c → ",
                  phrase_prot(event->protect.old_prot), shared);
    }
    pen_print(title, changed ? ROLE_CHANGED : ROLE_PROTECTION, "%s%c",
              phrase_prot(region->prot), shared);
    buf_printf(&length, "%" PRIu64 " bytes", region->length);
    if (title->column + 2 + length.len + 4 <= pen_line_width(title)) {
        pen_gap(title, 0);
        pen_text(title, ROLE_NOTE, buf_text(&length));
    }
    buf_release(&length);
}

void pane_page(const struct moment *moment, struct pane *pane)
{
    const struct cursor *cursor = moment->screen->cursor;
    struct area body = pane->body;
    struct dump dump = {.view = moment_view(moment), .per_row = PER_ROW};
    const struct event *event = moment->event;
    uint64_t addr, first;

    if (!pane_page_addr(moment, &addr)) {
        pen_text(&pane->title, ROLE_HEADING, "page");
        pen_words(&pane->pen, ROLE_NOTE, 0, "Memory for code: none so far.");
        return;
    }
    dump.region = view_region_at(dump.view, addr);
    if (!dump.region) {
        pen_text(&pane->title, ROLE_HEADING, "page");
        pen_print(&pane->title, ROLE_CHANGED, " 0x%" PRIx64 "  unmapped", addr);
        pen_words(&pane->pen, ROLE_NOTE, 0, "The program gave it back.");
        return;
    }

    pane_page_title(moment, dump.region, &pane->title);
    if (moment->screen->zoom) {
        pane_zoom(moment, dump.region, pane);
        return;
    }
    /* A row of xxd is either whole or shorter and without its text. */
    if (body.columns < ROW_WIDTH)
        dump.per_row /= 2;
    while (dump.per_row > 1 && OFFSET + 3 * dump.per_row > body.columns)
        dump.per_row /= 2;
    switch (event->kind) { /* the title says what the marks mean */
    case EVENT_WRITE:
        add_span(&dump, event->write.addr, event->write.new.len, ROLE_BYTE_NEW,
                 "[]");
        buf_append_text(&pane->right, "[stored]");
        break;
    case EVENT_STEP:
        add_next(&dump, event->step.next);
        buf_append_text(&pane->right,
                        dump.span_count ? "<executed> (next)" : "<executed>");
        add_span(&dump, event->step.addr, event->step.bytes.len, ROLE_EXECUTED,
                 "<>");
        break;
    case EVENT_ENTER:
        add_next(&dump, event->enter.addr);
        buf_append_text(&pane->right, "(next)");
        break;
    default:
        if (moment->focus.kind != FOCUS_SIGNAL)
            break;
        add_span(&dump, moment->focus.addr, moment->focus.length, ROLE_NEXT,
                 "!!");
        buf_append_text(&pane->right, "!signal here!");
    }
    first = first_row(moment, &dump, addr, body.rows);
    if (cursor)
        add_span(&dump, cursor->origins.addr, 1, ROLE_CURRENT, "{}");
    moment->grid->bytes =
        (struct grid_bytes){.base = dump.region->start,
                            .offset = first,
                            .row = body.row,
                            .rows = draw_rows(moment, &dump, body, first),
                            .column = body.column + OFFSET,
                            .per_row = dump.per_row};
}
