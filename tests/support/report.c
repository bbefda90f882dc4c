/* SPDX-License-Identifier: MIT */
/*
 * report.c - what is done around all tests.
 *
 * Before them, each is given more time where all is slower. Behind them, the
 * tests that were skipped are named, and why: Criterion's closing line does not
 * count them, so that a skipped test would look like one that passed. This is
 * printed just before that line.
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>

#include "support.h"

ReportHook(PRE_ALL)(struct criterion_test_set *all)
{
    FOREACH_SET (struct criterion_suite_set *set, all->suites) {
        if (set->suite.data)
            set->suite.data->timeout *= SLOWNESS;
        FOREACH_SET (struct criterion_test *test, set->tests)
            test->data->timeout *= SLOWNESS;
    }
}

/* Disabled tests, and those that CRITERION_TEST_PATTERN leaves out, give no
 * reason; there can be many, so they are counted only. */
ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    struct criterion_suite_stats *suite;
    struct criterion_test_stats *test;
    size_t left_out = 0;

    for (suite = stats->suites; suite; suite = suite->next)
        for (test = suite->tests; test; test = test->next)
            if (test->test_status != CR_STATUS_SKIPPED)
                continue;
            else if (test->message)
                fprintf(stderr, "skipped: %s::%s: %s\n", test->test->category,
                        test->test->name, test->message);
            else
                left_out++;
    if (left_out)
        fprintf(stderr, "skipped: %zu tests, disabled or not asked for\n",
                left_out);
}
