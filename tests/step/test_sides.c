/* SPDX-License-Identifier: MIT */
/*
 * Two recordings side by side: from difference to difference, along the events
 * that go with each other, on the screen and line by line. The second one goes
 * another way at a branch (tests/tracees/mutant.c).
 */
#include "step/sides.h"

#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/support.h"
#include "support/terminal.h"

TestSuite(sides, .timeout = 60);

#define MUTANT TRACEE("mutant")

/* Both recordings, and what they are compared from. */
struct both {
    const char *file[2];
    struct history *history[2];
    struct diff diff;
    uint64_t count[2];
};

static void record(struct both *both, const char *const *a,
                   const char *const *b)
{
    const char *const *argv[] = {a, b};

    both->file[0] = scratch(".a.jsonl");
    both->file[1] = scratch(".b.jsonl");
    for (int i = 0; i < 2; i++) {
        struct result result;
        struct store store;

        trace_to(both->file[i], &(struct job){.argv = argv[i]}, &store,
                 &result);
        both->history[i] = history_new();
        for (size_t k = 0; k < store.count; k++)
            history_append(both->history[i], store_event(&store, k));
        both->count[i] = store.count;
        store_release(&store);
        result_release(&result);
    }
    diff_make(both->history[0], both->history[1], &both->diff);
}

static void release(struct both *both)
{
    diff_release(&both->diff);
    for (int i = 0; i < 2; i++) {
        history_free(both->history[i]);
        unlink(both->file[i]);
    }
}

static void tells(const struct both *both, const char *typed, int status,
                  const char *const *parts)
{
    struct result result;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--plain", "--diff",
                                   both->file[0], both->file[1])},
        typed, &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    expect_in_order(&result.out, parts);
    result_release(&result);
}

#define APART ARGS(MUTANT), ARGS(MUTANT, "argument", "9")

/* --- along the events ----------------------------------------------------- */

/* Each side only goes forward, passes every event, and comes back the same
 * way. */
static void goes_and_comes_back(const struct both *both)
{
    uint64_t path[256][2] = {{0}}, seq[2] = {0, 0};
    size_t length = 0;

    while (diff_move(&both->diff, both->count, false, seq)) {
        cr_assert(lt(sz, ++length, 256));
        memcpy(path[length], seq, sizeof seq);
        for (int i = 0; i < 2; i++)
            cr_assert(le(u64, seq[i] - path[length - 1][i], 1));
    }
    for (int i = 0; i < 2; i++)
        cr_assert(eq(u64, seq[i], both->count[i] - 1));
    while (length > 0) {
        cr_assert(diff_move(&both->diff, both->count, true, seq));
        length--;
        for (int i = 0; i < 2; i++)
            cr_assert(eq(u64, seq[i], path[length][i]), "row %zu", length);
    }
    cr_assert(not(diff_move(&both->diff, both->count, true, seq)));
}

Test(sides, back_is_the_way_forward)
{
    struct both both;

    record(&both, APART);
    cr_assert(ne(u64, both.count[0], both.count[1]));
    goes_and_comes_back(&both);
    release(&both);
}

/* Which of its threads comes first is another one each time. */
Test(sides, back_is_the_way_forward_with_threads)
{
    for (int i = 0; i < 4; i++) {
        struct both both;

        record(&both, ARGS(TRACEE("slots")), ARGS(TRACEE("slots")));
        goes_and_comes_back(&both);
        release(&both);
    }
}

/* What was compared is of one kind. */
Test(sides, pairs_are_alike)
{
    struct both both;

    record(&both, APART);
    cr_assert(gt(sz, both.diff.pair_count, 20));
    for (size_t i = 0; i < both.diff.pair_count; i++) {
        const uint64_t *seq = both.diff.pairs[i].seq;

        cr_assert(eq(int, history_event(both.history[0], seq[0])->kind,
                     history_event(both.history[1], seq[1])->kind));
        cr_assert(diff_is_pair(&both.diff, seq));
        cr_assert(eq(u64, diff_other(&both.diff, 0, seq[0]), seq[1]));
        cr_assert(eq(u64, diff_other(&both.diff, 1, seq[1]), seq[0]));
        for (int k = 0; i > 0 && k < 2; k++)
            cr_assert(gt(u64, seq[k], both.diff.pairs[i - 1].seq[k]));
    }
    release(&both);
}

/* --- line by line --------------------------------------------------------- */

Test(sides, lines_tell_both_sides)
{
    struct both both;

    record(&both, APART);
    tells(&both, "n\nnext\nn\nn\nprevious\nm\nq\n", 1,
          ARGS("difference 1 of 4, arguments: rdi", "A  has 3", "rdi = 3",
               "B  has 9", "rdi = 9", "> n\ndifference 2 of 4, registers",
               "difference 3 of 4, branch taken: a branch", "A  has not taken",
               "B  has taken", "difference 4 of 4, output", "difference 3 of 4",
               "> m\nevent ", "call 2 to code[0]", "call 2 to code[0]"));
    tells(&both, "n\nn\n\n\n\nk\nk\nk\nn\nn\n", 1,
          ARGS("difference 3 of 4", "not compared with each other",
               "not compared with each other", "not compared with each other",
               "not compared with each other", "not compared with each other",
               "difference 3 of 4", "difference 4 of 4",
               "there is no further kind"));
    tells(&both, "b\nfly\nhelp\ns\np\n", 1,
          ARGS("> b\ndifference 1 of 4, arguments: rdi",
               "event 22 of A\nB  has 9", "'fly' is no command", "n  next  ",
               "> s\n", "A  has 3", "B  has 9",
               "there is no difference before this"));
    release(&both);
}

Test(sides, there_is_none)
{
    struct both both;

    record(&both, ARGS(MUTANT), ARGS(MUTANT));
    tells(&both, "n\nm\n\nk\nk\n", 0,
          ARGS("event 0 of A, 0 of B", "there is no difference",
               "there is no further kind", "m is for a difference",
               "event 1 of A, 1 of B", "event 0 of A, 0 of B",
               "both begin here"));
    release(&both);
}

Test(sides, a_run_is_the_other_side)
{
    struct both both;
    struct result result;

    record(&both, APART);
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--plain",
                                          "--diff", both.file[0], "--", MUTANT,
                                          "argument", "9")},
               "n\n", &result);
    cr_assert(eq(int, result.status, 1));
    expect_in_order(&result.out,
                    ARGS("B  has 9  (the run)", "> n\n", "difference 2 of 4"));
    result_release(&result);
    release(&both);
}

Test(sides, what_is_for_one_is_refused)
{
    static const char *const options[] = {"--predict", "--goto=1", "--stdin=F",
                                          "--output=F"};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct result result;

        run(&(struct job){.argv = ARGS(JITTRACE, "--step", options[i],
                                       "--diff=a", "b")},
            &result);
        cr_assert(eq(int, result.status, EX_USAGE), "%s", options[i]);
        cr_assert(contains(buf_text(&result.err), "is for one"), "%s",
                  buf_text(&result.err));
        result_release(&result);
    }
}

/* --- on the screen -------------------------------------------------------- */

static void start(struct tty *tty, const struct both *both, unsigned rows,
                  unsigned columns)
{
    tty_start(tty,
              &(struct job){.argv = ARGS(JITTRACE, "--step", "--diff",
                                         both->file[0], both->file[1])},
              rows, columns);
    tty_wait_row(tty, 0, "difference 1 of 4, arguments: rdi");
}

/* Whether a process ignores that signal (proc_pid_status(5), SigIgn). */
static bool ignores(pid_t pid, int signal)
{
    char name[64];
    struct buf text = {0};
    const char *line;
    bool ignored;

    snprintf(name, sizeof name, "/proc/%d/status", (int)pid);
    read_file(name, &text);
    line = strstr(buf_text(&text), "SigIgn:");
    cr_assert(ne(ptr, (void *)line, NULL));
    ignored = strtoull(line + 7, NULL, 16) >> (signal - 1) & 1;
    buf_release(&text);
    return ignored;
}

static void end(struct tty *tty, const char *keys, int status)
{
    tty_type(tty, keys);
    cr_assert(eq(int, tty_wait_end(tty), status));
    tty_wait_alone(tty);
    tty_expect_restored(tty);
    tty_release(tty);
}

Test(sides, a_small_screen_shows_one_of_them)
{
    struct both both;
    struct tty tty;

    record(&both, APART);
    start(&tty, &both, 24, 80);
    tty_wait_row(&tty, 22, "A  has 3");
    tty_type(&tty, "\t");
    tty_wait_row(&tty, 22, "B  has 9");
    tty_type(&tty, "n");
    tty_wait_row(&tty, 0, "difference 2 of 4");
    tty_type(&tty, "a");
    tty_wait_row(&tty, 22, "A  has");
    tty_type(&tty, "h");
    tty_wait_text(&tty, "where they meet again");
    tty_type(&tty, "q"); /* closes the help */
    tty_wait_text(&tty, "what happened");
    tty_type(&tty, "Z");
    tty_wait_row(&tty, 23, "nothing is on this key");
    tty_resize(&tty, 4, 30);
    tty_wait_row(&tty, 0, "make the terminal larger");
    end(&tty, "q", 1);
    release(&both);
}

/* Ctrl-C ends it, also when a program was run before. */
Test(sides, a_run_leaves_signals_to_the_screen)
{
    struct both both;
    struct tty tty;

    record(&both, APART);
    tty_start(
        &tty,
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--diff", both.file[0],
                                   "--", MUTANT, "argument", "9")},
        24, 80);
    tty_wait_row(&tty, 0, "difference 1 of 4");
    cr_assert(not(ignores(tty.pid, SIGTSTP)));
    end(&tty, "\003", 130);
    release(&both);
}

Test(sides, a_large_screen_shows_both)
{
    static const struct {
        unsigned rows, columns, row[2];
    } sizes[] = {{30, 110, {28, 28}}, {40, 150, {38, 38}}, {50, 80, {24, 48}}};
    struct both both;
    struct tty tty;

    record(&both, APART);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        start(&tty, &both, sizes[i].rows, sizes[i].columns);
        tty_wait_row(&tty, sizes[i].row[0], "A  has 3");
        tty_wait_row(&tty, sizes[i].row[1], "B  has 9");
        tty_type(&tty, "nn");
        tty_wait_row(&tty, 0, "difference 3 of 4");
        tty_press(&tty, VTERM_KEY_RIGHT);
        tty_wait_row(&tty, 0, "not compared with each other");
        tty_press(&tty, VTERM_KEY_LEFT);
        tty_wait_row(&tty, 0, "difference 3 of 4");
        end(&tty, i == 0 ? "\003" : "q", i == 0 ? 130 : 1);
    }
    release(&both);
}
