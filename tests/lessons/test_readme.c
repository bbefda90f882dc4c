/* SPDX-License-Identifier: MIT */
/*
 * The README keeps its word: every command it shows runs, and what it shows of
 * a trace is what a trace says. Addresses differ from run to run and are all
 * taken for the same one; so is a line too long for the page, which is cut.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "screen/screen.h"
#include "support/support.h"
#include "trace/history.h"

TestSuite(readme, .timeout = 60);

static struct buf readme;

static void load(void)
{
    read_file("README.md", &readme);
    buf_text(&readme);
}

static void unload(void)
{
    buf_release(&readme);
}

/*
 * Calls visit for each line of the README that is indented by four, without
 * the indentation, but for what stands between backquotes. Returns how many
 * there were.
 */
static size_t each_sample(void (*visit)(char *line, void *argument),
                          void *argument)
{
    char *copy = strdup((char *)readme.data), *rest = copy, *line;
    size_t samples = 0;
    bool quoted = false;

    while ((line = strsep(&rest, "\n")) != NULL) {
        quoted ^= strncmp(line, "```", 3) == 0;
        if (quoted || strncmp(line, "    ", 4) != 0)
            continue;
        visit(line + 4, argument);
        samples++;
    }
    free(copy);
    return samples;
}

/* --- commands ------------------------------------------------------------ */

static bool is_command(const char *line)
{
    static const char *const first[] = {"./jittrace ", "gcc ", "nasm ", "xxd "};

    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (!strncmp(line, first[i], strlen(first[i])))
            return true;
    return false;
}

/* What follows behind two blanks is an explanation. */
static void add_command(char *line, void *argument)
{
    struct buf *script = argument;
    char *explanation = strstr(line, "  ");

    if (explanation)
        *explanation = 0;
    if (is_command(line))
        buf_printf(script, "%s\n", line);
}

/* A directory with what the commands expect to find in the checkout. */
static const char *make_checkout(void)
{
    const char *dir = scratch(".checkout");
    char command[1024];

    snprintf(command, sizeof command,
             "rm -rf %s && mkdir %s && ln -s %s %s/jittrace && ln -s "
             "\"$PWD/lessons\" %s/lessons",
             dir, dir, JITTRACE, dir, dir);
    cr_assert(eq(int, system(command), 0));
    return dir;
}

static void remove_checkout(const char *dir)
{
    char command[512];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert(eq(int, system(command), 0));
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;

    while ((text = strstr(text, part)) != NULL) {
        text++;
        count++;
    }
    return count;
}

Test(readme, every_command_runs, .init = load, .fini = unload)
{
    static const char dump[] =
        "\n00000000: 48 c7 c0 fc ff ff ff 48 01 f8 c3                 "
        "H......H...\n";
    struct buf script = {0};
    struct result result;
    const char *dir = make_checkout();

    buf_append_text(&script, "set -e -o pipefail\n");
    each_sample(add_command, &script);
    cr_assert(ge(sz, count_lines(buf_text(&script)), 8));
    run(&(struct job){.argv = ARGS("bash", "-c", buf_text(&script)),
                      .dir = dir},
        &result);
    cr_assert(eq(int, result.status, 0), "%s%s", buf_text(&script),
              buf_text(&result.err));
    /* In the text of -4, whole and four times a part of it, from raw | xxd, and
     * from xxd of NASM's file. */
    cr_assert(eq(sz, occurrences(buf_text(&result.out), dump), 7));
    result_release(&result);
    buf_release(&script);
    remove_checkout(dir);
}

/* --- what a trace looks like --------------------------------------------- */

/* Replaces each address of a mapping by 0x*, as 0x7f4384645000. */
static void mask(const char *text, struct buf *out)
{
    while (*text) {
        size_t digits = 0;

        if (!strncmp(text, "0x", 2))
            while (isxdigit((unsigned char)text[2 + digits]))
                digits++;
        if (digits == 12) {
            buf_append_text(out, "0x*");
            text += 14;
        } else {
            buf_append(out, text++, 1);
        }
    }
}

static bool is_of_a_trace(const char *line)
{
    return !strncmp(line, "code[", 5) || !strncmp(line, "call ", 5) ||
           line[0] == '+' || !strncmp(line, "    ", 4);
}

static void expect_in_trace(char *line, void *argument)
{
    struct buf masked = {0};

    /* The last block lists the rooms. */
    if (!is_of_a_trace(line) || strncmp(line, "    src/", 8) == 0)
        return;
    mask(line, &masked);
    buf_append_text(&masked, "\n");
    cr_assert(contains(argument, buf_text(&masked)), "%s", line);
    buf_release(&masked);
}

Test(readme, what_is_shown_is_what_a_trace_says, .init = load, .fini = unload)
{
    struct buf masked = {0};
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "-4")}, &result);
    mask(buf_text(&result.out), &masked);
    cr_assert(
        ge(sz, each_sample(expect_in_trace, (void *)buf_text(&masked)), 20));
    result_release(&result);
    buf_release(&masked);
}

/* --- what the screen looks like ------------------------------------------ */

/* The screen of the baby JIT at an event, masked, a line each row. */
static void draw_masked(uint64_t seq, struct buf *out)
{
    const struct screen paused = {.end = SCREEN_PAUSED};
    struct history *history = history_new();
    struct result result;
    struct store store;
    struct grid grid;

    trace(&(struct job){.argv = ARGS("-4")}, &store, &result);
    for (uint64_t i = 0; i <= seq; i++)
        history_append(history, store_event(&store, i));
    grid_init(&grid, 24, 80);
    screen_draw(&paused, history, seq, &grid);
    for (unsigned row = 0; row < grid.rows; row++) {
        struct buf text = {0};

        grid_row(&grid, row, &text);
        mask(buf_text(&text), out);
        buf_append_text(out, "\n");
        buf_release(&text);
    }
    grid_release(&grid);
    history_free(history);
    store_release(&store);
    result_release(&result);
}

/* The README shows some rows of it between two lines of three backquotes. */
Test(readme, the_screen_is_what_it_shows, .init = load, .fini = unload)
{
    char *start = strstr((char *)readme.data, "\n```text\n"), *end;
    struct buf screen = {0}, shown = {0};

    cr_assert(ne(ptr, start, NULL));
    start += strlen("\n```text\n");
    end = strstr(start, "```\n");
    cr_assert(ne(ptr, end, NULL));
    *end = 0;
    draw_masked(5, &screen);
    mask(start, &shown);
    cr_assert(ge(sz, count_lines(start), 10));
    cr_assert(contains(buf_text(&screen), buf_text(&shown)), "%s\n%s",
              buf_text(&shown), buf_text(&screen));
    buf_release(&screen);
    buf_release(&shown);
}
