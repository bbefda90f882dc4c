/* SPDX-License-Identifier: MIT */
/*
 * Which pane is where. The rows of a screen are given out from two tables: each
 * entry is a pane and how many rows more it gets, what matters most first. An
 * entry that no longer fits is passed over. So the layout depends on the size
 * and on what is switched on, and a smaller screen loses lines, then panes, in
 * a fixed order. It depends on the event only where a crash is explained: that
 * takes the rows it needs.
 */
#include "screen/screen.h"

#include <string.h>

#include "base/utf8.h"
#include "tell/who.h"
#include "screen/command.h"
#include "screen/pane.h"

#define WIDE        130u /* columns for two columns of panes */
#define RIGHT       98u  /* the widest that the right one gets */
#define GAP         2u   /* between them */
#define NARROW      60u  /* below, an instruction's fields are a line each */
#define MIN_COLUMNS 20u
#define MIN_ROWS    5u

enum pane {
    PANE_SOURCE,
    PANE_PAGE,
    PANE_INSN,
    PANE_REGS,
    PANE_STORY,
    PANE_OUTPUT,
    PANES,
};

static void (*const draw_pane[PANES])(const struct moment *, struct area) = {
    [PANE_SOURCE] = pane_source, [PANE_PAGE] = pane_page,
    [PANE_INSN] = pane_insn,     [PANE_REGS] = pane_regs,
    [PANE_STORY] = pane_story,   [PANE_OUTPUT] = pane_output,
};

/* --- how many rows each pane gets ---------------------------------------- */

struct share {
    enum pane pane;
    unsigned rows;
};

/* Sums up to 22: with the header and the last line, a screen of 24. */
static const struct share shares[] = {
    {PANE_STORY, 3}, {PANE_INSN, 6},   {PANE_PAGE, 2},   {PANE_SOURCE, 2},
    {PANE_REGS, 2},  {PANE_STORY, 1},  {PANE_SOURCE, 1}, {PANE_REGS, 1},
    {PANE_PAGE, 1},  {PANE_SOURCE, 1}, {PANE_OUTPUT, 1}, {PANE_SOURCE, 1},
};

/* The first seven sum up to 18, for a screen of 20 rows and 40 columns. */
static const struct share narrow_shares[] = {
    {PANE_STORY, 4}, {PANE_INSN, 5},  {PANE_PAGE, 3},   {PANE_SOURCE, 2},
    {PANE_REGS, 2},  {PANE_STORY, 1}, {PANE_REGS, 1},   {PANE_OUTPUT, 1},
    {PANE_STORY, 1}, {PANE_INSN, 2},  {PANE_SOURCE, 1},
};

/* What is left goes round, up to these heights. */
static const struct share rounds[] = {
    {PANE_SOURCE, 10}, {PANE_STORY, 6},   {PANE_OUTPUT, 4}, {PANE_PAGE, 6},
    {PANE_REGS, 6},    {PANE_SOURCE, 14}, {PANE_PAGE, 9},   {PANE_INSN, 8},
    {PANE_REGS, 9},    {PANE_OUTPUT, 8},  {PANE_PAGE, 17},
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct layout {
    struct area areas[PANES];
    unsigned rows[PANES];
};

static bool is_in(unsigned panes, enum pane pane)
{
    return panes >> pane & 1u;
}

/* Gives out rows among a set of panes. Returns what nobody took. */
static unsigned give_shares(struct layout *layout, unsigned panes,
                            const struct share *list, size_t count,
                            unsigned rows)
{
    for (size_t i = 0; i < count; i++) {
        unsigned *have = &layout->rows[list[i].pane];
        bool first = *have == 0;

        /* The first row is a rule, of no use alone. */
        if (!is_in(panes, list[i].pane) || list[i].rows > rows ||
            (first && list[i].rows == 1 && list[i].pane != PANE_OUTPUT))
            continue;
        *have += list[i].rows;
        rows -= list[i].rows;
    }
    return rows;
}

static unsigned give_rounds(struct layout *layout, unsigned panes,
                            unsigned rows)
{
    bool given = true;

    while (rows > 0 && given) {
        given = false;
        for (size_t i = 0; i < COUNT(rounds) && rows > 0; i++) {
            unsigned *have = &layout->rows[rounds[i].pane];

            if (!is_in(panes, rounds[i].pane) || *have == 0 ||
                *have >= rounds[i].rows)
                continue;
            ++*have;
            rows--;
            given = true;
        }
    }
    return rows;
}

/* What is taken from others to show all registers, down to a number of rows
 * that they keep, in that order. */
static const struct share taken[] = {
    {PANE_SOURCE, 0},
    {PANE_OUTPUT, 0},
    {PANE_PAGE, 2},
    {PANE_STORY, 3},
};
static const struct share narrow_taken[] = {
    {PANE_SOURCE, 0}, {PANE_OUTPUT, 0}, {PANE_PAGE, 0},
    {PANE_INSN, 0},   {PANE_STORY, 3},
};

/* The same for the explanation of a crash. */
static const struct share story_taken[] = {
    {PANE_OUTPUT, 0}, {PANE_SOURCE, 0}, {PANE_REGS, 0},
    {PANE_PAGE, 0},   {PANE_INSN, 0},
};

static void give_more(struct layout *layout, enum pane pane,
                      const struct share *list, size_t count, unsigned wanted)
{
    unsigned *have = &layout->rows[pane];

    for (size_t i = 0; i < count && *have < wanted; i++) {
        unsigned *from = &layout->rows[list[i].pane];
        unsigned more = wanted - *have;

        if (*from <= list[i].rows)
            continue;
        if (more >= *from - 1 && list[i].rows == 0)
            more = *from; /* a rule alone is of no use */
        else if (more > *from - list[i].rows)
            more = *from - list[i].rows;
        *have += more;
        *from -= more;
    }
}

/* Panes below each other in an area, in that order. */
static void stack(struct layout *layout, const enum pane *order, size_t count,
                  struct area area)
{
    for (size_t i = 0; i < count; i++) {
        unsigned rows = layout->rows[order[i]];

        layout->areas[order[i]] =
            (struct area){area.row, area.column, rows, area.columns};
        area.row += rows;
    }
}

static unsigned set_of(const enum pane *order, size_t count)
{
    unsigned set = 0;

    for (size_t i = 0; i < count; i++)
        set |= 1u << order[i];
    return set;
}

/* `rest` is the pane that gets what is left at the end. */
static void lay_out_column(const struct moment *moment, struct layout *layout,
                           const enum pane *order, size_t count, enum pane rest,
                           struct area area)
{
    bool all_registers = moment->screen->all_registers;
    unsigned panes = set_of(order, count);
    unsigned rows = area.rows;

    rows = area.columns < NARROW
               ? give_shares(layout, panes, narrow_shares, COUNT(narrow_shares),
                             rows)
               : give_shares(layout, panes, shares, COUNT(shares), rows);
    rows = give_rounds(layout, panes, rows);
    layout->rows[rest] += layout->rows[rest] > 1 ? rows : 0;
    if (all_registers && area.columns < NARROW && layout->rows[PANE_REGS])
        give_more(layout, PANE_REGS, narrow_taken, COUNT(narrow_taken),
                  pane_regs_rows(area.columns));
    else if (all_registers && layout->rows[PANE_REGS])
        give_more(layout, PANE_REGS, taken, COUNT(taken),
                  pane_regs_rows(area.columns));
    if (is_in(panes, PANE_STORY) && layout->rows[PANE_STORY])
        give_more(layout, PANE_STORY, story_taken, COUNT(story_taken),
                  pane_story_rows(moment, area.columns));
    stack(layout, order, count, area);
}

static void lay_out(const struct moment *moment, struct layout *layout,
                    struct area area)
{
    static const enum pane one[] = {PANE_SOURCE, PANE_PAGE,  PANE_INSN,
                                    PANE_REGS,   PANE_STORY, PANE_OUTPUT};
    static const enum pane left[] = {PANE_SOURCE, PANE_STORY, PANE_OUTPUT};
    static const enum pane right[] = {PANE_PAGE, PANE_INSN, PANE_REGS};
    struct area side = area;

    *layout = (struct layout){0};
    if (area.columns < WIDE) {
        lay_out_column(moment, layout, one, COUNT(one), PANE_SOURCE, area);
        return;
    }
    side.columns = area.columns / 2 < RIGHT ? area.columns / 2 : RIGHT;
    if (side.columns < 80)
        side.columns = 80;
    area.columns -= side.columns + GAP;
    side.column = area.columns + GAP;
    lay_out_column(moment, layout, left, COUNT(left), PANE_SOURCE, area);
    lay_out_column(moment, layout, right, COUNT(right), PANE_REGS, side);
}

/* --- the first line ------------------------------------------------------ */

/* How much of the chapters there is room for. */
enum chapters {
    CHAPTER_CURRENT,
    CHAPTER_NUMBERS, /* names only the current one */
    CHAPTER_NAMES,
};

static unsigned put_chapter(struct grid *grid, unsigned column, int stage,
                            bool current, bool named)
{
    struct buf text = {0};

    buf_printf(&text, "%d", stage + 1);
    if (named)
        buf_printf(&text, " %s", stage_name((enum stage)stage));
    column = grid_put(grid, 0, column, grid->columns,
                      current ? ROLE_CURRENT : ROLE_PLAIN, current ? "[" : " ");
    column = grid_put(grid, 0, column, grid->columns,
                      current ? ROLE_CURRENT : ROLE_PLAIN, buf_text(&text));
    column = grid_put(grid, 0, column, grid->columns,
                      current ? ROLE_CURRENT : ROLE_PLAIN, current ? "]" : " ");
    buf_release(&text);
    return column;
}

static void draw_chapters(const struct moment *moment)
{
    struct grid *grid = moment->grid;
    enum stage current = moment_view(moment)->stage;
    enum chapters detail = grid->columns >= 78   ? CHAPTER_NAMES
                           : grid->columns >= 36 ? CHAPTER_NUMBERS
                                                 : CHAPTER_CURRENT;
    unsigned column = 0;

    for (int stage = 0; stage < STAGES; stage++) {
        bool is_current = stage == (int)current;

        if (is_current || detail != CHAPTER_CURRENT)
            column = put_chapter(grid, column, stage, is_current,
                                 is_current || detail == CHAPTER_NAMES);
    }
}

/* "event 5/31+": the last one known, and whether more is to come. */
static void draw_number(const struct moment *moment)
{
    struct grid *grid = moment->grid;
    struct buf text = {0};
    size_t len;

    buf_printf(&text, "%s%llu/%llu%s", grid->columns >= 78 ? "event " : "",
               (unsigned long long)moment->seq,
               (unsigned long long)history_count(moment->history) - 1,
               moment->screen->end == SCREEN_ENDED ? "" : "+");
    len = text.len + 1;
    if (len < grid->columns) {
        grid_put(grid, 0, grid->columns - (unsigned)len, grid->columns,
                 ROLE_PLAIN, " ");
        grid_put(grid, 0, grid->columns - (unsigned)text.len, grid->columns,
                 ROLE_HEADING, buf_text(&text));
    }
    buf_release(&text);
}

/* --- the last line ------------------------------------------------------- */

/* What is typed ends before the last column, where the cursor must fit. */
static void draw_prompt(struct grid *grid, const char *prompt)
{
    size_t width = pen_width(prompt);
    unsigned row = grid->rows - 1, end;

    while (*prompt && width + 1 > grid->columns) {
        size_t len = utf8_shown((const uint8_t *)prompt, strlen(prompt));

        prompt += len ? len : 1;
        width = pen_width(prompt);
    }
    end = grid_put(grid, row, 0, grid->columns, ROLE_PLAIN, prompt);
    pane_cursor(grid, row, end < grid->columns ? end : grid->columns - 1);
}

/* The commands that the last line names as far as there is room: these two
 * always, then the others in this order. */
static const enum command always[] = {COMMAND_HELP, COMMAND_QUIT};
static const enum command hinted[] = {
    COMMAND_NEXT,       COMMAND_BACK,      COMMAND_STAGE_NEXT, COMMAND_RUN,
    COMMAND_SEARCH,     COMMAND_REGISTERS, COMMAND_GOTO,       COMMAND_BASE,
    COMMAND_STAGE_BACK, COMMAND_FIRST,     COMMAND_LAST,       COMMAND_WHO,
};

/* "Enter" of "Enter, space, n" */
static void append_key(enum command command, struct buf *out)
{
    size_t start = out->len;

    command_keys(command, out);
    for (size_t i = start; i + 1 < out->len; i++)
        if (out->data[i] == ',' && out->data[i + 1] == ' ')
            out->len = i;
}

static void write_hint(struct pen *pen, enum command command)
{
    struct buf key = {0};

    append_key(command, &key);
    if (pen->column > 0)
        pen_gap(pen, 0);
    pen_text(pen, ROLE_KEY, buf_text(&key));
    pen_column(pen, pen->column + 1);
    pen_text(pen, ROLE_NOTE, command_word(command));
    buf_release(&key);
}

static unsigned hint_width(enum command command)
{
    struct pen pen = {.keep_roles = true};
    unsigned width;

    write_hint(&pen, command);
    width = pen.column + 2;
    pen_release(&pen);
    return width;
}

static void draw_keys(struct grid *grid)
{
    struct pen pen = {.keep_roles = true};
    unsigned reserved = 0;

    for (size_t i = 0; i < COUNT(always); i++)
        reserved += hint_width(always[i]);
    for (size_t i = 0; i < COUNT(hinted); i++)
        if (pen.column + hint_width(hinted[i]) + reserved <= grid->columns)
            write_hint(&pen, hinted[i]);
    for (size_t i = 0; i < COUNT(always); i++)
        write_hint(&pen, always[i]);
    grid_put_pen(grid, (struct area){grid->rows - 1, 0, 1, grid->columns}, &pen,
                 0);
    pen_release(&pen);
}

/* The byte at the cursor; what does not fit is cut, but where to find help. */
static void draw_who(const struct screen *screen, uint64_t seq,
                     struct grid *grid)
{
    const struct cursor *cursor = screen->cursor;
    unsigned help = hint_width(COMMAND_HELP);
    struct pen pen = {.keep_roles = true, .width = grid->columns};
    struct buf line = {0};

    pen.width -= help < grid->columns ? help : 0;
    who_line(&cursor->origins, seq, cursor->base, &line);
    pen_cut(&pen, ROLE_CURRENT, buf_text(&line));
    pen.width = grid->columns;
    write_hint(&pen, COMMAND_HELP);
    grid_put_pen(grid, (struct area){grid->rows - 1, 0, 1, grid->columns}, &pen,
                 0);
    pen_release(&pen);
    buf_release(&line);
}

static void draw_last_line(const struct screen *screen, uint64_t seq,
                           struct grid *grid)
{
    struct pen pen = {.keep_roles = true, .width = grid->columns};

    if (screen->prompt) {
        draw_prompt(grid, screen->prompt);
    } else if (screen->message && *screen->message) {
        pen_cut(&pen, ROLE_HEADING, screen->message);
        grid_put_pen(grid, (struct area){grid->rows - 1, 0, 1, grid->columns},
                     &pen, 0);
    } else if (screen->cursor && screen->end != SCREEN_RUNNING) {
        draw_who(screen, seq, grid);
    } else if (screen->end == SCREEN_RUNNING) {
        grid_put(grid, grid->rows - 1, 0, grid->columns, ROLE_HEADING,
                 "running to the next event …");
    } else {
        draw_keys(grid);
    }
    pen_release(&pen);
}

/* --- all of it ----------------------------------------------------------- */

static void draw_panes(const struct moment *moment)
{
    struct grid *grid = moment->grid;
    struct area area = {1, 0, grid->rows - 2, grid->columns};
    struct layout layout;

    draw_chapters(moment);
    draw_number(moment);
    lay_out(moment, &layout, area);
    pane_cursor(grid, pane_body(layout.areas[PANE_STORY]).row,
                layout.areas[PANE_STORY].column);
    for (int pane = 0; pane < PANES; pane++)
        draw_pane[pane](moment, layout.areas[pane]);
}

static void draw_too_small(struct grid *grid)
{
    struct pen pen = {.keep_roles = true, .width = grid->columns};

    pen_words(&pen, ROLE_NOTE, 0, "make the terminal larger");
    grid_put_pen(grid, (struct area){0, 0, grid->rows, grid->columns}, &pen, 0);
    pen_release(&pen);
}

static void clear(struct grid *grid)
{
    for (size_t i = 0; i < (size_t)grid->rows * grid->columns; i++)
        grid->cells[i] = (struct cell){' ', ROLE_PLAIN};
    grid->cursor_row = 0;
    grid->cursor_column = 0;
}

void screen_draw(const struct screen *screen, struct history *history,
                 uint64_t seq, struct grid *grid)
{
    struct event *event = event_copy(history_event(history, seq));
    struct moment moment = {.screen = screen,
                            .history = history,
                            .seq = seq,
                            .event = event,
                            .grid = grid};

    clear(grid);
    if (grid->rows < MIN_ROWS || grid->columns < MIN_COLUMNS) {
        draw_too_small(grid);
    } else if (screen->help) {
        pane_help(grid);
    } else {
        focus_find(history, seq, &moment.focus);
        draw_panes(&moment);
    }
    if (grid->rows > 1 || screen->prompt)
        draw_last_line(screen, seq, grid);
    event_free(event);
}
