/* SPDX-License-Identifier: MIT */
/*
 * report.c - names the tests that were skipped, and why.
 *
 * Criterion's closing line does not count them, so that a skipped test would
 * look like one that passed. This is printed just before that line.
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>

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
