/* SPDX-License-Identifier: MIT */
/*
 * The page: what the mapping holds around the focus. The dump has the columns
 * of xxd -g1, and marks stand in the blanks between its bytes:
 *
 *     00000000: 48 c7 c0[fc]·· ·· ··        stored by this event
 *     00000000:<48 c7 c0 fc ff ff ff>48 01 f8)c3
 *
 * `<...>` was executed by this event, `(...)` comes next, `!...!` is where a
 * signal came, `{..}` the byte that a reader asks about. Where one ends and
 * the other begins there is one blank for two marks: `>` has it.
 */
#include "screen/pane.h"

#include <string.h>

#include <stdio.h>
#include "tell/fields.h"
#include "tell/hexdump.h"

#define PER_ROW   16u
#define ROW_WIDTH 75u   /* with its text */
#define OFFSET    10u   /* columns of an offset */
#define LOOK_BACK 4096u /* events, for a mapping */

/* A stretch of bytes that is marked. */
struct span {
    uint64_t addr;
    uint64_t length;
    enum role role;
    const char *open;
    const char *close;
};

/* Which mapping is shown, and what is marked in it. */
struct dump {
    const struct view *view;
    const struct region *region; /* NULL: it is gone, or there is none yet */
    uint64_t base;
    uint64_t row; /* offset of the first row */
    unsigned per_row;
    struct span spans[3]; /* the last one is drawn last */
    size_t span_count;
    const char *legend;
};

/* --- what to show -------------------------------------------------------- */

/* The address that an event about a mapping names. */
static bool mapping_of(const struct event *event, uint64_t *addr)
{
    switch (event->kind) {
    case EVENT_MAP:
        *addr = event->map.addr;
        return true;
    case EVENT_WRITE:
        *addr = event->write.addr;
        return true;
    case EVENT_PROTECT:
        *addr = event->protect.addr;
        return true;
    case EVENT_UNMAP:
        *addr = event->unmap.addr;
        return true;
    default:
        return false;
    }
}

/*
 * Where to look: into the mapping that the event is about, else that of the
 * focus, else the last one that an event was about; at the focus if it is
 * there.
 */
static bool find_addr(const struct moment *moment, uint64_t *addr)
{
    const struct focus *focus = &moment->focus;
    uint64_t oldest = moment->seq < LOOK_BACK ? 0 : moment->seq - LOOK_BACK;
    const struct cursor *cursor = moment->screen->cursor;
    const struct region *region;

    if (cursor && cursor->leads &&
        view_region_at(moment_view(moment), cursor->origins.addr)) {
        *addr = cursor->origins.addr;
        return true;
    }
    if (mapping_of(moment->event, addr)) {
        region = view_region_at(moment_view(moment), *addr);
        if (region && focus->kind != FOCUS_NONE && focus->base == region->start)
            *addr = focus->addr;
        return true;
    }
    *addr = focus->addr;
    if (focus->kind != FOCUS_NONE)
        return true;
    for (uint64_t i = moment->seq; i-- > oldest;)
        if (mapping_of(history_event(moment->history, i), addr))
            return true;
    return false;
}

bool pane_page_is_elsewhere(const struct moment *moment)
{
    const struct view *view = moment_view(moment);
    const struct region *shown, *focus;
    uint64_t addr;

    if (moment->focus.kind != FOCUS_REST || !mapping_of(moment->event, &addr))
        return false;
    shown = view_region_at(view, addr);
    focus = view_region_at(view, moment->focus.addr);
    return !shown || !focus || shown->start != focus->start;
}

static void add_span(struct dump *dump, uint64_t addr, uint64_t length,
                     enum role role, const char *marks)
{
    static const char *const mark[] = {"[", "]", "<", ">", "(",
                                       ")", "!", "!", "{", "}"};
    size_t which = 0;

    while (*mark[which] != *marks)
        which += 2;
    dump->spans[dump->span_count++] =
        (struct span){addr, length, role, mark[which], mark[which + 1]};
}

/* The instruction that comes next, if it is in the pages. */
static void add_next(struct dump *dump, uint64_t addr)
{
    uint8_t bytes[INSN_MAX_LENGTH];
    struct insn insn;

    pages_read(&dump->view->pages, addr, sizeof bytes, bytes);
    if (pages_written(&dump->view->pages, addr) &&
        insn_decode(bytes, sizeof bytes, addr, &insn) > 0)
        add_span(dump, addr, insn.length, ROLE_NEXT, "()");
}

static void find_spans(const struct moment *moment, struct dump *dump)
{
    const struct event *event = moment->event;

    switch (event->kind) {
    case EVENT_WRITE:
        add_span(dump, event->write.addr, event->write.new.len, ROLE_BYTE_NEW,
                 "[]");
        dump->legend = "[stored]";
        break;
    case EVENT_STEP:
        add_next(dump, event->step.next);
        dump->legend = dump->span_count ? "<executed> (next)" : "<executed>";
        add_span(dump, event->step.addr, event->step.bytes.len, ROLE_EXECUTED,
                 "<>");
        break;
    case EVENT_ENTER:
        add_next(dump, event->enter.addr);
        dump->legend = "(next)";
        break;
    case EVENT_SIGNAL:
        if (moment->focus.kind != FOCUS_SIGNAL)
            break;
        add_span(dump, moment->focus.addr, moment->focus.length, ROLE_NEXT,
                 "!!");
        dump->legend = "!signal here!";
        break;
    default:
        break;
    }
}

/* The byte that a reader asks about, whatever the event is. */
static void add_cursor(const struct moment *moment, struct dump *dump)
{
    const struct cursor *cursor = moment->screen->cursor;

    if (cursor)
        add_span(dump, cursor->origins.addr, 1, ROLE_CURRENT, "{}");
}

/* Where the instruction ends that is shown, or the one that follows it. */
static uint64_t end_of_focus(const struct moment *moment,
                             const struct dump *dump, uint64_t addr)
{
    uint64_t end = addr + 1;

    if (moment->focus.kind != FOCUS_NONE && moment->focus.addr == addr)
        end = addr + moment->focus.length;
    for (size_t i = 0; i < dump->span_count; i++)
        if (dump->spans[i].addr == end && dump->spans[i].length <= PER_ROW)
            end += dump->spans[i].length;
    return end > addr ? end : addr + 1;
}

/*
 * The first row: as much as possible of what is in front of the focus, with
 * some rows behind it where there are many. Nothing moves before it must.
 */
static uint64_t first_row(const struct dump *dump, uint64_t addr, uint64_t end,
                          unsigned rows)
{
    uint64_t row = (addr - dump->base) / dump->per_row;
    uint64_t last = (end - 1 - dump->base) / dump->per_row + rows / 3;
    uint64_t all = (dump->region->addr + dump->region->length - dump->base) /
                   dump->per_row;
    uint64_t first;

    if (last >= all)
        last = all - 1;
    first = last + 1 > rows ? last + 1 - rows : 0;
    return (first < row ? first : row) * dump->per_row;
}

/* A row of xxd is either whole or shorter and without its text. */
static unsigned per_row(unsigned columns)
{
    unsigned count = columns < ROW_WIDTH ? PER_ROW / 2 : PER_ROW;

    while (count > 1 && OFFSET + 3 * count > columns)
        count /= 2;
    return count;
}

/* --- the dump ------------------------------------------------------------ */

static const struct span *span_at(const struct dump *dump, uint64_t addr)
{
    for (size_t i = dump->span_count; i-- > 0;)
        if (addr - dump->spans[i].addr < dump->spans[i].length)
            return &dump->spans[i];
    return NULL;
}

/* Where a row of the dump stands. */
struct row {
    unsigned row;
    unsigned column; /* of its first byte */
    unsigned end;
    uint64_t addr; /* of its first byte */
};

/* A zero that nobody was seen to store is known once it is in code. */
static bool is_known(const struct dump *dump, uint64_t addr,
                     const struct span *span)
{
    return pages_written(&dump->view->pages, addr) ||
           (span && span->role != ROLE_BYTE_NEW && span->role != ROLE_CURRENT);
}

static void draw_byte(const struct moment *moment, const struct dump *dump,
                      const struct row *row, unsigned i)
{
    const struct span *span = span_at(dump, row->addr + i);
    enum role role = span ? span->role : ROLE_BYTE;
    unsigned column = row->column + 3 * i;
    unsigned text = row->column + 3 * dump->per_row + 1;

    if (is_known(dump, row->addr + i, span)) {
        for (unsigned digit = 0; digit < 2; digit++)
            grid_paint(moment->grid, row->row, column + digit, role);
        return;
    }
    grid_put(moment->grid, row->row, column, row->end, ROLE_UNWRITTEN,
             FIELDS_UNWRITTEN);
    if (text + dump->per_row <= row->end)
        grid_put(moment->grid, row->row, text + i, row->end, ROLE_PLAIN, " ");
}

/* The marks of a span, and its role, in the blanks of one row. */
static void draw_marks(const struct moment *moment, const struct dump *dump,
                       const struct row *row, const struct span *span)
{
    for (unsigned i = 0; i < dump->per_row; i++) {
        uint64_t at = row->addr + i - span->addr;
        unsigned column = row->column + 3 * i;
        bool last = at + 1 == span->length;

        if (at >= span->length)
            continue;
        if (at == 0)
            grid_put(moment->grid, row->row, column - 1, row->end, span->role,
                     span->open);
        if (last || i + 1 < dump->per_row)
            grid_put(moment->grid, row->row, column + 2, row->end, span->role,
                     last ? span->close : " ");
    }
}

static void draw_row(const struct moment *moment, const struct dump *dump,
                     struct area body, unsigned i)
{
    uint64_t offset = dump->row + (uint64_t)i * dump->per_row;
    struct row row = {.row = body.row + i,
                      .end = body.column + body.columns,
                      .addr = dump->base + offset};
    uint8_t bytes[PER_ROW];
    struct buf text = {0};

    pages_read(&dump->view->pages, row.addr, dump->per_row, bytes);
    row.column = body.column + hexdump_row((struct bytes){bytes, dump->per_row},
                                           offset, dump->per_row, &text);
    if (text.len > body.columns)
        text.len = row.column - body.column + 3 * dump->per_row;
    grid_put(moment->grid, row.row, body.column, row.end, ROLE_BYTE,
             buf_text(&text));
    grid_put(moment->grid, row.row, body.column, row.column, ROLE_ADDRESS,
             buf_text(&text));
    for (unsigned byte = 0; byte < dump->per_row; byte++)
        draw_byte(moment, dump, &row, byte);
    for (size_t span = 0; span < dump->span_count; span++)
        draw_marks(moment, dump, &row, &dump->spans[span]);
    buf_release(&text);
}

/* --- the title ----------------------------------------------------------- */

/* The protection in the form of maps: four characters, the last of which only
 * its line knows. */
static void append_prot(unsigned prot, const char *maps, struct buf *out)
{
    const char *in_maps = maps ? strchr(maps, ' ') : NULL;
    char text[4];

    prot_text(prot, text);
    buf_append_text(out, text);
    buf_printf(out, "%c", in_maps && strlen(in_maps) > 4 ? in_maps[4] : 'p');
}

static void write_prot(const struct moment *moment, const struct dump *dump,
                       struct pen *title)
{
    const struct event *event = moment->event;
    struct buf text = {0};
    bool changed = event->kind == EVENT_PROTECT &&
                   event->protect.old_prot != event->protect.prot;

    if (changed) {
        append_prot(event->protect.old_prot, dump->region->maps, &text);
        buf_append_text(&text, " → ");
    }
    append_prot(dump->region->prot, dump->region->maps, &text);
    pen_text(title, changed ? ROLE_CHANGED : ROLE_PROTECTION, buf_text(&text));
    buf_release(&text);
}

static void write_title(const struct moment *moment, const struct dump *dump,
                        struct pen *title)
{
    uint64_t length = dump->region->length;
    const struct event *start = history_event(moment->history, 0);
    bool one = start->kind == EVENT_START && length == start->start.page_size;
    struct buf size = {0};

    pen_text(title, ROLE_HEADING, one ? "page" : "pages");
    pen_column(title, title->column + 1);
    pen_print(title, ROLE_ADDRESS, "0x%llx",
              (unsigned long long)dump->region->addr);
    pen_column(title, title->column + 2);
    write_prot(moment, dump, title);
    buf_printf(&size, "%llu bytes", (unsigned long long)length);
    if (title->column + 2 + size.len + 4 <= pen_line_width(title)) {
        pen_column(title, title->column + 2);
        pen_text(title, ROLE_NOTE, buf_text(&size));
    }
    buf_release(&size);
}

/* --- without a mapping --------------------------------------------------- */

static void draw_none(const struct moment *moment, struct area area, bool gone,
                      uint64_t addr)
{
    struct pen title = pane_pen(area), pen = pane_pen(pane_body(area));

    pen_text(&title, ROLE_HEADING, "page");
    if (gone)
        pen_print(&title, ROLE_CHANGED, " 0x%llx  unmapped",
                  (unsigned long long)addr);
    pane_rule(moment->grid, area, &title, NULL);
    pen_words(&pen, ROLE_NOTE, 0,
              gone ? "The program gave it back."
                   : "The program has not asked for memory for code yet.");
    pane_fill(moment->grid, area, &pen);
}

void pane_page(const struct moment *moment, struct area area)
{
    struct dump dump = {0};
    struct area body = pane_body(area);
    struct pen title = pane_pen(area);
    uint64_t addr;

    if (area.rows == 0)
        return;
    if (!find_addr(moment, &addr)) {
        draw_none(moment, area, false, 0);
        return;
    }
    dump.view = moment_view(moment);
    dump.region = view_region_at(dump.view, addr);
    if (!dump.region) {
        draw_none(moment, area, true, addr);
        return;
    }
    dump.per_row = per_row(body.columns);
    dump.base = dump.region->start;
    find_spans(moment, &dump);
    dump.row =
        first_row(&dump, addr, end_of_focus(moment, &dump, addr), body.rows);
    add_cursor(moment, &dump);
    write_title(moment, &dump, &title);
    pane_rule(moment->grid, area, &title, dump.legend);
    for (unsigned row = 0; row < body.rows; row++)
        draw_row(moment, &dump, body, row);
}
