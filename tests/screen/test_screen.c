/* SPDX-License-Identifier: MIT */
/*
 * Screens of real recordings, read as a reader would: which text stands where,
 * and in which role. No terminal is needed for that.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tell/code.h"
#include "screen/grid.h"
#include "screen/screen.h"
#include "screen/timeline.h"
#include "support/support.h"
#include "trace/history.h"

#include "screen/command.h"

TestSuite(screen, .timeout = 120);

/* The sizes that must be good. */
static const struct {
    unsigned rows;
    unsigned columns;
} sizes[] = {{24, 80}, {20, 40}, {30, 110}, {50, 160}, {60, 200}};

#define SIZES (sizeof sizes / sizeof *sizes)

/* Events of the baby JIT at -O0. */
enum {
    AT_START = 0,
    AT_MAP = 1,
    AT_WRITE = 2, /* of byte 0 */
    AT_PROTECT = 13,
    AT_ENTER = 14,
    AT_MOV = 15,
    AT_ADD = 16,
    AT_RET = 17,
    AT_LEAVE = 18,
    AT_OUTPUT = 29,
    AT_UNMAP = 30,
    AT_EXIT = 31,
};

static struct history *record(const char *const *argv)
{
    struct job command = {.argv = argv};
    struct history *history = history_new();
    struct result result;
    struct store store;

    trace(&command, &store, &result);
    for (size_t i = 0; i < store.count; i++)
        history_append(history, store_event(&store, i));
    store_release(&store);
    result_release(&result);
    return history;
}

static void draw(struct history *history, uint64_t seq,
                 const struct screen *how, unsigned rows, unsigned columns,
                 struct grid *grid)
{
    static const struct screen usual = {.end = SCREEN_ENDED};

    grid_init(grid, rows, columns);
    screen_draw(how ? how : &usual, history, seq, grid);
}

/* A row as text; freed by its user. */
static char *row_of(const struct grid *grid, unsigned row)
{
    struct buf text = {0};
    char *copy;

    grid_row(grid, row, &text);
    copy = mem_copy_text(buf_text(&text));
    buf_release(&text);
    return copy;
}

/* All rows, each with a newline. */
static char *text_of(const struct grid *grid)
{
    struct buf text = {0};
    char *copy;

    for (unsigned row = 0; row < grid->rows; row++) {
        grid_row(grid, row, &text);
        buf_append_text(&text, "\n");
    }
    copy = mem_copy_text(buf_text(&text));
    buf_release(&text);
    return copy;
}

/* The first row that contains the text; the test fails if there is none. */
static unsigned find_row(const struct grid *grid, const char *text)
{
    unsigned found = grid->rows;
    char *all = text_of(grid);

    for (unsigned row = grid->rows; row-- > 0;) {
        char *line = row_of(grid, row);

        if (strstr(line, text))
            found = row;
        free(line);
    }
    cr_assert(lt(uint, found, grid->rows), "no \"%s\" in\n%s", text, all);
    free(all);
    return found;
}

static bool has_text(const struct grid *grid, const char *text)
{
    char *all = text_of(grid);
    bool has = strstr(all, text) != NULL;

    free(all);
    return has;
}

static void expect_row(const struct grid *grid, unsigned row, const char *text)
{
    char *line = row_of(grid, row);

    cr_expect(eq(str, line, (char *)text));
    free(line);
}

/* The column where an ASCII text begins on a row. */
static unsigned find_column(const struct grid *grid, unsigned row,
                            const char *text)
{
    size_t len = strlen(text);

    for (unsigned column = 0; column + len <= grid->columns; column++) {
        size_t i = 0;

        while (i < len && grid_cell(grid, row, column + (unsigned)i)->rune ==
                              (uint32_t)text[i])
            i++;
        if (i == len)
            return column;
    }
    return grid->columns;
}

static void expect_role(const struct grid *grid, const char *text,
                        enum role role)
{
    unsigned row = find_row(grid, text);
    unsigned column = find_column(grid, row, text);

    cr_assert(lt(uint, column, grid->columns));
    for (size_t i = 0; i < strlen(text); i++)
        cr_expect(eq(int, (int)grid_cell(grid, row, column + (unsigned)i)->role,
                     (int)role),
                  "role of \"%s\", character %zu", text, i);
}

/* The role of the cell so many columns behind where a text begins. */
static void expect_role_at(const struct grid *grid, const char *text,
                           unsigned behind, enum role role)
{
    unsigned row = find_row(grid, text);
    unsigned column = *text < 0 ? 0 : find_column(grid, row, text);

    cr_expect(
        eq(int, (int)grid_cell(grid, row, column + behind)->role, (int)role),
        "role of \"%s\" + %u", text, behind);
}

/* --- the grid ------------------------------------------------------------ */

Test(screen, a_grid_is_cut_at_the_end_and_holds_one_column_characters)
{
    struct grid grid;

    grid_init(&grid, 2, 8);
    cr_assert(eq(uint, grid_put(&grid, 0, 1, 5, ROLE_BYTE, "abcdef"), 5));
    expect_row(&grid, 0, " abcd");
    cr_assert(
        eq(uint, grid_put(&grid, 1, 0, 99, ROLE_PLAIN, "é─→·字\t\xff"), 7));
    expect_row(&grid, 1, "é─→·???");
    cr_assert(eq(uint, grid_cell(&grid, 1, 2)->rune, 0x2192));
    cr_assert(eq(int, (int)grid_cell(&grid, 0, 1)->role, ROLE_BYTE));
    cr_assert(eq(int, (int)grid_cell(&grid, 0, 0)->role, ROLE_PLAIN));
    cr_assert(eq(uint, grid_put(&grid, 2, 0, 8, ROLE_PLAIN, "x"), 0));
    grid_release(&grid);
}

Test(screen, what_has_no_column_of_its_own_is_replaced)
{
    /* A combining accent, a zero width space, a line separator, a soft hyphen,
     * an emoji, a clock that is wide, half a character, a lone surrogate. */
    static const char *const texts[] = {
        "\xcc\x81", "\xe2\x80\x8b",     "\xe2\x80\xa8",
        "\xc2\xad", "\xf0\x9f\x98\x80", "\xe2\x8c\x9a",
        "\xe2\x94", "\xed\xa0\x80",     "\x7f",
        "\x1b",     "\xc2\x9b",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct grid grid;

        grid_init(&grid, 1, 1);
        grid_put(&grid, 0, 0, 1, ROLE_PLAIN, texts[i]);
        cr_expect(eq(uint, grid_cell(&grid, 0, 0)->rune, '?'), "text %zu", i);
        grid_release(&grid);
    }
}

Test(screen, a_pen_is_copied_with_its_roles_from_a_line_on)
{
    struct pen pen = {.keep_roles = true, .width = 6};
    struct grid grid;

    pen_text(&pen, ROLE_BYTE, "one");
    pen_end(&pen);
    pen_text(&pen, ROLE_NOTE, "→");
    pen_column(&pen, 3);
    pen_text(&pen, ROLE_CHANGED, "two, longer");
    grid_init(&grid, 3, 8);
    cr_assert(
        eq(uint, grid_put_pen(&grid, (struct area){1, 1, 2, 5}, &pen, 1), 2));
    expect_row(&grid, 0, "");
    expect_row(&grid, 1, " →  tw");
    expect_row(&grid, 2, "");
    cr_assert(eq(int, (int)grid_cell(&grid, 1, 1)->role, ROLE_NOTE));
    cr_assert(eq(int, (int)grid_cell(&grid, 1, 2)->role, ROLE_PLAIN));
    cr_assert(eq(int, (int)grid_cell(&grid, 1, 4)->role, ROLE_CHANGED));
    grid_release(&grid);
    pen_release(&pen);
}

Test(screen, grids_differ_in_characters_roles_size_and_cursor)
{
    struct grid a, b;

    grid_init(&a, 2, 3);
    grid_init(&b, 2, 3);
    cr_assert(grid_equal(&a, &b));
    b.cursor_column = 1;
    cr_assert(not(grid_equal(&a, &b)));
    b.cursor_column = 0;
    grid_put(&b, 1, 2, 3, ROLE_BYTE, " ");
    cr_assert(not(grid_equal(&a, &b)));
    grid_put(&b, 1, 2, 3, ROLE_PLAIN, " ");
    cr_assert(grid_equal(&a, &b));
    grid_put(&b, 1, 2, 3, ROLE_PLAIN, "x");
    cr_assert(not(grid_equal(&a, &b)));
    grid_release(&b);
    grid_init(&b, 3, 2);
    cr_assert(not(grid_equal(&a, &b)));
    grid_release(&a);
    grid_release(&b);
}

/* --- layout -------------------------------------------------------------- */

static bool is_line(const struct grid *grid, unsigned row, unsigned column)
{
    return grid_cell(grid, row, column)->rune == 0x2500;
}

/* Where rules begin, "── ", at the left or two blanks behind a pane, as text:
 * "row,column ...". */
static size_t rules_of(const struct grid *grid, struct buf *out)
{
    size_t count = 0;

    for (unsigned row = 0; row < grid->rows; row++) {
        for (unsigned column = 0; column + 2 < grid->columns; column++) {
            if (!is_line(grid, row, column) ||
                !is_line(grid, row, column + 1) ||
                is_line(grid, row, column + 2) ||
                (column > 0 && (column == 1 ||
                                grid_cell(grid, row, column - 1)->rune != ' ' ||
                                grid_cell(grid, row, column - 2)->rune != ' ')))
                continue;
            buf_printf(out, "%u,%u ", row, column);
            count++;
        }
    }
    return count;
}

/* In two columns the listing and the stack have a pane once there are any. */
Test(screen, rules_stay_where_they_are)
{
    static const size_t panes[SIZES] = {5, 5, 5, 5, 5};
    struct history *history = record(ARGS("-4"));

    for (size_t i = 0; i < SIZES; i++) {
        struct buf first = {0};
        unsigned changes = 0;

        for (uint64_t seq = 0; seq < history_count(history); seq++) {
            struct buf rules = {0};
            struct grid grid;
            size_t count;

            draw(history, seq, NULL, sizes[i].rows, sizes[i].columns, &grid);
            count = rules_of(&grid, &rules);
            cr_expect(ge(sz, count, panes[i]), "event %d", (int)seq);
            cr_expect(le(sz, count, sizes[i].columns < 110 ? 5u : 8u));
            if (seq > 0 && strcmp(buf_text(&rules), buf_text(&first)) != 0)
                changes++;
            buf_clear(&first);
            buf_append_text(&first, buf_text(&rules));
            buf_release(&rules);
            grid_release(&grid);
        }
        cr_expect(le(uint, changes, sizes[i].columns < 110 ? 0u : 3u));
        buf_release(&first);
    }
    history_free(history);
}

Test(screen, any_size_can_be_drawn)
{
    static const uint64_t seqs[] = {AT_START, AT_WRITE + 3, AT_ADD, AT_UNMAP};
    struct history *history = record(ARGS("-4"));

    for (unsigned rows = 1; rows <= 60; rows++) {
        for (unsigned columns = 1; columns <= 210;
             columns += columns < 24 ? 1 : 6) {
            struct screen screen = {
                .all_registers = (rows + columns) % 3 == 0,
                .decimal = columns % 2 == 0,
                .help = (rows + columns) % 7 == 0,
                .message = rows % 5 ? NULL : "a message of some words",
                .prompt = columns % 5 ? NULL : "goto event: 17",
            };
            struct grid grid;

            draw(history, seqs[(rows + columns) % 4], &screen, rows, columns,
                 &grid);
            cr_assert(lt(uint, grid.cursor_row, rows));
            cr_assert(lt(uint, grid.cursor_column, columns));
            grid_release(&grid);
        }
    }
    history_free(history);
}

Test(screen, a_tiny_screen_asks_for_more)
{
    struct history *history = record(ARGS("1"));
    struct grid grid;

    draw(history, AT_ADD, NULL, 4, 30, &grid);
    cr_assert(has_text(&grid, "make the terminal larger"));
    grid_release(&grid);
    draw(history, AT_ADD, NULL, 24, 80, &grid);
    cr_assert(not(has_text(&grid, "make the terminal larger")));
    grid_release(&grid);
    history_free(history);
}

Test(screen, a_moment_looks_the_same_however_one_came_there)
{
    struct history *history = record(ARGS("1"));
    uint64_t count = history_count(history);
    struct grid first[64], again;

    cr_assert(lt(u64, count, 64));
    for (uint64_t seq = 0; seq < count; seq++)
        draw(history, seq, NULL, 24, 80, &first[seq]);
    for (uint64_t i = 0; i < 3 * count; i++) {
        uint64_t seq = i * 19 % count;

        draw(history, seq, NULL, 24, 80, &again);
        cr_expect(grid_equal(&again, &first[seq]), "event %d", (int)seq);
        grid_release(&again);
    }
    for (uint64_t seq = 0; seq + 1 < count; seq++)
        cr_expect(not(grid_equal(&first[seq], &first[seq + 1])));
    for (uint64_t seq = 0; seq < count; seq++)
        grid_release(&first[seq]);
    history_free(history);
}

/* --- the first and the last line ----------------------------------------- */

Test(screen, chapters_and_number)
{
    static const struct screen more = {.end = SCREEN_PAUSED};
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    draw(history, AT_WRITE + 3, NULL, 24, 80, &grid);
    expect_row(&grid, 0,
               " 1 getpagesize  2 mmap [3 byte writes] 4 mprotect  5 call    "
               "         event 5/31");
    expect_role(&grid, "[3 byte writes]", ROLE_CURRENT);
    grid_release(&grid);
    draw(history, AT_EXIT, &more, 24, 80, &grid);
    expect_row(&grid, 0,
               " 1 getpagesize  2 mmap  3 byte writes  4 mprotect [5 call]   "
               "       event 31/31+");
    grid_release(&grid);
    draw(history, AT_PROTECT, NULL, 20, 40, &grid);
    expect_row(&grid, 0, " 1  2  3 [4 mprotect] 5            13/31");
    grid_release(&grid);
    history_free(history);
}

Test(screen, the_last_line_has_keys_a_message_or_a_prompt)
{
    struct screen screen = {.end = SCREEN_ENDED};
    struct history *history = record(ARGS("1"));
    struct grid grid;

    draw(history, AT_MOV, &screen, 24, 80, &grid);
    expect_row(&grid, 23,
               "Enter next  b back  ] stage  r run  / search  ? explain  g "
               "goto  h help  q quit");
    expect_role(&grid, "Enter", ROLE_KEY);
    grid_release(&grid);
    draw(history, AT_MOV, &screen, 20, 40, &grid);
    expect_row(&grid, 19, "Enter next  b back  h help  q quit");
    grid_release(&grid);
    screen.message = "not found: xyz";
    draw(history, AT_MOV, &screen, 24, 80, &grid);
    expect_row(&grid, 23, "not found: xyz");
    cr_assert(ne(uint, grid.cursor_row, 23));
    grid_release(&grid);
    screen.prompt = "goto event: 17";
    screen.prompt_at = strlen(screen.prompt);
    draw(history, AT_MOV, &screen, 24, 80, &grid);
    expect_row(&grid, 23, "goto event: 17");
    cr_assert(eq(uint, grid.cursor_row, 23));
    cr_assert(eq(uint, grid.cursor_column, 14));
    grid_release(&grid);
    draw(history, AT_MOV, &screen, 24, 10, &grid);
    expect_row(&grid, 23, "event: 17");
    cr_assert(eq(uint, grid.cursor_column, 9));
    grid_release(&grid);
    /* The cursor is in sight wherever it is; what could be typed as well. */
    screen.prompt_at = 3;
    screen.choices = "17 170 171";
    draw(history, AT_MOV, &screen, 24, 10, &grid);
    expect_row(&grid, 23, "goto event");
    cr_assert(eq(uint, grid.cursor_column, 3));
    grid_release(&grid);
    draw(history, AT_MOV, &screen, 24, 80, &grid);
    expect_row(&grid, 23, "goto event: 17  17 170 171");
    expect_role(&grid, "170", ROLE_NOTE);
    grid_release(&grid);
    draw(history, AT_MOV, &screen, 24, 24, &grid);
    expect_row(&grid, 23, "goto event: 17  17 17...");
    grid_release(&grid);
    history_free(history);
}

/* --- source -------------------------------------------------------------- */

/* Line number n of a file; freed by its user. */
static char *line_of(const char *name, int n)
{
    struct buf file = {0};
    const char *at;
    char *line;

    read_file(name, &file);
    at = buf_text(&file);
    while (--n > 0)
        at = strchr(at, '\n') + 1;
    line = strndup(at, strcspn(at, "\n"));
    buf_release(&file);
    return line;
}

Test(screen, the_line_of_a_store_stands_among_its_neighbours)
{
    struct history *history = record(ARGS("-4"));
    unsigned number = (unsigned)history_event(history, AT_WRITE)->source.line;
    struct grid grid;

    draw(history, AT_WRITE, NULL, 24, 80, &grid);
    for (unsigned row = 2; row < 6; row++) {
        char *line =
            line_of("lessons/06-babyjit/babyjit.c", (int)(number + row) - 3);
        struct buf wanted = {0};

        buf_printf(&wanted, "%c%5u  %s", row == 3 ? '>' : ' ', number + row - 3,
                   line);
        while (wanted.len > 0 && wanted.data[wanted.len - 1] == ' ')
            wanted.len--;
        expect_row(&grid, row, buf_text(&wanted));
        buf_release(&wanted);
        free(line);
    }
    cr_assert(eq(uint, grid.cursor_row, 3));
    cr_assert(eq(uint, grid.cursor_column, 0));
    cr_assert(eq(int, (int)grid_cell(&grid, 3, 0)->role, ROLE_CURRENT));
    grid_release(&grid);
    history_free(history);
}

Test(screen, generated_code_shows_what_was_executed_and_what_comes_next)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    draw(history, AT_ADD, NULL, 24, 80, &grid);
    expect_row(&grid, 2, "  +0     48 c7 c0 fc ff ff ff     mov rax, -4");
    expect_row(&grid, 3, "> +7     48 01 f8                 add rax, rdi");
    expect_row(&grid, 4, "- +10    c3                       ret");
    expect_role(&grid, "> +7", ROLE_EXECUTED);
    expect_role(&grid, "- +10", ROLE_NEXT);
    cr_assert(eq(uint, grid.cursor_row, 3));
    grid_release(&grid);
    draw(history, AT_ENTER, NULL, 24, 80, &grid);
    expect_row(&grid, 2, "- +0     48 c7 c0 fc ff ff ff     mov rax, -4");
    grid_release(&grid);
    history_free(history);
}

Test(screen, an_event_without_a_place_leaves_the_source_unmarked)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;
    char *line;

    draw(history, AT_OUTPUT, NULL, 24, 80, &grid);
    line = row_of(&grid, 3);
    cr_assert(contains(line, "if (printf("), "%s", line);
    cr_assert(eq(int, line[0], ' '));
    free(line);
    grid_release(&grid);
    history_free(history);
}

/* --- the timeline --------------------------------------------------------- */

Test(screen, the_timeline_marks_what_happened)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    draw(history, AT_ADD, NULL, 30, 110, &grid);
    expect_row(&grid, 1, "·mwwwwwwwwwwwmc----c----c----om·");
    cr_assert(eq(int, (int)grid_cell(&grid, 1, AT_ADD)->role, ROLE_CURRENT));
    grid_release(&grid);
    /* Fewer columns than events: each stands for some. */
    draw(history, AT_EXIT, NULL, 30, 20, &grid);
    expect_row(&grid, 1, "·mwwwwwwmc--c--c--om");
    cr_assert(eq(int, (int)grid_cell(&grid, 1, 19)->role, ROLE_CURRENT));
    grid_release(&grid);
    history_free(history);
}

Test(screen, columns_of_a_timeline_share_all_events)
{
    static const uint64_t counts[] = {1, 5, 79, 80, 81, 1000, 123456789};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        cr_expect(eq(u64, timeline_event(counts[i], 80, 0), 0));
        for (unsigned column = 0; column < 80; column++) {
            uint64_t event = timeline_event(counts[i], 80, column);
            uint64_t next = timeline_event(counts[i], 80, column + 1);

            cr_expect(lt(u64, event, counts[i]));
            cr_expect(ge(u64, next, event));
        }
    }
}

/* --- jumps ---------------------------------------------------------------- */

/* The loop of a traced program: its jump back has an arrow, and neither end is
 * told by its address. */
Test(screen, a_loop_is_seen_in_the_margin)
{
    struct history *history = record(ARGS("--", TRACEE("die_loop")));
    char *text = NULL;
    struct grid grid;

    for (uint64_t seq = 0; seq < history_count(history); seq++) {
        const struct event *event = history_event(history, seq);

        if (event->kind != EVENT_STEP || !event->step.text ||
            *event->step.text != 'j')
            continue;
        draw(history, seq, NULL, 40, 80, &grid);
        text = text_of(&grid);
        cr_expect(lacks(text, "jnz 0x"), "%s", text);
        cr_expect(contains(text, "╭▸+"), "%s", text);
        cr_expect(contains(text, "╰─+"), "%s", text);
        grid_release(&grid);
        break;
    }
    cr_assert(ne(ptr, text, NULL));
    free(text);
    history_free(history);
}

/* --- the page ------------------------------------------------------------ */

/* The row of a dump that begins at that offset, in ASCII: marks are blanks, as
 * are unwritten bytes. Where two stand side by side there is one. */
static void plain_dump(const struct grid *grid, unsigned row, struct buf *out)
{
    for (unsigned column = 0; column < 76; column++) {
        uint32_t rune = grid_cell(grid, row, column)->rune;

        if (rune == '>' && grid_cell(grid, row, column + 1)->rune == '(')
            continue;

        if (rune >= 0x80 || (column < 59 && strchr("[]<>()", (int)rune)))
            rune = ' ';
        buf_printf(out, "%c", (char)rune);
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->len--;
}

Test(screen, the_dump_is_that_of_xxd)
{
    struct history *history = record(ARGS("-4"));

    for (uint64_t seq = AT_WRITE; seq <= AT_LEAVE; seq++) {
        const struct view *view = history_view(history, seq);
        const struct region *region = &view->regions.list[0];
        struct buf code = {0}, wanted = {0}, got = {0};
        struct grid grid;
        uint64_t offset;

        cr_assert(written_code(view, region, &code, &offset));
        hexdump_append((struct bytes){code.data, code.len}, offset, &wanted);
        wanted.len--; /* the newline */
        draw(history, seq, NULL, 24, 80, &grid);
        plain_dump(&grid, find_row(&grid, "00000000:"), &got);
        cr_expect(eq(str, (char *)buf_text(&got), (char *)buf_text(&wanted)),
                  "event %d", (int)seq);
        buf_release(&code);
        buf_release(&wanted);
        buf_release(&got);
        grid_release(&grid);
    }
    history_free(history);
}

Test(screen, marks_and_roles_tell_bytes_apart)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    draw(history, AT_MAP, NULL, 24, 80, &grid);
    expect_row(&grid, find_row(&grid, "00000000:"),
               "00000000: ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ··");
    grid_release(&grid);
    draw(history, AT_WRITE + 3, NULL, 24, 80, &grid);
    expect_row(&grid, find_row(&grid, "00000000:"),
               "00000000: 48 c7 c0[fc]·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ··  "
               "H...");
    expect_role(&grid, "[fc]", ROLE_BYTE_NEW);
    expect_role(&grid, "48 c7", ROLE_BYTE);
    cr_assert(eq(int,
                 (int)grid_cell(&grid, find_row(&grid, "00000000:"), 22)->role,
                 ROLE_UNWRITTEN));
    grid_release(&grid);
    draw(history, AT_ENTER, NULL, 24, 80, &grid);
    expect_row(&grid, find_row(&grid, "00000000:"),
               "00000000:(48 c7 c0 fc ff ff ff)48 01 f8 c3 ·· ·· ·· ·· ··  "
               "H......H...");
    expect_role(&grid, "(48 c7 c0", ROLE_NEXT);
    grid_release(&grid);
    draw(history, AT_MOV, NULL, 24, 80, &grid);
    expect_row(&grid, find_row(&grid, "00000000:"),
               "00000000:<48 c7 c0 fc ff ff ff>(48 01 f8)c3 ·· ·· ·· ·· ··  "
               "H......H...");
    expect_role(&grid, "<48 c7 c0", ROLE_EXECUTED);
    grid_release(&grid);
    draw(history, AT_ADD, NULL, 20, 40, &grid);
    expect_row(&grid, find_row(&grid, "00000000:"),
               "00000000: 48 c7 c0 fc ff ff ff<48");
    expect_row(&grid, find_row(&grid, "00000008:"),
               "00000008: 01 f8>(c3)·· ·· ·· ·· ··");
    grid_release(&grid);
    history_free(history);
}

Test(screen, a_wide_store_is_one_mark_and_its_page_can_be_executable)
{
    struct history *history = record(ARGS("--", TRACEE("babyjit-O2"), "-4"));
    uint64_t wide = AT_WRITE; /* which one is up to gcc */
    struct grid grid;
    char *line;

    while (history_event(history, wide)->kind == EVENT_WRITE &&
           history_event(history, wide)->write.new.len == 1)
        wide++;
    cr_assert(
        eq(int, (int)history_event(history, wide)->kind, (int)EVENT_WRITE));

    draw(history, wide, NULL, 24, 80, &grid);
    line = row_of(&grid, find_row(&grid, "000000"));
    cr_assert(eq(sz, strcspn(strchr(line, '['), "]"),
                 3 * history_event(history, wide)->write.new.len),
              "%s", line);
    cr_assert(lt(sz, 1, history_event(history, wide)->write.new.len));
    free(line);
    grid_release(&grid);
    history_free(history);
}

Test(screen, a_change_of_protection_stands_out)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    for (size_t i = 0; i < SIZES; i++) {
        unsigned row;

        draw(history, AT_PROTECT, NULL, sizes[i].rows, sizes[i].columns, &grid);
        row = find_row(&grid, "rw-p → r-xp");
        cr_expect(eq(
            int,
            (int)grid_cell(&grid, row, find_column(&grid, row, "r-xp"))->role,
            ROLE_CHANGED));
        grid_release(&grid);
    }
    draw(history, AT_ENTER, NULL, 24, 80, &grid);
    cr_assert(not(has_text(&grid, "rw-p")));
    expect_role(&grid, "r-xp", ROLE_PROTECTION);
    grid_release(&grid);
    draw(history, AT_UNMAP, NULL, 24, 80, &grid);
    cr_assert(has_text(&grid, "  unmapped ──"));
    grid_release(&grid);
    history_free(history);
}

/* --- the instruction ----------------------------------------------------- */

/* The title of the instruction pane while byte n is written. */
Test(screen, an_immediate_turns_as_its_bytes_arrive)
{
    static const char *const titles[] = {
        "── instruction ──",
        "── instruction ──",
        "── mov rax, 0  (so far) ──",
        "── mov rax, 252  (so far) ──",
        "── mov rax, 65532  (so far) ──",
        "── mov rax, 16777212  (so far) ──",
        "── mov rax, -4 ──",
        "── instruction ──",
        "── instruction ──",
        "── add rax, rdi ──",
        "── ret ──",
    };
    struct history *history = record(ARGS("-4"));

    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        for (size_t size = 0; size < SIZES; size++) {
            struct grid grid;

            draw(history, AT_WRITE + i, NULL, sizes[size].rows,
                 sizes[size].columns, &grid);
            cr_expect(has_text(&grid, titles[i]), "byte %zu: %s", i, titles[i]);
            grid_release(&grid);
        }
    }
    history_free(history);
}

Test(screen, fields_stand_beneath_the_bytes)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;
    unsigned row;

    draw(history, AT_WRITE + 3, NULL, 24, 80, &grid);
    row = find_row(&grid, "mov rax, 252");
    expect_row(&grid, row + 1,
               "48            c7         c0                "
               "fc ·· ·· ··");
    expect_row(&grid, row + 2,
               "REX           opcode /0  ModRM             imm32");
    expect_row(&grid, row + 3,
               "     W R X B             mod      reg rm   "
               "0x000000fc = 252");
    expect_row(&grid, row + 4,
               "0100 1 0 0 0  11000111   11       000 000  "
               "sign-extended to 64 bits:");
    expect_row(&grid, row + 5,
               "                         register /0  rax  "
               "0x00000000000000fc");
    grid_release(&grid);
    draw(history, AT_WRITE + 3, NULL, 20, 40, &grid);
    row = find_row(&grid, "mov rax, 252");
    expect_row(&grid, row + 1, "REX        48  0100 W=1 R=0 X=0 B=0");
    expect_row(&grid, row + 2, "opcode /0  c7  11000111");
    expect_row(&grid, row + 3, "ModRM      c0  11 reg=000 rm=000 rax");
    expect_row(&grid, row + 4, "imm32      fc ·· ·· ··  0x000000fc = 252");
    grid_release(&grid);
    history_free(history);
}

Test(screen, a_register_has_one_role_in_all_panes)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    draw(history, AT_ADD, NULL, 24, 80, &grid);
    expect_role_at(&grid, "register rdi rax", 9, ROLE_REG);
    expect_role_at(&grid, "register rdi rax", 13, ROLE_BASE);
    expect_role_at(&grid, "── add rax, rdi", 7, ROLE_BASE);
    expect_role_at(&grid, "── add rax, rdi", 12, ROLE_REG);
    expect_role_at(&grid, "rdi 0x", 0, ROLE_REG);
    expect_role_at(&grid, "* rax ", 2, ROLE_BASE);
    grid_release(&grid);
    history_free(history);
}

/* The bytes are the last thing to go. */
Test(screen, bytes_of_an_unfinished_instruction_are_shown)
{
    struct history *history = record(ARGS("-4"));

    for (size_t i = 0; i < SIZES; i++) {
        struct grid grid;
        unsigned row, column;

        draw(history, AT_WRITE + 1, NULL, sizes[i].rows, sizes[i].columns,
             &grid);
        row = find_row(&grid, "REX           opcode");
        column = find_column(&grid, row, "REX           opcode");
        cr_expect(
            eq(uint, find_column(&grid, row - 1, "48            c7"), column));
        grid_release(&grid);
    }
    history_free(history);
}

/* --- registers ----------------------------------------------------------- */

Test(screen, changed_registers_come_first_with_their_old_values)
{
    struct screen screen = {.end = SCREEN_ENDED};
    struct history *history = record(ARGS("-4"));
    struct grid grid;
    unsigned row;
    char *line;

    draw(history, AT_ADD, NULL, 24, 80, &grid);
    row = find_row(&grid, "── registers");
    expect_row(&grid, row + 1,
               "* rax 0xfffffffffffffffc → 0xffffffffffffffff  * flags PF ZF "
               "→ PF SF");
    cr_assert(eq(int, (int)grid_cell(&grid, row + 1, 0)->role, ROLE_CHANGED));
    line = row_of(&grid, row + 2);
    cr_assert(
        eq(int, strncmp(line, "  rdi 0x3                   rsp 0x7ff", 37), 0),
        "%s", line);
    free(line);
    grid_release(&grid);
    screen.decimal = true;
    draw(history, AT_ADD, &screen, 24, 80, &grid);
    expect_row(&grid, row + 1, "* rax -4 → -1  * flags PF ZF → PF SF");
    grid_release(&grid);
    draw(history, AT_PROTECT, NULL, 24, 80, &grid);
    row = find_row(&grid, "── memory for code");
    cr_assert(has_text(&grid, "written     from +0 to +10"));
    grid_release(&grid);
    draw(history, AT_WRITE, NULL, 24, 80, &grid);
    row = find_row(&grid, "── the instruction that stores");
    cr_assert(has_text(&grid, " = code[0]: 00 → 48"));
    grid_release(&grid);
    draw(history, AT_ADD, NULL, 24, 80, &grid);
    row = find_row(&grid, "── registers");
    grid_release(&grid);
    draw(history, AT_LEAVE, NULL, 24, 80, &grid);
    expect_row(&grid, row + 1, "  as generated code left them");
    grid_release(&grid);
    history_free(history);
}

Test(screen, all_registers_are_listed_on_a_key)
{
    static const struct screen all = {.all_registers = true};
    static const char *const names[] = {
#define REGISTER(id, name) name,
#include "cpu/regs.def"
    };
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    for (size_t i = 0; i < SIZES; i += 2) {
        draw(history, AT_ADD, &all, sizes[i].rows, sizes[i].columns, &grid);
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            struct buf wanted = {0};
            const char *flags = strcmp(names[n], "rflags") ? names[n] : "flags";

            buf_printf(&wanted, " %s ", flags);
            cr_expect(has_text(&grid, buf_text(&wanted)), "%s", flags);
            buf_release(&wanted);
        }
        cr_expect(has_text(&grid, "* rax 0xfffffffffffffffc → 0x"));
        cr_expect(has_text(&grid, "what happened"));
        grid_release(&grid);
    }
    draw(history, AT_ADD, NULL, 24, 80, &grid);
    cr_assert(not(has_text(&grid, "gs_base")));
    grid_release(&grid);
    history_free(history);
}

/* --- words and output ---------------------------------------------------- */

Test(screen, output_so_far)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;

    draw(history, AT_OUTPUT - 1, NULL, 24, 80, &grid);
    expect_row(&grid, 22, "output: nothing yet");
    grid_release(&grid);
    draw(history, AT_OUTPUT, NULL, 24, 80, &grid);
    expect_row(&grid, 22, "output: -3 -2 -1");
    grid_release(&grid);
    history_free(history);
}

Test(screen, what_comes_next_is_marked_apart_at_the_bottom)
{
    struct history *history = record(ARGS("-4"));
    struct grid grid;
    char *line;

    for (uint64_t seq = 0; seq < AT_EXIT; seq++) {
        draw(history, seq, NULL, 24, 80, &grid);
        line = row_of(&grid, 21);
        cr_expect(eq(int, strncmp(line, "Next: ", 6), 0), "event %d: %s",
                  (int)seq, line);
        cr_expect(eq(int, (int)grid_cell(&grid, 21, 0)->role, ROLE_NEXT));
        free(line);
        grid_release(&grid);
    }
    history_free(history);
}

/* --- help ---------------------------------------------------------------- */

/* Each row is for one command, or for some that are alike. */
static void expect_help(const struct grid *grid, unsigned rows)
{
    unsigned row = 1;

    for (int n = 0; n < COMMANDS; n++, row++) {
        struct buf keys = {0}, words = {0}, more = {0};
        char *line = row_of(grid, row);

        command_keys((enum command)n, &keys);
        buf_append_text(&words, command_table[n].help);
        while (n + 1 < COMMANDS && command_table[n + 1].help[0] == ';') {
            buf_clear(&more);
            command_keys((enum command)++ n, &more);
            buf_printf(&keys, ", %s", buf_text(&more));
            buf_append_text(&words, command_table[n].help);
        }
        cr_assert(eq(int, strncmp(line, buf_text(&keys), keys.len), 0), "%s",
                  line);
        cr_assert(ge(sz, strlen(line), words.len));
        cr_expect(
            eq(str, line + strlen(line) - words.len, (char *)buf_text(&words)));
        free(line);
        buf_release(&keys);
        buf_release(&words);
        buf_release(&more);
    }
    if (row + 3 < rows) /* there is room for more */
        expect_row(grid, row, "");
}

/* Appends a row without the blanks around it. */
static void add_row(const struct grid *grid, unsigned row, struct buf *out)
{
    char *line = row_of(grid, row);

    buf_printf(out, "%s ", line + strspn(line, " "));
    free(line);
}

/* Where there is little room the table is longer than the screen: what each
 * command does is there when one has gone down to its end, and no further. */
static void expect_scrolling(struct history *history, unsigned rows,
                             unsigned columns)
{
    struct screen help = {.help = true};
    struct buf all = {0};
    unsigned end;
    struct grid grid;

    draw(history, AT_START, &help, rows, columns, &grid);
    end = screen_help_end(&grid);
    cr_assert(lt(uint, 0, end));
    for (help.help_from = 0; help.help_from < end; help.help_from++) {
        grid_release(&grid);
        draw(history, AT_START, &help, rows, columns, &grid);
        add_row(&grid, 1, &all);
    }
    help.help_from = end + 100;
    grid_release(&grid);
    draw(history, AT_START, &help, rows, columns, &grid);
    for (unsigned row = 1; row < rows - 1; row++)
        add_row(&grid, row, &all);
    for (int n = 0; n < COMMANDS; n++) {
        const char *words = command_table[n].help;

        words += strspn(words, "; ");
        cr_expect(contains(buf_text(&all), words), "no '%s' in: %s", words,
                  buf_text(&all));
    }
    grid_release(&grid);
    buf_release(&all);
}

Test(screen, help_lists_exactly_the_commands)
{
    static const struct screen help = {.help = true};
    struct history *history = record(ARGS("1"));

    for (size_t i = 0; i < SIZES; i++) {
        struct grid grid;

        if (sizes[i].columns < 60) {
            expect_scrolling(history, sizes[i].rows, sizes[i].columns);
            continue;
        }
        draw(history, AT_START, &help, sizes[i].rows, sizes[i].columns, &grid);
        expect_help(&grid, sizes[i].rows);
        grid_release(&grid);
    }
    history_free(history);
}

/* --- where the program goes on -------------------------------------------- */

static void expect_next(struct history *history, const struct screen *screen,
                        const char *want)
{
    struct buf got = {0};

    screen_next(screen, history, history_count(history) - 1, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)want));
    buf_release(&got);
}

/* In the line of the event that is its rest, or the line once more. */
Test(screen, a_line_goes_on)
{
    struct history *history = history_new();
    struct event event = {.kind = EVENT_START, .start = {.page_size = 4096}};
    struct screen screen = {.end = SCREEN_PAUSED,
                            .next = {.file = "a.c", .line = 8, .text = "x;"}};

    history_append(history, &event);
    event = (struct event){.kind = EVENT_LIMIT,
                           .seq = 1,
                           .source = {.file = "a.c", .line = 7},
                           .limit = {.budget = "steps", .text = "enough"}};
    history_append(history, &event);
    expect_next(history, &screen, "Next: a.c:8  x;");
    screen.next.line = 7;
    expect_next(history, &screen, "Next: a.c:7 goes on:  x;");
    screen.next.text = NULL;
    expect_next(history, &screen, "Next: a.c:7 goes on");
    screen.next.file = "b.c";
    expect_next(history, &screen, "Next: b.c:7");
    history_free(history);
}

/* --- the page at once ---------------------------------------------------- */

/* A cache of 64 KiB as it is filled, run and changed, from first to last. */
Test(screen, a_whole_code_cache_is_seen_at_once)
{
    static const struct screen zoom = {.zoom = true};
    struct history *history = record(ARGS("--", "build/tracees/full_cache"));
    uint64_t count = history_count(history), first = 0;
    struct grid grid;

    for (size_t i = 0; i < SIZES; i++) {
        draw(history, count - 3, &zoom, sizes[i].rows, sizes[i].columns, &grid);
        find_row(&grid, "! changed");
        find_row(&grid, "# stored");
        find_row(&grid, "0000: ");
        find_row(&grid, "what happened");
        find_row(&grid,
                 sizes[i].columns < 60 ? "a sign = 1024 bytes" : "a sign = ");
        grid_release(&grid);
    }
    draw(history, count - 3, &zoom, 24, 80, &grid);
    find_row(&grid, "── a sign = 128 bytes ──");
    find_row(&grid, "0000: x0000000························w0000000");
    find_row(&grid, "2000: #0000000························w0000000");
    expect_role(&grid, "#", ROLE_BYTE_NEW);
    grid_release(&grid);
    draw(history, count - 1, &zoom, 24, 80, &grid);
    find_row(&grid, "2000: !0000000························w0000000");
    grid_release(&grid);
    draw(history, count - 1, &zoom, 60, 200, &grid);
    find_row(&grid, "0000: xd00000000000000");
    grid_release(&grid);
    /* A sign a byte at first, in a row; then more of both. */
    while (history_event(history, first)->kind != EVENT_MAP)
        first++;
    draw(history, first, &zoom, 24, 80, &grid);
    find_row(&grid, "0000: 65536 bytes, not written");
    grid_release(&grid);
    draw(history, first + 1, &zoom, 24, 80, &grid);
    find_row(&grid, "── a sign = 1 byte ──");
    find_row(&grid, "0000: ########····");
    grid_release(&grid);
    history_free(history);
}

/* --- the byte that is asked about ---------------------------------------- */

Test(screen, the_byte_asked_about_is_marked_and_told)
{
    struct history *history = record(ARGS("-4"));
    struct cursor cursor = {0};
    const struct screen screen = {.cursor = &cursor, .end = SCREEN_ENDED};
    struct buf message = {0};

    cursor_set(&cursor, history, AT_MOV, "3", &message);
    cr_assert(eq(str, (char *)buf_text(&message), ""));
    for (size_t i = 0; i < SIZES; i++) {
        struct grid grid;
        char *line;

        draw(history, AT_MOV, &screen, sizes[i].rows, sizes[i].columns, &grid);
        cr_assert(eq(int, has_text(&grid, "c0{fc}ff"), 1));
        line = row_of(&grid, sizes[i].rows - 1);
        cr_assert(eq(int, strncmp(line, "code[3]  event 5: 00 -> fc", 26), 0),
                  "%s", line);
        cr_assert(eq(str, line + strlen(line) - 6, "h help"));
        free(line);
        grid_release(&grid);
    }
    cursor_release(&cursor);
    history_free(history);
    buf_release(&message);
}

/* The page is shown around it until another event is. */
Test(screen, the_page_goes_with_who_moves)
{
    struct history *history = record(ARGS("-4"));
    struct cursor cursor = {0};
    const struct screen screen = {.cursor = &cursor, .end = SCREEN_ENDED};
    struct buf message = {0};
    struct grid grid;

    cursor_set(&cursor, history, AT_MOV, "4000", &message);
    draw(history, AT_MOV, &screen, 24, 80, &grid);
    cr_assert(eq(int, has_text(&grid, "00000fa0:{··}··"), 1));
    grid_release(&grid);
    cursor.leads = false;
    draw(history, AT_MOV, &screen, 24, 80, &grid);
    cr_assert(eq(int, has_text(&grid, "00000000:<48 c7"), 1));
    cr_assert(eq(int, has_text(&grid, "00000fa0:"), 0));
    cr_assert(eq(int, has_text(&grid, "code[4000]  event 1: 00  mapped"), 1));
    grid_release(&grid);
    cursor_release(&cursor);
    history_free(history);
    buf_release(&message);
}

/* --- other programs ------------------------------------------------------ */

/* The same program without its debug info. */
Test(screen, without_debug_info_the_storing_instruction_is_shown)
{
    const char *stripped = scratch("stripped");
    struct job strip = {.argv = ARGS("strip", "-o", stripped, TRACEE("rwx"))};
    struct history *history;
    struct result result;
    struct grid grid;
    char *line;

    run(&strip, &result);
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    history = record(ARGS("--", stripped));
    draw(history, AT_WRITE, NULL, 24, 80, &grid);
    cr_assert(has_text(&grid, "no debug info"));
    line = row_of(&grid, 2);
    cr_assert(eq(int, line[0], '>'));
    cr_assert(contains(line, "mov "), "%s", line);
    free(line);
    cr_assert(has_text(&grid, "rwxp"));
    grid_release(&grid);

    /* Nothing says where control went: what was shown last stays, unmarked. */
    for (uint64_t seq = 0; seq < history_count(history); seq++) {
        if (history_event(history, seq)->kind != EVENT_LEAVE)
            continue;
        draw(history, seq, NULL, 24, 80, &grid);
        expect_row(&grid, 2, "  +0     b8 01 00 00 00           mov eax, 1");
        expect_row(&grid, 3, "  +5     c3                       ret");
        grid_release(&grid);
        break;
    }
    history_free(history);
}

/* Stores through another mapping are not seen; what runs is, zeros too. */
Test(screen, zeros_are_known_once_they_are_executed)
{
    struct history *history = record(ARGS("--", TRACEE("memfd")));
    struct grid grid;
    char *line;

    for (uint64_t seq = 0; seq < history_count(history); seq++) {
        if (history_event(history, seq)->kind != EVENT_STEP ||
            history_event(history, seq)->step.offset != 0)
            continue;
        draw(history, seq, NULL, 24, 80, &grid);
        line = row_of(&grid, find_row(&grid, "00000000:"));
        cr_expect(eq(int, strncmp(line + 9, "<b8 0", 5), 0), "%s", line);
        cr_expect(eq(int, strncmp(line + 15, " 00 00 00>(c3)", 14), 0), "%s",
                  line);
        free(line);
        grid_release(&grid);
    }
    history_free(history);
}

/* Every moment of programs that do other things, at a size that has all. */
Test(screen, other_programs_can_be_drawn)
{
    static const char *const programs[] = {
        TRACEE("rwx"),     TRACEE("memfd"), TRACEE("stores"), TRACEE("threads"),
        TRACEE("handler"), TRACEE("calls"), TRACEE("moved"),
    };

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        struct history *history = record(ARGS("--", programs[i]));

        for (uint64_t seq = 0; seq < history_count(history) && seq < 300;
             seq++) {
            struct grid grid;

            draw(history, seq, NULL, 24, 80, &grid);
            expect_row(&grid, 24 - 1,
                       "Enter next  b back  ] stage  r run  / search  ? "
                       "explain  g goto  h help  q quit");
            find_row(&grid, "── what happened");
            grid_release(&grid);
        }
        history_free(history);
    }
}

/* Not that of what is there by then: the second function became another one. */
Test(screen, a_name_that_comes_late)
{
    struct history *history = record(ARGS("--", TRACEE("late_dump")));
    struct grid grid;
    uint64_t seq = 0, last = history_count(history) - 1;

    while (history_event(history, seq)->kind != EVENT_STEP)
        seq++;
    draw(history, seq, NULL, 24, 80, &grid);
    find_row(&grid, "executed, +0 <five> named later late_dump.c:45");
    grid_release(&grid);
    draw(history, seq + 1, NULL, 24, 80, &grid);
    find_row(&grid, "executed, +5 <five+0x5> named later late_dump.c:45");
    grid_release(&grid);
    for (; seq <= last; seq++) {
        struct labels later = {0};
        const struct event *event = history_event(history, seq);
        uint64_t addr = event->step.addr;

        if (event->kind == EVENT_STEP)
            cr_expect(eq(int, history_named_later(history, seq, addr, &later),
                         addr % 4096 < 16));
        ranges_release(&later.ranges);
    }
    history_free(history);
}

/* Through a helper, whose line is the same for all of them. */
Test(screen, a_store_shows_the_line_that_names_it)
{
    struct history *history = record(ARGS("--", TRACEE("callers")));
    struct grid grid;
    uint64_t seq = 0;

    while (history_event(history, seq)->kind != EVENT_WRITE)
        seq++;
    draw(history, seq, NULL, 40, 100, &grid);
    find_row(&grid, ">   46      emit(0xb8);");
    find_row(&grid, "in mov_eax(), through emit() at callers.c:35");
    grid_release(&grid);
    history_free(history);
}

/* Not the last instruction that was executed, but the one that could not be. */
Test(screen, a_signal_marks_where_it_came)
{
    struct history *history = record(ARGS("--", TRACEE("falls")));
    uint64_t seq = history_count(history) - 1;
    struct grid grid;

    while (seq > 0 && history_event(history, seq)->kind != EVENT_SIGNAL)
        seq--; /* behind it come the exit, and verdicts */
    draw(history, seq, NULL, 24, 80, &grid);
    find_row(&grid, "00000000: 90 90!00 00!");
    find_row(&grid, "── add [rax], al ──");
    find_row(&grid, "what   The CPU ran off the end of the code");
    find_row(&grid, "next   End the code with ret (c3) or a jump");
    find_row(&grid, "Next: the program ends (event ");
    grid_release(&grid);
    draw(history, seq, NULL, 40, 80, &grid);
    find_row(&grid, "! +2     00 00                    add [rax], al");
    grid_release(&grid);
    draw(history, seq - 1, NULL, 24, 80, &grid);
    cr_expect(eq(int, has_text(&grid, "!"), 0));
    find_row(&grid, "> +1     90                       nop");
    grid_release(&grid);
    history_free(history);
}

/* How often a word stands on the grid. */
static unsigned count_text(const struct grid *grid, const char *text)
{
    char *all = text_of(grid), *at = all;
    unsigned count = 0;

    while ((at = strstr(at, text)) != NULL) {
        at += strlen(text);
        count++;
    }
    free(all);
    return count;
}

Test(screen, no_register_is_listed_twice)
{
    struct history *history = record(ARGS("-4"));
    const struct screen all = {.all_registers = true, .end = SCREEN_ENDED};
    struct grid grid;

    for (size_t i = 0; i < SIZES; i++) {
        draw(history, AT_ADD, &all, sizes[i].rows, sizes[i].columns, &grid);
        cr_expect(eq(uint, count_text(&grid, " rax 0x"), 1), "%zu", i);
        cr_expect(eq(uint, count_text(&grid, " flags "), 1), "%zu", i);
        grid_release(&grid);
    }
    history_free(history);
}

/* Whoever points at a byte of a pane finds it where the pane says it is. */
Test(screen, panes_alone_say_where_their_bytes_are)
{
    static const struct screen usual;
    struct history *history = record(ARGS("-4"));
    const struct pane_wish wishes[] = {{&usual, PANE_PAGE, 80},
                                       {&usual, PANE_PAGE, 40},
                                       {&usual, PANE_STORY, 80}};
    struct grid grids[3];
    char *row;

    screen_draw_panes(history, AT_RET, wishes, 3, grids);
    for (int i = 0; i < 2; i++) {
        const struct grid_bytes *bytes = &grids[i].bytes;
        const unsigned last = 10 - (unsigned)bytes->offset; /* c3 */

        cr_assert(eq(u32, bytes->per_row, i ? 8 : 16));
        cr_assert(eq(u32, bytes->rows, i ? 2 : 1)); /* 11 bytes */
        row = row_of(&grids[i], bytes->row + last / bytes->per_row);
        cr_assert(eq(int,
                     strncmp(row + bytes->column + 3 * (last % bytes->per_row),
                             "c3", 2),
                     0),
                  "%s", row);
        free(row);
    }
    cr_assert(eq(u32, grids[2].bytes.per_row, 0));
    cr_assert(le(u32, find_row(&grids[2], "ret was executed"), 1));
    for (int i = 0; i < 3; i++)
        grid_release(&grids[i]);
    history_free(history);
}

/* A role without a name would shift the looks of all behind it in a page. */
Test(screen, every_role_has_a_name)
{
    for (int i = 0; i < ROLES; i++)
        cr_expect(ne(ptr, (void *)style_name((enum role)i), NULL), "%d", i);
}
