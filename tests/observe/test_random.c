/* SPDX-License-Identifier: MIT */
/*
 * Random machine code does the same with and without a tracer: a short form of
 * `make check-random`. What it prints on a failure says how to run a sample
 * again.
 */
#include "support/support.h"

TestSuite(random, .timeout = 150);

Test(random, code_is_left_alone)
{
    struct result result;

    run(&(struct job){.argv = ARGS("/usr/bin/python3",
                                   "tests/random/check_random.py", JITTRACE,
                                   BUILD_DIR "/random", "1", "100"),
                      .seconds = 120},
        &result);
    cr_assert(eq(int, result.status, 0), "%s%s", buf_text(&result.out),
              buf_text(&result.err));
    result_release(&result);
}
