/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "trace/sink.h"

TestSuite(fan, .timeout = 20);

/* A sink that counts, and fails when it has seen so many. */
struct counter {
    struct sink sink;
    unsigned *seen, *finished;
    unsigned limit;
    enum err_kind kind;
};

static int count(struct sink *sink, const struct event *event, struct err *err)
{
    struct counter *counter = (struct counter *)sink;

    (void)event;
    if (++*counter->seen < counter->limit)
        return 0;
    return err_set(err, counter->kind, "after %u", *counter->seen);
}

static int finish(struct sink *sink, struct err *err)
{
    (void)err;
    ++*((struct counter *)sink)->finished;
    return 0;
}

static void free_counter(struct sink *sink)
{
    free(sink);
}

static void add(struct sink *fan, unsigned *seen, unsigned limit,
                enum err_kind kind)
{
    struct counter *counter = mem_alloc(sizeof *counter);

    *counter = (struct counter){
        {count, finish, free_counter}, seen, seen + 1, limit, kind};
    fan_add(fan, &counter->sink);
}

/* Gives three events to sinks that fail at these; returns what finish says. */
static int run(const unsigned limits[3], const enum err_kind kinds[3],
               unsigned seen[3][2], struct err *err)
{
    struct sink *fan = fan_new();
    struct event event = {.kind = EVENT_START};
    int result;

    for (int i = 0; i < 3; i++)
        add(fan, seen[i], limits[i], kinds[i]);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, sink_emit(fan, &event, err), 0));
    result = sink_finish(fan, err);
    sink_free(fan);
    return result;
}

Test(fan, one_that_fails_is_given_no_more_and_the_others_go_on)
{
    unsigned seen[3][2] = {{0}};
    struct err err = {ERR_NONE, ""};

    cr_assert(eq(int,
                 run((const unsigned[]){9, 2, 9},
                     (const enum err_kind[]){ERR_DATA, ERR_OUTPUT, ERR_DATA},
                     seen, &err),
                 -1));
    cr_assert(eq(int, (int)err.kind, ERR_OUTPUT));
    cr_assert(eq(str, err.text, "after 2"));
    cr_assert(eq(uint, seen[0][0], 3));
    cr_assert(eq(uint, seen[1][0], 2));
    cr_assert(eq(uint, seen[2][0], 3));
    cr_assert(eq(uint, seen[0][1], 1));
    cr_assert(eq(uint, seen[1][1], 0));
    cr_assert(eq(uint, seen[2][1], 1));
}

Test(fan, that_nobody_reads_is_no_failure)
{
    unsigned seen[3][2] = {{0}};
    struct err err = {ERR_NONE, ""};

    cr_assert(eq(int,
                 run((const unsigned[]){1, 9, 1},
                     (const enum err_kind[]){ERR_PIPE, ERR_DATA, ERR_PIPE},
                     seen, &err),
                 0));
    cr_assert(eq(uint, seen[0][0], 1));
    cr_assert(eq(uint, seen[1][0], 3));
}

Test(fan, of_several_the_last_that_was_added_is_told)
{
    unsigned seen[3][2] = {{0}};
    struct err err = {ERR_NONE, ""};

    cr_assert(eq(int,
                 run((const unsigned[]){1, 3, 9},
                     (const enum err_kind[]){ERR_OUTPUT, ERR_DATA, ERR_DATA},
                     seen, &err),
                 -1));
    cr_assert(eq(str, err.text, "after 3"));
}
