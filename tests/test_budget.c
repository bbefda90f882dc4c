/* SPDX-License-Identifier: MIT */
/*
 * Budgets: what is too much is not watched, the trace says so, and the code is
 * shown all the same.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "observe/observe.h"
#include "support.h"

TestSuite(budget, .timeout = 60);

static bool has_limit(const struct store *store, const char *budget)
{
    const struct event *event;

    for (size_t i = 0; (event = nth(store, EVENT_LIMIT, i)) != NULL; i++)
        if (!strcmp(event->limit.budget, budget))
            return true;
    return false;
}

Test(budget, stores_are_watched_up_to_the_budget)
{
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", TRACEE("stores"))}, &store, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), "42 42\n"));
    cr_assert(
        eq(sz, count(&store, EVENT_WRITE), observe_default_budget.all_stores));
    cr_assert(eq(int, has_limit(&store, "all-stores"), 1));
    result_release(&result);
    store_release(&store);
}

Test(budget, code_is_shown_where_stores_were_not)
{
    static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3};
    const struct event *enter;
    struct result result;
    struct store store;
    struct bytes all;

    trace(&(struct job){.argv = ARGS("--", TRACEE("stores"))}, &store, &result);
    cr_assert(eq(int, has_limit(&store, "length"), 1));
    for (size_t i = 0; i < 2; i++) {
        enter = nth(&store, EVENT_ENTER, i);
        cr_assert(ne(ptr, (void *)enter, NULL));
        all = enter->enter.code;
        cr_assert(ge(sz, all.len, sizeof code));
        cr_assert(
            eq(mem,
               ((struct cr_mem){all.data + all.len - sizeof code, sizeof code}),
               ((struct cr_mem){code, sizeof code})));
    }
    cr_assert(eq(sz, count(&store, EVENT_STEP), 4));
    result_release(&result);
    store_release(&store);
}
