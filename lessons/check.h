/* SPDX-License-Identifier: MIT */
/*
 * check.h - what the checks of the exercises share: saying what is wrong.
 *
 * A check calls what the learner wrote and says what it found in the learner's
 * terms: which byte, what it is for. Each function prints at once, for the code
 * that is called next may crash. A check ends at the first thing that is wrong:
 *
 *     if (!check_bytes(code, expected, sizeof expected, meaning))
 *         return 1;
 */
#ifndef JITTRACE_LESSONS_CHECK_H
#define JITTRACE_LESSONS_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Prints a line. */
__attribute__((format(printf, 1, 2))) static inline void say(const char *format,
                                                             ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

/*
 * Compares len bytes, and says of the first one that differs what it should be
 * for: meaning[i], a clause such as "the lowest byte of the term comes first".
 * Where that is NULL, or meaning itself is, it says what the byte should be.
 */
static inline bool check_bytes(const uint8_t *bytes, const uint8_t *expected,
                               size_t len, const char *const *meaning)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == expected[i])
            continue;
        if (meaning && meaning[i])
            say("byte %zu is 0x%02x; %s", i, bytes[i], meaning[i]);
        else
            say("byte %zu is 0x%02x, not 0x%02x", i, bytes[i], expected[i]);
        return false;
    }
    return true;
}

/* Compares numbers; `what` names the one that was computed, as "fn(3)". */
static inline bool check_int(const char *what, long long value,
                             long long expected)
{
    if (value == expected)
        return true;
    say("%s is %lld, not %lld", what, value, expected);
    return false;
}

#endif
