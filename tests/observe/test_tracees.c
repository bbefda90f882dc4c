/* SPDX-License-Identifier: MIT */
/*
 * The programs in tests/tracees/ that say in their first comment what a tracer
 * must report: each is run with and without a tracer, and both must be as it
 * says. A new file there is found by the Makefile; it needs no other entry.
 *
 * The comment has lines of these forms, the value behind one or more blanks:
 *
 *     prints:  a line of standard output, exactly; in this order, and no more
 *     errors:  the same of standard error; checked if there is one
 *     alike:   what it prints depends on the kernel, and is the same with and
 *              without a tracer; instead of "prints:"
 *     ends:    "status N" or "signal SIGSEGV"; must be there
 *     args:    arguments of the program
 *     options: options of jittrace
 *     build:   more compiler flags (read by the Makefile)
 *     reports: a pattern (fnmatch(3)) that the summary of an event matches
 *              (summary.h); in this order, with any events in between
 *     never:   a pattern that no event matches
 *
 * In a pattern, a bracket or backslash that stands for itself needs a backslash
 * in front.
 */
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/summary.h"
#include "support/support.h"

TestSuite(tracees, .timeout = 600);

#define MAX_LINES 64

/* Seconds for one run. The longest takes 4 of CPU time, which were a minute on a
 * machine that had forty other programs to run. */
#define PATIENCE 180

/* The values of one keyword. */
struct values {
    const char *list[MAX_LINES];
    size_t count;
};

/* What a tracee says of itself. */
enum keyword {
    PRINTS,
    ERRORS,
    ALIKE,
    ENDS,
    ARGUMENTS,
    OPTIONS,
    BUILD_FLAGS,
    REPORTS,
    NEVER,
    KEYWORDS,
};

static const char *const keywords[KEYWORDS] = {
    "prints",  "errors", "alike",   "ends",  "args",
    "options", "build",  "reports", "never",
};

struct promise {
    struct buf source;
    struct values values[KEYWORDS];
};

/* --- what the comment says ------------------------------------------------ */

static void add(struct values *values, const char *value)
{
    cr_assert(lt(sz, values->count, MAX_LINES), "too many lines");
    values->list[values->count++] = value;
}

/* A line of the comment, without its newline. */
static void read_line(struct promise *promise, char *line)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
    size_t length;

    if (strncmp(line, " * ", 3) != 0)
        return;
    line += 3;
    length = strspn(line, lower);
    if (length == 0 || line[length] != ':')
        return;
    line[length] = '\0';
    for (enum keyword i = 0; i < KEYWORDS; i++) {
        if (strcmp(line, keywords[i]) != 0)
            continue;
        line += length + 1;
        add(&promise->values[i], line + strspn(line, " "));
        return;
    }
    cr_fatal("\"%s:\" is no keyword", line);
}

/* Takes the source apart, which the values point into. */
static void read_promise(const char *name, struct promise *promise)
{
    char path[256], *line, *end;

    snprintf(path, sizeof path, "tests/tracees/%s.c", name);
    read_file(path, &promise->source);
    buf_append(&promise->source, "", 1);
    line = (char *)promise->source.data;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (line[0] != '/' && line[0] != ' ')
            break; /* behind the first comments */
        read_line(promise, line);
    }
    cr_assert(eq(sz, promise->values[ENDS].count, 1), "it has one \"ends:\"");
    cr_assert(lt(sz, 0, promise->values[REPORTS].count),
              "it has a \"reports:\"");
}

/* Appends the words of all values to a list that ends with NULL. */
static void add_words(struct values *out, const struct values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        char *text = strdup(values->list[i]), *rest;

        for (char *word = strtok_r(text, " ", &rest); word;
             word = strtok_r(NULL, " ", &rest))
            add(out, word);
    }
}

/* A status as in struct result. */
static int promised_status(const struct promise *promise)
{
    const char *ends = promise->values[ENDS].list[0];

    if (strncmp(ends, "status ", 7) == 0)
        return atoi(ends + 7);
    for (int i = 1; i < NSIG; i++) {
        const char *name = signal_name(i);

        if (name && !strncmp(ends, "signal ", 7) && !strcmp(ends + 7, name))
            return 128 + i;
    }
    cr_fatal("\"ends: %s\" is neither a status nor a signal", ends);
    return -1;
}

/* --- what it does --------------------------------------------------------- */

static void expect_lines(const struct values *lines, const struct buf *got,
                         const char *what)
{
    struct buf all = {0};

    for (size_t i = 0; i < lines->count; i++)
        buf_printf(&all, "%s\n", lines->list[i]);
    cr_assert(eq(mem, mem(got->data, got->len), mem(all.data, all.len)), "%s",
              what);
    buf_release(&all);
}

static void expect_result(const struct promise *promise,
                          const struct result *result, const char *how)
{
    cr_assert(eq(int, result->status, promised_status(promise)), "%s", how);
    if (!promise->values[ALIKE].count)
        expect_lines(&promise->values[PRINTS], &result->out, how);
    if (promise->values[ERRORS].count)
        expect_lines(&promise->values[ERRORS], &result->err, how);
}

/* The summaries of all events, for a failed test. */
static const char *all_of(const struct store *store)
{
    static struct buf all;

    for (size_t i = 0; i < store->count && i < 400; i++) {
        summary(store_event(store, i), &all);
        buf_append_text(&all, "\n");
    }
    return buf_text(&all);
}

static bool matches(const struct store *store, size_t i, const char *pattern)
{
    struct buf line = {0};
    bool same;

    summary(store_event(store, i), &line);
    same = fnmatch(pattern, buf_text(&line), 0) == 0;
    buf_release(&line);
    return same;
}

static void expect_reports(const struct values *patterns,
                           const struct store *store)
{
    size_t next = 0;

    for (size_t i = 0; i < store->count && next < patterns->count; i++)
        if (matches(store, i, patterns->list[next]))
            next++;
    if (next < patterns->count)
        cr_fatal("line %zu, \"reports: %s\", was not reported behind those "
                 "before it:\n%s",
                 next + 1, patterns->list[next], all_of(store));
}

static void expect_none(const struct values *patterns,
                        const struct store *store)
{
    for (size_t n = 0; n < patterns->count; n++)
        for (size_t i = 0; i < store->count; i++)
            if (matches(store, i, patterns->list[n]))
                cr_fatal("event %zu is against \"never: %s\":\n%s", i,
                         patterns->list[n], all_of(store));
}

/* What is not said to break a rule must not be told to. */
static bool promises_verdict(const struct values *reports)
{
    for (size_t i = 0; i < reports->count; i++)
        if (strncmp(reports->list[i], "verdict ", 8) == 0)
            return true;
    return false;
}

/* The recording must be one that the schema and its rules allow. */
static void expect_valid(const char *file)
{
    struct result result;

    run(&(struct job){.argv =
                          ARGS("/usr/bin/python3", "tests/validate_trace.py",
                               "docs/trace.schema.json", file),
                      .seconds = PATIENCE},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    result_release(&result);
}

static void check_tracee(const char *name)
{
    struct promise promise = {0};
    struct values with = {0}, without = {0};
    const char *file = scratch(".jsonl");
    struct result traced, alone;
    struct store store;
    char program[256];

    read_promise(name, &promise);
    snprintf(program, sizeof program, "%s", TRACEE(""));
    strcat(program, name);
    add(&without, program);
    add_words(&without, &promise.values[ARGUMENTS]);
    add_words(&with, &promise.values[OPTIONS]);
    add(&with, "--");
    add(&with, program);
    add_words(&with, &promise.values[ARGUMENTS]);

    run(&(struct job){.argv = without.list, .seconds = PATIENCE}, &alone);
    expect_result(&promise, &alone, "without a tracer");
    trace_to(file, &(struct job){.argv = with.list, .seconds = PATIENCE},
             &store, &traced);
    expect_result(&promise, &traced, "with a tracer");
    if (promise.values[ALIKE].count)
        cr_assert(lt(sz, 0, alone.out.len), "it prints nothing");
    cr_assert(eq(mem, mem(traced.out.data, traced.out.len),
                 mem(alone.out.data, alone.out.len)));
    cr_assert(eq(mem, mem(traced.err.data, traced.err.len),
                 mem(alone.err.data, alone.err.len)));
    check_registers(&store);
    expect_reports(&promise.values[REPORTS], &store);
    expect_none(&promise.values[NEVER], &store);
    if (!promises_verdict(&promise.values[REPORTS]))
        expect_none(&(struct values){.list = {"verdict *"}, .count = 1},
                    &store);
    expect_valid(file);
    unlink(file);
    result_release(&alone);
    result_release(&traced);
    store_release(&store);
    buf_release(&promise.source);
}

/* A test for each, by its name: written by the Makefile. */
#define TRACEE_TEST(name)    \
    Test(tracees, name)      \
    {                        \
        check_tracee(#name); \
    }
#include "tests/tracees.inc"
