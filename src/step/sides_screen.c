/* SPDX-License-Identifier: MIT */
/*
 * Two traces on the full screen. Each side is a whole screen of --step, made
 * smaller; its last line says what it has. Where there is room for one only,
 * a key switches.
 *
 *      difference 1 of 3, registers: rax
 *      screen of A           │ screen of B
 *      A  has -4  (a.jsonl)  │ B  has 5  (b.jsonl)
 *      n next difference  ...
 */
#include "step/sides.h"

#include <signal.h>

#include "step/terminal.h"
#include "tell/pen.h"

#define WIDE 110u /* columns for both side by side */
#define TALL 46u  /* rows for one above the other */

/* Below that, a screen has no place for a heading and the keys. */
#define MIN_ROWS 7u

static void draw_side(struct sides *sides, int side, struct grid *grid,
                      struct area area)
{
    struct screen screen = sides->screen;
    struct buf text = {0};
    struct grid own;

    sides_describe_side(sides, side, &text);
    screen.message = buf_text(&text);
    grid_init(&own, area.rows, area.columns);
    screen_draw(&screen, sides->histories[side], sides->seq[side], &own);
    for (unsigned row = 0; row < area.rows; row++)
        for (unsigned column = 0; column < area.columns; column++)
            *grid_cell(grid, area.row + row, area.column + column) =
                *grid_cell(&own, row, column);
    grid_release(&own);
    buf_release(&text);
}

static void draw_line(struct grid *grid, unsigned row, enum role role,
                      const char *text)
{
    struct pen pen = {.keep_roles = true, .width = grid->columns};

    pen_cut(&pen, role, text);
    grid_put_pen(grid, (struct area){row, 0, 1, grid->columns}, &pen, 0);
    pen_release(&pen);
}

static void draw_sides(struct sides *sides, struct grid *grid)
{
    struct area all = {1, 0, grid->rows - 2, grid->columns}, other;
    bool is_wide = grid->columns >= WIDE;

    if (sides->alone || (!is_wide && grid->rows < TALL)) {
        draw_side(sides, sides->shown, grid, all);
        return;
    }
    other = all;
    if (is_wide) {
        all.columns = (grid->columns - 1) / 2;
        other.column = all.columns + 1;
        other.columns = grid->columns - other.column;
        for (unsigned row = 0; row < all.rows; row++)
            grid_put(grid, all.row + row, all.columns, grid->columns,
                     ROLE_FRAME, "│");
    } else {
        all.rows /= 2;
        other.row += all.rows;
        other.rows -= all.rows;
    }
    draw_side(sides, 0, grid, all);
    draw_side(sides, 1, grid, other);
}

static void draw_help(struct grid *grid)
{
    for (unsigned i = 0; i < SIDES_NONE && i + 2 < grid->rows; i++) {
        const char *const *entry = sides_entry((enum sides_command)i);
        unsigned end = grid->columns;

        grid_put(grid, 1 + i, 2, end, ROLE_KEY, (char[]){entry[0][0], 0});
        grid_put(grid, 1 + i, 5, end, ROLE_PLAIN, entry[2]);
    }
}

void sides_draw(struct sides *sides, struct grid *grid)
{
    struct buf text = {0};

    grid_clear(grid);
    grid->cursor_row = grid->cursor_column = 0;
    if (grid->rows < MIN_ROWS) {
        draw_line(grid, 0, ROLE_NOTE, "make the terminal larger");
        return;
    }
    sides_describe(sides, &text);
    draw_line(grid, 0, ROLE_WARNING, buf_text(&text));
    if (sides->screen.help)
        draw_help(grid);
    else
        draw_sides(sides, grid);
    draw_line(grid, grid->rows - 1, sides->message ? ROLE_HEADING : ROLE_NOTE,
              sides->message ? sides->message
                             : "n p difference  ← → event  Tab side  "
                               "a b s one, both  m meet  h keys  q quit");
    buf_release(&text);
}

/* Returns false when the reader has enough. */
static bool take_key(struct sides *sides, const struct press *press)
{
    enum sides_command command = SIDES_NONE;
    bool had_help = sides->screen.help;

    sides->screen.help = false;
    sides->message = NULL;
    if (press->kind == PRESS_KEY)
        command = press->key == KEY_IS_LEFT    ? SIDES_BACK
                  : press->key == KEY_IS_RIGHT ? SIDES_FORWARD
                  : press->key == KEY_IS_ENTER ? SIDES_FORWARD
                  : press->key == KEY_IS_F1    ? SIDES_HELP
                                               : SIDES_NONE;
    else if (press->kind == PRESS_CHARACTER && press->character < 0x7f)
        command = sides_parse((char[]){(char)press->character, 0});
    if (press->kind == PRESS_CHARACTER &&
        press->character == CHARACTER_CTRL('I')) {
        sides->shown = !sides->shown;
        return true;
    }
    if (had_help && (command == SIDES_HELP || command == SIDES_QUIT))
        return true;
    if (!sides_do(sides, command))
        return false;
    sides->screen.help = command == SIDES_HELP;
    if (command == SIDES_NONE && !had_help)
        sides->message = "nothing is on this key; h shows which there are";
    return true;
}

static void show(struct sides *sides, struct terminal *terminal)
{
    unsigned rows, columns;
    struct grid grid;

    terminal_size(&rows, &columns);
    grid_init(&grid, rows, columns);
    sides_draw(sides, &grid);
    terminal_show(terminal, &grid);
    grid_release(&grid);
}

int sides_fullscreen(struct sides *sides, struct driver *driver,
                     const struct theme *theme, struct err *err)
{
    struct terminal *terminal = terminal_new(theme, err);
    bool goes_on = true;
    int end = 0, signal;

    if (!terminal)
        return -1;
    sides_open(sides);
    show(sides, terminal);
    while (goes_on && !end) {
        struct press press = terminal_read();
        bool changed = press.kind != PRESS_NONE;

        if (changed)
            goes_on = take_key(sides, &press);
        else if (driver_wait(driver, DRIVER_INPUT, -1) & DRIVER_GONE)
            end = SIGHUP;
        while (!end && (signal = driver_signal(driver)) != 0) {
            changed = true;
            if (driver_is_end(signal))
                end = signal;
            else if (signal == SIGWINCH)
                terminal_resized();
            else
                terminal_leave(); /* also when others stopped us */
            if (signal == SIGTSTP)
                driver_suspend(driver);
        }
        if (goes_on && !end && changed)
            show(sides, terminal);
    }
    terminal_free(terminal);
    return end;
}
