/* SPDX-License-Identifier: MIT */
/*
 * The whole mapping at once, a sign for each byte, or for as many as it takes
 * that all of it is seen; of several bytes the most telling one has the sign:
 *
 *     0000: xxxx@@@xxxxxxxx!!xxxx000000wwww
 *     0040: 4032 bytes, not written
 *     · unwritten  0 zero  w written  x ran  @ now  d data  ! changed  # stored
 */
#include "screen/pane.h"

#define MOST_ROWS 16u /* that are asked for */
#define MIN_SIGNS 8u  /* in a row */
#define NARROW    60u /* columns; below, the rule has no room for the scale */
#define MOST      64u /* in a row: a power of two, for offsets that are round */

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* What is behind another one is more telling. */
enum sign {
    SIGN_NONE,
    SIGN_ZERO,
    SIGN_WRITTEN,
    SIGN_DATA,
    SIGN_RAN,
    SIGN_CHANGED,
    SIGN_NOW,
    SIGN_STORED,
};

static const struct {
    const char *text;
    enum role role;
    const char *words;
} signs[] = {
    [SIGN_NONE] = {"·", ROLE_UNWRITTEN, "unwritten"},
    [SIGN_ZERO] = {"0", ROLE_BYTE, "zero"},
    [SIGN_WRITTEN] = {"w", ROLE_BYTE, "written"},
    [SIGN_DATA] = {"d", ROLE_BYTE, "data"},
    [SIGN_RAN] = {"x", ROLE_PLAIN, "ran"},
    [SIGN_CHANGED] = {"!", ROLE_WARNING, "changed"},
    [SIGN_NOW] = {"@", ROLE_EXECUTED, "now"},
    [SIGN_STORED] = {"#", ROLE_BYTE_NEW, "stored"},
};

/* A mapping, and the part of it that is shown: rows around what was written. */
struct map {
    uint64_t base; /* where offsets are counted from */
    uint64_t start, length;
    uint64_t first, last; /* offsets in it of the first and last written byte */
    bool written;         /* there are such */
    unsigned digits;      /* of an offset */
    unsigned per_row;     /* signs */
    uint64_t per_sign;    /* bytes: a power of two */
};

static void append_scale(uint64_t per_sign, struct buf *out)
{
    buf_printf(out, "a sign = %" PRIu64 " byte%s", per_sign,
               per_sign == 1 ? "" : "s");
}

static void write_legend(uint64_t per_sign, struct pen *pen)
{
    struct buf scale = {0};

    for (size_t i = 0; i < COUNT(signs); i++) {
        pen_item(pen, 0, pen_width(signs[i].words) + 2);
        pen_text(pen, signs[i].role, signs[i].text);
        pen_column(pen, pen->column + 1);
        pen_text(pen, ROLE_NOTE, signs[i].words);
    }
    if (pen->width < NARROW) {
        append_scale(per_sign, &scale);
        pen_item(pen, 0, pen_width(buf_text(&scale)));
        pen_text(pen, ROLE_NOTE, buf_text(&scale));
        buf_release(&scale);
    }
    pen_end(pen);
}

static unsigned legend_rows(unsigned columns)
{
    struct pen pen = {.keep_roles = true, .width = columns};
    unsigned rows;

    write_legend(UINT32_MAX, &pen); /* the scale depends on these rows */
    rows = pane_lines(&pen);
    pen_release(&pen);
    return rows;
}

/* All parts of the mapping that the region was cut from. */
static struct map measure(const struct view *view, const struct region *region,
                          unsigned columns)
{
    struct map map = {.base = region->start,
                      .start = region->addr,
                      .digits = 4,
                      .per_row = MOST,
                      .per_sign = 1};
    uint64_t end = region->addr + region->length;

    for (size_t i = 0; i < view->regions.count; i++) {
        const struct region *part = &view->regions.list[i];

        if (part->mapping != region->mapping)
            continue;
        if (part->addr < map.start)
            map.start = part->addr;
        if (part->addr + part->length > end)
            end = part->addr + part->length;
    }
    map.length = end - map.start;
    map.written = pages_extent(&view->pages, map.start, map.length, &map.first,
                               &map.last);
    map.first -= map.start;
    map.last -= map.start;
    while (map.digits < 16 && (end - map.base - 1) >> 4 * map.digits)
        map.digits++;
    while (map.per_row > MIN_SIGNS && map.digits + 2 + map.per_row > columns)
        map.per_row /= 2;
    return map;
}

/* Rows of signs, and how many more tell what is not written around them. */
static uint64_t sign_rows(const struct map *map, uint64_t *others)
{
    uint64_t row = map->per_row * map->per_sign;

    *others = map->written ? (map->first >= row) +
                                 (map->last / row * row + row < map->length)
                           : 1;
    return map->written ? map->last / row - map->first / row + 1 : 0;
}

/* As what was written grows, so do the rows, but only now and then. */
unsigned pane_zoom_rows(const struct moment *moment, unsigned columns)
{
    const struct view *view = moment_view(moment);
    const struct region *region;
    uint64_t addr, needed, others;
    unsigned rows = 1;
    struct map map;

    if (!pane_page_addr(moment, &addr) ||
        !(region = view_region_at(view, addr)))
        return 0;
    map = measure(view, region, columns);
    needed = sign_rows(&map, &others);
    while (rows < needed && rows < MOST_ROWS)
        rows *= 2;
    return 1 + rows + (unsigned)others + legend_rows(columns);
}

/* --- bytes --------------------------------------------------------------- */

static enum sign sign_of(bool written, uint8_t byte, enum byte_use use)
{
    static const enum sign used[] = {[USE_RAN] = SIGN_RAN,
                                     [USE_CHANGED] = SIGN_CHANGED,
                                     [USE_DATA] = SIGN_DATA};

    return use != USE_NONE ? used[use]
           : !written      ? SIGN_NONE
           : byte          ? SIGN_WRITTEN
                           : SIGN_ZERO;
}

/* The most telling sign of [addr, end). */
static enum sign find_sign(const struct view *view, uint64_t addr, uint64_t end)
{
    enum sign best = SIGN_NONE;
    uint8_t bytes[256];
    bool written[256];
    size_t len;

    while ((addr = pages_next(&view->pages, addr, end)) < end) {
        len = end - addr < sizeof bytes ? end - addr : sizeof bytes;
        len = pages_read_marks(&view->pages, addr, len, bytes, written);
        for (size_t i = 0; i < len; i++) {
            enum sign sign =
                sign_of(written[i], bytes[i], uses_at(&view->uses, addr + i));

            best = sign > best ? sign : best;
        }
        addr += len;
    }
    return best;
}

/* What the event is about there: bytes that it stored, or an instruction that
 * was executed, is to be, or raised a signal. */
static enum sign event_sign(const struct moment *moment, uint64_t *addr,
                            uint64_t *length)
{
    const struct event *event = moment->event;

    switch (event->kind) {
    case EVENT_WRITE:
        *addr = event->write.addr;
        *length = event->write.new.len;
        return SIGN_STORED;
    case EVENT_STEP:
        *addr = event->step.addr;
        *length = event->step.bytes.len;
        return SIGN_NOW;
    case EVENT_ENTER:
        *addr = event->enter.addr;
        *length = 1;
        return SIGN_NOW;
    default:
        *addr = moment->focus.addr;
        *length = moment->focus.length;
        return moment->focus.kind == FOCUS_SIGNAL ? SIGN_NOW : SIGN_NONE;
    }
}

/* --- rows ---------------------------------------------------------------- */

static void write_row(const struct moment *moment, const struct map *map,
                      uint64_t from, struct pen *pen)
{
    const struct cursor *cursor = moment->screen->cursor;
    const struct view *view = moment_view(moment);
    uint64_t end = map->start + map->length, about, length;
    enum sign sign = event_sign(moment, &about, &length);

    for (unsigned i = 0; i < map->per_row && from < end; i++) {
        uint64_t to = from + map->per_sign < end ? from + map->per_sign : end;
        bool is_here = about < to && about + length > from;
        enum sign found = find_sign(view, from, to);
        enum role role;

        if (is_here && sign > found)
            found = sign;
        role = signs[found].role;
        if (cursor && cursor->origins.addr - from < to - from)
            role = ROLE_CURRENT;
        pen_text(pen, role, signs[found].text);
        from = to;
    }
    pen_end(pen);
}

static void write_rest(const struct map *map, uint64_t at, uint64_t length,
                       struct pen *pen)
{
    if (length == 0)
        return;
    pen_print(pen, ROLE_ADDRESS, "%0*" PRIx64 ":", (int)map->digits,
              map->start - map->base + at);
    pen_line(pen, ROLE_NOTE, " %" PRIu64 " bytes, not written", length);
}

void pane_zoom(const struct moment *moment, const struct region *region,
               struct pane *pane)
{
    struct map map = measure(moment_view(moment), region, pane->body.columns);
    unsigned legend = legend_rows(pane->body.columns);
    unsigned rows = pane->body.rows > legend ? pane->body.rows - legend : 1;
    uint64_t at = 0, end = 0, row, others;

    while (sign_rows(&map, &others) + others > rows &&
           map.per_sign < map.length)
        map.per_sign *= 2;
    row = map.per_row * map.per_sign;
    if (map.written) {
        at = map.first / row * row;
        end = map.last / row * row + row;
        end = end < map.length ? end : map.length;
    }
    if (pane->body.columns >= NARROW)
        append_scale(map.per_sign, &pane->right);
    write_rest(&map, 0, at, &pane->pen);
    for (; at < end; at += row) {
        pen_print(&pane->pen, ROLE_ADDRESS, "%0*" PRIx64 ": ", (int)map.digits,
                  map.start - map.base + at);
        write_row(moment, &map, map.start + at, &pane->pen);
    }
    write_rest(&map, end, map.length - end, &pane->pen);
    if (pane->body.rows > legend)
        write_legend(map.per_sign, &pane->pen);
}
