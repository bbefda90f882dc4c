/* SPDX-License-Identifier: MIT */
/*
 * Which pane is where. The rows of a screen are given out from tables: each
 * entry is a pane and how many rows more it gets, what matters most first. An
 * entry that no longer fits is passed over. So the layout depends on the size
 * and on what is switched on, and a smaller screen loses lines, then panes, in
 * a fixed order. It depends on the event only where a crash is explained: that
 * takes the rows it needs.
 */
#include "screen/screen.h"

#include "base/utf8.h"
#include "tell/stack.h"
#include "tell/tell.h"
#include "screen/command.h"
#include "screen/pane.h"
#include "screen/timeline.h"

#define WIDE        110u /* columns for two columns of panes */
#define DUMP        75u  /* of a dump with 16 bytes a row */
#define FIELDS      68u  /* of most instructions' fields side by side */
#define GAP         2u   /* between them */
#define NARROW      60u  /* below, an instruction's fields are a line each */
#define MIN_COLUMNS 20u
#define MIN_ROWS    5u

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void (*const draw_pane[PANES])(const struct moment *, struct pane *) = {
    [PANE_SOURCE] = pane_source, [PANE_CODE] = pane_code,
    [PANE_PAGE] = pane_page,     [PANE_INSN] = pane_insn,
    [PANE_REGS] = pane_regs,     [PANE_STACK] = pane_stack,
    [PANE_STORY] = pane_story,   [PANE_OUTPUT] = pane_output,
};

#define BIT(name)  (1u << PANE_##name)
#define ALL_PANES  (((1u << PANES) - 1) & ~BIT(CODE) & ~BIT(STACK))
#define LEFT_PANES (BIT(SOURCE) | BIT(CODE) | BIT(PAGE))
#define RIGHT_PANES \
    (BIT(INSN) | BIT(REGS) | BIT(STACK) | BIT(STORY) | BIT(OUTPUT))

struct share {
    enum pane_name pane; /* PANES: the end of the table */
    unsigned rows;
};

/* Sums up to 22: with the header and the last line, a screen of 24. */
static const struct share shares[] = {
    {PANE_STORY, 3}, {PANE_INSN, 6},   {PANE_PAGE, 2},   {PANE_SOURCE, 2},
    {PANE_REGS, 2},  {PANE_STORY, 1},  {PANE_SOURCE, 1}, {PANE_REGS, 1},
    {PANE_PAGE, 1},  {PANE_SOURCE, 1}, {PANE_OUTPUT, 1}, {PANE_SOURCE, 1},
    {PANES, 0},
};

/* The first seven sum up to 18, for a screen of 20 rows and 40 columns. */
static const struct share narrow_shares[] = {
    {PANE_STORY, 4}, {PANE_INSN, 5},  {PANE_PAGE, 3},   {PANE_SOURCE, 2},
    {PANE_REGS, 2},  {PANE_STORY, 1}, {PANE_REGS, 1},   {PANE_OUTPUT, 1},
    {PANE_STORY, 1}, {PANE_INSN, 2},  {PANE_SOURCE, 1}, {PANES, 0},
};

/* Of two columns. */
static const struct share left_shares[] = {
    {PANE_SOURCE, 4},
    {PANE_CODE, 4},
    {PANE_PAGE, 3},
    {PANES, 0},
};
static const struct share right_shares[] = {
    {PANE_STORY, 4}, {PANE_INSN, 6},   {PANE_REGS, 4},  {PANE_INSN, 1},
    {PANE_STORY, 1}, {PANE_OUTPUT, 2}, {PANE_STACK, 4}, {PANES, 0},
};
static const struct share left_rounds[] = {
    {PANE_CODE, 8},  {PANE_SOURCE, 12}, {PANE_PAGE, 8}, {PANE_SOURCE, 20},
    {PANE_CODE, 18}, {PANE_PAGE, 17},   {PANES, 0},
};
static const struct share right_rounds[] = {
    {PANE_REGS, 6},  {PANE_STACK, 6},  {PANE_STORY, 7},   {PANE_INSN, 8},
    {PANE_REGS, 12}, {PANE_OUTPUT, 6}, {PANE_STACK, 12},  {PANE_STORY, 12},
    {PANE_INSN, 10}, {PANE_STORY, 18}, {PANE_OUTPUT, 12}, {PANES, 0},
};

/* What is left goes round, up to these heights. */
static const struct share rounds[] = {
    {PANE_SOURCE, 10}, {PANE_STORY, 6},   {PANE_OUTPUT, 4}, {PANE_PAGE, 6},
    {PANE_REGS, 6},    {PANE_SOURCE, 14}, {PANE_PAGE, 9},   {PANE_INSN, 8},
    {PANE_REGS, 9},    {PANE_OUTPUT, 8},  {PANE_PAGE, 17},  {PANES, 0},
};

/* What is taken from others to show all registers, or the explanation of a
 * crash, down to a number of rows that they keep, in that order. */
static const struct share taken[] = {
    {PANE_SOURCE, 0}, {PANE_OUTPUT, 0}, {PANE_PAGE, 2},
    {PANE_STACK, 0},  {PANE_STORY, 3},  {PANES, 0},
};
static const struct share narrow_taken[] = {
    {PANE_SOURCE, 0}, {PANE_OUTPUT, 0}, {PANE_PAGE, 0},
    {PANE_INSN, 0},   {PANE_STORY, 3},  {PANES, 0},
};
static const struct share zoom_taken[] = {
    {PANE_OUTPUT, 0}, {PANE_SOURCE, 0}, {PANE_CODE, 5},
    {PANE_REGS, 2},   {PANES, 0},
};
static const struct share explained_taken[] = {
    {PANE_OUTPUT, 0}, {PANE_SOURCE, 0}, {PANE_STACK, 0},
    {PANE_REGS, 0},   {PANE_PAGE, 0},   {PANES, 0},
};
static const struct share story_taken[] = {
    {PANE_OUTPUT, 0}, {PANE_SOURCE, 0}, {PANE_STACK, 0}, {PANE_REGS, 0},
    {PANE_PAGE, 0},   {PANE_INSN, 0},   {PANES, 0},
};

/* Gives the rows that a pane has as many more as it wants, or as there are. */
static void take_rows(unsigned *rows, const struct share *list, unsigned wanted,
                      unsigned *have)
{
    for (; list->pane != PANES && *have < wanted; list++) {
        unsigned *from = &rows[list->pane];
        unsigned more = wanted - *have;

        if (*from <= list->rows)
            continue;
        if (more >= *from - 1 && list->rows == 0)
            more = *from; /* a rule alone is of no use */
        else if (more > *from - list->rows)
            more = *from - list->rows;
        *have += more;
        *from -= more;
    }
}

/* What all of what stands in the place of the registers needs. */
static unsigned rows_of_registers(const struct moment *moment, unsigned columns)
{
    const struct screen *screen = moment->screen;

    return screen->stack && !moment->two_columns ? pane_stack_rows()
           : screen->vectors                     ? pane_vectors_rows()
                                                 : pane_regs_rows(columns);
}

/* Places a set of panes, BIT(...) | ..., below each other in an area. */
static void lay_out(const struct moment *moment, unsigned panes,
                    struct area area, struct area *areas)
{
    const struct screen *screen = moment->screen;
    bool narrow = area.columns < NARROW && !moment->two_columns, given = true;
    enum pane_name last = panes & BIT(SOURCE) ? PANE_SOURCE : PANE_STORY;
    const struct share *share = panes == ALL_PANES
                                    ? (narrow ? narrow_shares : shares)
                                : panes & BIT(SOURCE) ? left_shares
                                                      : right_shares;
    const struct share *more = panes == ALL_PANES    ? rounds
                               : panes & BIT(SOURCE) ? left_rounds
                                                     : right_rounds;
    unsigned rows[PANES] = {0}, left = area.rows;

    for (; share->pane != PANES; share++) {
        unsigned *have = &rows[share->pane];
        /* The first row is a rule, of no use but to the output. */
        bool alone = *have + share->rows == 1 && share->pane != PANE_OUTPUT;

        if (!(panes >> share->pane & 1u) || share->rows > left || alone)
            continue;
        *have += share->rows;
        left -= share->rows;
    }
    while (left > 0 && given) {
        given = false;
        for (share = more; share->pane != PANES && left > 0; share++)
            if (rows[share->pane] && rows[share->pane] < share->rows) {
                rows[share->pane]++;
                left--;
                given = true;
            }
    }
    if (rows[last] > 1)
        rows[last] += left;

    if ((screen->all_registers || screen->vectors ||
         (screen->stack && !moment->two_columns)) &&
        rows[PANE_REGS])
        take_rows(rows, narrow ? narrow_taken : taken,
                  rows_of_registers(moment, area.columns), &rows[PANE_REGS]);
    if (screen->zoom && rows[PANE_PAGE])
        take_rows(rows, zoom_taken, pane_zoom_rows(moment, area.columns),
                  &rows[PANE_PAGE]);
    if (rows[PANE_STORY])
        take_rows(rows,
                  screen->field || screen->term ? explained_taken : story_taken,
                  pane_story_rows(moment, area.columns), &rows[PANE_STORY]);
    for (int pane = 0; pane < PANES; pane++)
        if (panes >> pane & 1u) {
            area.rows = rows[pane];
            areas[pane] = area;
            area.row += area.rows;
        }
}

/* The panes of two columns that have something to show. */
static unsigned present(const struct moment *moment)
{
    struct stack_words stack;
    unsigned panes = LEFT_PANES | RIGHT_PANES;

    if (moment->focus.kind == FOCUS_NONE)
        panes &= ~BIT(CODE);
    if (stack_find(moment->history, moment->seq, &stack))
        stack_release(&stack);
    else
        panes &= ~BIT(STACK);
    return panes;
}

static void fill_pane(const struct moment *moment, enum pane_name name,
                      struct area area)
{
    struct pane pane = pane_begin(area);

    if (name == PANE_REGS && moment->screen->stack && !moment->two_columns)
        pane_stack(moment, &pane);
    else if (name == PANE_REGS && moment->screen->vectors)
        pane_vectors(moment, &pane);
    else
        draw_pane[name](moment, &pane);
    pane_end(&pane, moment->grid);
}

static void draw_panes(struct moment *moment)
{
    struct grid *grid = moment->grid;
    unsigned first = grid->rows < TIMELINE_MIN_ROWS ? 1 : TIMELINE_ROW + 1;
    struct area area = {first, 0, grid->rows - 1 - first, grid->columns};
    struct area side = area;
    struct area areas[PANES] = {{0}};
    unsigned all = area.columns - GAP;

    moment->two_columns = area.columns >= WIDE;
    if (!moment->two_columns) {
        lay_out(moment, ALL_PANES, area, areas);
    } else {
        area.columns = all >= DUMP + FIELDS ? DUMP + (all - DUMP - FIELDS) / 2
                                            : all * 9 / 20;
        side.columns = all - area.columns;
        side.column = area.columns + GAP;
        lay_out(moment, present(moment) & LEFT_PANES, area, areas);
        lay_out(moment, present(moment) & RIGHT_PANES, side, areas);
    }
    pane_cursor(grid, areas[PANE_STORY].row + 1, areas[PANE_STORY].column);
    for (int i = 0; i < PANES; i++)
        if (areas[i].rows > 0)
            fill_pane(moment, (enum pane_name)i, areas[i]);
}

/* " 2 mmap [3 byte writes]", as far as there is room: only the current chapter,
 * or the numbers of the others, or their names. Then "event 5/31+": the last
 * one known, and whether more is to come. */
static void draw_first_line(const struct moment *moment)
{
    struct grid *grid = moment->grid;
    enum stage current = moment_view(moment)->stage;
    unsigned column = 0, end = grid->columns;
    struct buf text = {0};

    for (int stage = 0; stage < STAGES; stage++) {
        bool is_it = stage == (int)current;

        if (!is_it && end < 36)
            continue;
        buf_clear(&text);
        buf_printf(&text, is_it ? "[%d" : " %d", stage + 1);
        if (is_it || end >= 78)
            buf_printf(&text, " %s", stage_name((enum stage)stage));
        buf_append_text(&text, is_it ? "]" : " ");
        column = grid_put(grid, 0, column, end,
                          is_it ? ROLE_CURRENT : ROLE_PLAIN, buf_text(&text));
    }

    buf_clear(&text);
    buf_printf(&text, "%s%" PRIu64 "/%" PRIu64 "%s", end >= 78 ? "event " : "",
               moment->seq, history_count(moment->history) - 1,
               moment->screen->end == SCREEN_ENDED ? "" : "+");
    if (text.len + 1 < end) {
        column = end - (unsigned)text.len;
        grid_put(grid, 0, column - 1, end, ROLE_PLAIN, " ");
        grid_put(grid, 0, column, end, ROLE_HEADING, buf_text(&text));
    }
    buf_release(&text);
}

/* The first key of a command, and its word. */
static void write_hint(struct pen *pen, enum command command)
{
    struct buf keys = {0};

    command_keys(command, &keys); /* "Enter, space, n" */
    keys.len = strcspn(buf_text(&keys), ",");
    if (pen->column > 0)
        pen_gap(pen, 0);
    pen_text(pen, ROLE_KEY, buf_text(&keys));
    pen_column(pen, pen->column + 1);
    pen_text(pen, ROLE_NOTE, command_table[command].word);
    buf_release(&keys);
}

/* With the gap in front of it. */
static unsigned hint_width(enum command command)
{
    struct pen pen = {.keep_roles = true};

    write_hint(&pen, command);
    pen_release(&pen);
    return pen.column + 2;
}

/* The commands that the last line names as far as there is room: these two
 * always, then the others in this order. */
static const enum command always[] = {COMMAND_HELP, COMMAND_QUIT};
static const enum command hinted[] = {
    COMMAND_NEXT,   COMMAND_BACK,       COMMAND_STAGE_NEXT, COMMAND_RUN,
    COMMAND_SEARCH, COMMAND_EXPLAIN,    COMMAND_REGISTERS,  COMMAND_GOTO,
    COMMAND_BASE,   COMMAND_STAGE_BACK, COMMAND_FIRST,      COMMAND_LAST,
    COMMAND_WHO,    COMMAND_VECTORS,    COMMAND_STACK,
};

/* The cursor must fit, so what is in front of it may be cut. What could be
 * typed has the room that is left. */
static void draw_prompt(const struct screen *screen, struct grid *grid,
                        unsigned row)
{
    unsigned columns = grid->columns, at, end;
    size_t left = screen->prompt_at;
    const char *text = screen->prompt;
    struct buf front = {0};

    buf_append(&front, text, left);
    while (left > 0 && pen_width(buf_text(&front)) + 1 > columns) {
        size_t len = utf8_shown((const uint8_t *)text, left);

        len = len ? len : 1;
        text += len;
        left -= len;
        buf_clear(&front);
        buf_append(&front, text, left);
    }
    at = (unsigned)pen_width(buf_text(&front));
    end = grid_put(grid, row, 0, columns, ROLE_PLAIN, text);
    pane_cursor(grid, row, at < columns ? at : columns - 1);
    if (screen->choices && *screen->choices && end + 4 < columns) {
        struct pen pen = {.keep_roles = true, .width = columns - end - 2};

        pen_cut(&pen, ROLE_NOTE, screen->choices);
        grid_put_pen(grid, (struct area){row, end + 2, 1, columns - end - 2},
                     &pen, 0);
        pen_release(&pen);
    }
    buf_release(&front);
}

/* What leads on from an explanation: of a field, or of a word. */
static void draw_explained(bool is_field, struct pen *pen)
{
    static const struct {
        const char *keys, *what;
    } list[] = {
        {"← →", "another field"}, {"Esc", "what happened"}, {"h", "all keys"}};

    for (size_t i = !is_field; i < COUNT(list); i++) {
        pen_item(pen, 0, pen_width(list[i].keys) + pen_width(list[i].what) + 1);
        pen_text(pen, ROLE_KEY, list[i].keys);
        pen_column(pen, pen->column + 1);
        pen_text(pen, ROLE_NOTE, list[i].what);
    }
}

static void draw_last_line(const struct screen *screen, struct history *history,
                           uint64_t seq, struct grid *grid)
{
    struct area row = {grid->rows - 1, 0, 1, grid->columns};
    struct pen pen = {.keep_roles = true, .width = grid->columns};
    const struct cursor *cursor = screen->cursor;
    unsigned reserved = 0;
    struct buf who = {0};

    if (screen->prompt) {
        draw_prompt(screen, grid, row.row);
    } else if (screen->message && *screen->message) {
        pen_cut(&pen, ROLE_HEADING, screen->message);
    } else if (screen->field || screen->term) {
        draw_explained(screen->field, &pen);
    } else if (screen->end == SCREEN_RUNNING) {
        pen_text(&pen, ROLE_HEADING, "running to the next event …");
    } else if (cursor) {
        /* What does not fit is cut, but where to find help. */
        reserved = hint_width(COMMAND_HELP);
        pen.width -= reserved < pen.width ? reserved : 0;
        who_line(history_emissions(history), &cursor->origins, seq,
                 cursor->base, &who);
        pen_cut(&pen, ROLE_CURRENT, buf_text(&who));
        write_hint(&pen, COMMAND_HELP);
        buf_release(&who);
    } else {
        for (size_t i = 0; i < COUNT(always); i++)
            reserved += hint_width(always[i]);
        for (size_t i = 0; i < COUNT(hinted); i++)
            if (pen.column + hint_width(hinted[i]) + reserved <= pen.width)
                write_hint(&pen, hinted[i]);
        for (size_t i = 0; i < COUNT(always); i++)
            write_hint(&pen, always[i]);
    }
    grid_put_pen(grid, row, &pen, 0);
    pen_release(&pen);
}

/* A moment, to be closed. Its screen and its grid are the caller's to set. */
struct open_moment {
    struct moment moment;
    struct event *event;
    struct explanation explanation;
};

static void open_moment(struct open_moment *open, struct history *history,
                        uint64_t seq)
{
    struct moment *moment = &open->moment;

    *open = (struct open_moment){0};
    moment->history = history;
    moment->seq = seq;
    moment->event = open->event = event_keep(history_event(history, seq));
    focus_find(history, seq, &moment->focus);
    if (tell_explain(history, seq, &open->explanation))
        moment->explanation = &open->explanation;
}

static void close_moment(struct open_moment *open)
{
    explanation_release(&open->explanation);
    event_free(open->event);
}

unsigned screen_fields(struct history *history, uint64_t seq)
{
    struct open_moment open;
    unsigned count;

    open_moment(&open, history, seq);
    count = pane_fields(&open.moment);
    close_moment(&open);
    return count;
}

unsigned screen_field_at(struct history *history, uint64_t seq,
                         const struct grid *grid, unsigned row, unsigned column)
{
    struct open_moment open;
    unsigned field;

    open_moment(&open, history, seq);
    field = pane_field_at(&open.moment, grid, row, column);
    close_moment(&open);
    return field;
}

void screen_tell_fields(struct history *history, uint64_t seq, struct pen *pen)
{
    struct screen screen = {0};
    struct pen title = {0};
    struct open_moment open;
    unsigned count;

    open_moment(&open, history, seq);
    open.moment.screen = &screen;
    count = pane_fields(&open.moment);
    for (screen.field = 1; screen.field <= count; screen.field++)
        pane_explain(&open.moment, &title, pen);
    pen_release(&title);
    close_moment(&open);
}

void screen_draw(const struct screen *screen, struct history *history,
                 uint64_t seq, struct grid *grid)
{
    struct pen pen = {.keep_roles = true, .width = grid->columns};
    struct open_moment open;

    grid_clear(grid);
    if (grid->rows < MIN_ROWS || grid->columns < MIN_COLUMNS) {
        pen_words(&pen, ROLE_NOTE, 0, "make the terminal larger");
        grid_put_pen(grid, (struct area){0, 0, grid->rows, grid->columns}, &pen,
                     0);
    } else if (screen->help) {
        pane_help(screen, grid);
    } else {
        if (screen->zoom)
            history_keep_uses(history);
        open_moment(&open, history, seq);
        open.moment.screen = screen;
        open.moment.grid = grid;
        draw_first_line(&open.moment);
        if (grid->rows >= TIMELINE_MIN_ROWS)
            timeline_draw(history, seq, grid, TIMELINE_ROW);
        draw_panes(&open.moment);
        close_moment(&open);
    }
    if (grid->rows > 1 || screen->prompt)
        draw_last_line(screen, history, seq, grid);
    pen_release(&pen);
}

void screen_draw_panes(struct history *history, uint64_t seq,
                       const struct pane_wish *wishes, size_t count,
                       struct grid *grids)
{
    /* With its rule; a narrow one needs more for the fields of an instruction,
     * a line each, and for sentences. */
    static const unsigned best[PANES] = {
        [PANE_SOURCE] = 15, [PANE_CODE] = 15,  [PANE_PAGE] = 9,
        [PANE_INSN] = 9,    [PANE_REGS] = 9,   [PANE_STACK] = 9,
        [PANE_STORY] = 7,   [PANE_OUTPUT] = 6,
    };
    struct open_moment open;

    open_moment(&open, history, seq);
    for (size_t i = 0; i < count; i++) {
        const struct pane_wish *wish = &wishes[i];
        const bool narrow = wish->columns < NARROW;
        unsigned rows = best[wish->pane], needed = 0;

        open.moment.screen = wish->screen;
        open.moment.grid = &grids[i];
        if (narrow && (wish->pane == PANE_STORY || wish->pane == PANE_INSN))
            rows += rows;
        if (wish->pane == PANE_STORY)
            needed = pane_story_rows(&open.moment, wish->columns);
        else if (wish->pane == PANE_REGS &&
                 (wish->screen->all_registers || wish->screen->vectors ||
                  wish->screen->stack))
            needed = rows_of_registers(&open.moment, wish->columns) + 4;
        rows = needed > rows ? needed : rows;
        grid_init(&grids[i], rows, wish->columns);
        fill_pane(&open.moment, wish->pane,
                  (struct area){0, 0, rows, wish->columns});
    }
    close_moment(&open);
}
