/* SPDX-License-Identifier: MIT */
/*
 * check.h - what the checks of the exercises share: saying what is wrong.
 *
 * A check calls what the learner wrote and says what it found in the learner's
 * terms: which byte, what it is for. Each function prints at once, for the code
 * that is called next may crash. A check ends at the first thing that is wrong:
 *
 *     if (!check_bytes(code, expected, sizeof expected, meaning))
 *         return failed();
 */
#ifndef JITTRACE_LESSONS_CHECK_H
#define JITTRACE_LESSONS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where a check prints to. run.c has given it a descriptor of its own for that,
 * as what the learner wrote may close standard output. */
static inline int words_go_to(void)
{
    const char *descriptor = getenv("EXERCISE_SAYS");

    fflush(stdout);
    return descriptor ? atoi(descriptor) : STDOUT_FILENO;
}

/* Prints a part of a line. */
#define say_part(...) ((void)dprintf(words_go_to(), __VA_ARGS__))

/* Prints a line, at once. */
#define say(format, ...) say_part(format "\n", ##__VA_ARGS__)

/* What the learner prints goes through a pipe of run.c: a crash is not to lose
 * the lines before it. */
__attribute__((constructor)) static inline void print_lines_at_once(void)
{
    if (getenv("EXERCISE_SAYS"))
        setvbuf(stdout, NULL, _IOLBF, 0);
}

/* What buffers are full of before the learner's code stores into them. */
enum { UNTOUCHED = 0xee };

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
            say("byte %zu is 0x%02x%s%s", i, bytes[i],
                bytes[i] == UNTOUCHED ? ", as before: it was not stored;\n"
                                      : "; ",
                meaning[i]);
        else
            say("byte %zu is 0x%02x, not 0x%02x", i, bytes[i], expected[i]);
        return false;
    }
    return true;
}

/* Leaves a word for exercise.sh in the file that this variable names. Without
 * exercise.sh nothing happens. */
static inline void leave_word(const char *variable, const char *word)
{
    const char *name = getenv(variable);
    FILE *file = name ? fopen(name, "w") : NULL;

    if (!file)
        return;
    fputs(word, file);
    fclose(file);
}

/* jittrace is to find out where that comes from. */
static inline void ask_jittrace(const char *what)
{
    leave_word("EXERCISE_ASKS", what);
}

/*
 * What main() returns when all is right, and when it has said what is not. That
 * a process ends with status 0 or 1 does not say so: what the learner wrote
 * runs in it, and may end it at any time.
 */
static inline int passed(void)
{
    leave_word("EXERCISE_REACHED", "passed\n");
    return 0;
}

static inline int failed(void)
{
    leave_word("EXERCISE_REACHED", "failed\n");
    return 1;
}

/* Where was made what was in this register at the end of the call of generated
 * code that came last? */
static inline void ask_where(const char *reg)
{
    ask_jittrace(reg);
}

/* Where was that byte of generated code stored? */
static inline void ask_store(size_t offset)
{
    char text[24];

    snprintf(text, sizeof text, "%zu", offset);
    ask_jittrace(text);
}

/* Compares the result of the call of generated code that came last; `what`
 * names it, as "fn(3)". */
static inline bool check_int(const char *what, long long value,
                             long long expected)
{
    if (value == expected)
        return true;
    say("%s is %lld, not %lld", what, value, expected);
    ask_where("rax");
    return false;
}

#endif
