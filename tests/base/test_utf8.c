/* SPDX-License-Identifier: MIT */
/*
 * test_utf8.c - text from outside never reaches a terminal as it is, whichever
 * way out it takes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"
#include "format/format.h"
#include "support/support.h"

TestSuite(utf8, .timeout = 30);

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* --- characters ----------------------------------------------------------- */

Test(utf8, what_is_shown_as_it_is)
{
    static const struct {
        const char *text;
        size_t shown;
    } cases[] = {
        {"a", 1},
        {" ", 1},
        {"~", 1},
        {"\xc2\xa0", 2},
        {"\xc3\xbc", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        /* control characters */
        {"\x01", 0},
        {"\t", 0},
        {"\n", 0},
        {"\x1b", 0},
        {"\x7f", 0},
        {"\xc2\x80", 0},
        {"\xc2\x9b", 0},
        {"\xc2\x9f", 0},
        /* what turns the direction, and its neighbours */
        {"\xd8\x9b", 2},
        {"\xd8\x9c", 0},
        {"\xd8\x9d", 2},
        {"\xe2\x80\x8d", 3},
        {"\xe2\x80\x8e", 0},
        {"\xe2\x80\x8f", 0},
        {"\xe2\x80\x90", 3},
        {"\xe2\x80\xa7", 3},
        {"\xe2\x80\xa8", 0},
        {"\xe2\x80\xaa", 0},
        {"\xe2\x80\xae", 0},
        {"\xe2\x80\xaf", 3},
        {"\xe2\x81\xa5", 3},
        {"\xe2\x81\xa6", 0},
        {"\xe2\x81\xa9", 0},
        {"\xe2\x81\xaa", 3},
        /* no UTF-8: alone, cut, too long, half a pair, too high */
        {"\x80", 0},
        {"\xff", 0},
        {"\xc3", 0},
        {"\xe2\x82", 0},
        {"\xc0\xaf", 0},
        {"\xc1\xbf", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xed\xa0\x80", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf8\x88\x80\x80\x80", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes text = bytes_of(cases[i].text);

        cr_expect(eq(sz, utf8_shown(text.data, text.len), cases[i].shown),
                  "case %zu", i);
    }
    cr_expect(eq(sz, utf8_shown((const uint8_t *)"", 1), 0));
}

Test(utf8, what_is_not_shown_is_escaped)
{
    struct buf out = {0};

    utf8_escape(bytes_of("a\x1b[m\n\xc3\xbc\xe2\x80\xae\xff"), &out);
    cr_assert(eq(str, (char *)buf_text(&out),
                 "a\\x1b[m\\x0a\xc3\xbc\\xe2\\x80\\xae\\xff"));
    buf_release(&out);
}

Test(utf8, a_text_is_cut_between_characters)
{
    static const struct {
        const char *text;
        size_t most, left;
    } cases[] = {
        {"", 3, 0},
        {"abc", 3, 3},
        {"abcd", 3, 3},
        {"ab\xc3\xbc", 3, 2},
        {"a\xe2\x82\xac", 3, 1},
        {"\xf0\x9f\x98\x80", 3, 0},
        /* no UTF-8: what is left is not nothing */
        {"\x80\x80\x80\x80\x80\x80", 5, 5},
        {"\x80\x80\x80\x80", 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(sz, utf8_cut(bytes_of(cases[i].text), cases[i].most),
                     cases[i].left),
                  "case %zu", i);
}

/* --- messages ------------------------------------------------------------- */

Test(utf8, a_message_is_one_line_of_text)
{
    struct err err;
    char longest[1200];

    err_set(&err, ERR_USAGE, "no '%s'", "a\n\x1b[31m\xe2\x80\xae\xff");
    cr_assert(eq(str, err.text, "no 'a\\x0a\\x1b[31m\\xe2\\x80\\xae\\xff'"));
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    memcpy(longest + sizeof err.text - 2, "\xc3\xbc", 2);
    err_set(&err, ERR_USAGE, "%s", longest);
    cr_assert(eq(sz, strlen(err.text), sizeof err.text - 2));
}

#define EVIL "\x1b[31m\xe2\x80\xae\xc2\x9b\x7f\xd8\x9c\xe2\x81\xa6"

/* None of the characters of EVIL is in what was printed. */
static void check_harmless(struct buf *out, const char *what)
{
    static const char *const parts[] = {
        "\x1b", "\xe2\x80\xae", "\xc2\x9b", "\x7f", "\xd8\x9c", "\xe2\x81\xa6",
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(eq(ptr,
                     memmem(out->data, out->len, parts[i], strlen(parts[i])),
                     NULL),
                  "%s: part %zu", what, i);
}

Test(utf8, messages_that_repeat_arguments)
{
    const char *const *const commands[] = {
        ARGS(JITTRACE, EVIL),
        ARGS(JITTRACE, "--" EVIL),
        ARGS(JITTRACE, "--format=" EVIL),
        ARGS(JITTRACE, "--max-steps=" EVIL),
        ARGS(JITTRACE, "--who=" EVIL, "1"),
        ARGS(JITTRACE, "--lesson=" EVIL),
        ARGS(JITTRACE, "--replay=" EVIL),
        ARGS(JITTRACE, "-o", "/nonexistent/" EVIL, "1"),
        ARGS(JITTRACE, "--dump-code=/nonexistent/" EVIL, "1"),
        ARGS(JITTRACE, "--", EVIL),
        ARGS(JITTRACE, "--", "/nonexistent/" EVIL),
    };

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct result result;

        run(&(struct job){.argv = commands[i]}, &result);
        cr_expect(ne(int, result.status, 0), "command %zu", i);
        cr_expect(contains(buf_text(&result.err), "\\xe2\\x80\\xae"),
                  "command %zu: %s", i, buf_text(&result.err));
        check_harmless(&result.err, "a message");
        result_release(&result);
    }
}

/* --- views ---------------------------------------------------------------- */

/* Whether a key is of a text of any kind, and not of one that has a form. */
static bool is_text(const char *key)
{
    static const char *const keys[] = {
        "exe", "flags", "backing", "call",   "maps", "text",    "symbol",
        "by",  "how",   "name",    "access", "file", "nearest", "budget",
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static json_t *make_evil(const json_t *text, bool lines)
{
    struct buf buf = {0};
    json_t *evil;

    buf_printf(&buf, "%s " EVIL "%s", json_string_value(text),
               lines ? "\n" : "");
    evil = json_string(buf_text(&buf));
    buf_release(&buf);
    return evil;
}

static void poison(json_t *object, bool lines)
{
    const char *key;
    json_t *value, *argument;
    size_t i;
    void *next;

    json_object_foreach_safe(object, next, key, value)
    {
        if (json_is_object(value))
            poison(value, strcmp(key, "excerpt") == 0);
        else if (json_is_string(value) && is_text(key))
            json_object_set_new(object, key, make_evil(value, lines));
        else if (strcmp(key, "argv") == 0)
            json_array_foreach(value, i, argument)
                json_array_set_new(value, i, make_evil(argument, false));
    }
}

static void write_poisoned(const char *from, const char *to)
{
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    char *line = NULL;
    size_t size = 0;

    cr_assert(ne(ptr, in, NULL));
    while (getline(&line, &size, in) > 0) {
        json_t *object = json_loads(line, 0, NULL);

        poison(object, false);
        json_dumpf(object, out, JSON_COMPACT);
        fputc('\n', out);
        json_decref(object);
    }
    free(line);
    fclose(in);
    fclose(out);
}

static void expect_harmless(const char *const *argv, const char *what)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_expect(eq(int, result.status, 0), "%s: %s", what, buf_text(&result.err));
    cr_expect(lt(sz, 100, result.out.len), "%s", what);
    check_harmless(&result.out, what);
    result_release(&result);
}

Test(utf8, what_a_recording_says_is_shown_as_text)
{
    static const char *const names[] = {"die_quotient", "perf_map", "shm_twin",
                                        "moved", "endless_loop"};
    const char *file = scratch(".jsonl");
    char from[128];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(from, sizeof from, "tests/fuzz/corpus/recording/%s.json",
                 names[i]);
        write_poisoned(from, file);
        expect_harmless(ARGS(JITTRACE, "--replay", file), "text");
        expect_harmless(ARGS(JITTRACE, "--format=json", "--replay", file),
                        "json");
        expect_harmless(ARGS(JITTRACE, "--who", "0", "--replay", file), "who");
        expect_harmless(ARGS(JITTRACE, "--step", "--plain", "--replay", file),
                        "step");
    }
    unlink(file);
}

/* The escapes of JSON mean the same characters. */
Test(utf8, json_is_read_as_it_was_written)
{
    struct event event = {.kind = EVENT_LIMIT, .limit.text = EVIL "\xc3\xbc"};
    struct buf line = {0};
    json_t *object;

    json_write(&event, &line);
    check_harmless(&line, "json");
    cr_assert(contains(buf_text(&line), "\\u202e\\u009b\\u007f"));
    object = json_loads(buf_text(&line), 0, NULL);
    cr_assert(eq(str,
                 (char *)json_string_value(json_object_get(object, "text")),
                 (char *)EVIL "\xc3\xbc"));
    json_decref(object);
    buf_release(&line);
}

/* What is cut is cut somewhere, though no character begins in it. */
Test(utf8, an_argument_that_is_no_text)
{
    char argument[301];
    struct result result;

    memset(argument, 0x80, sizeof argument - 1);
    argument[sizeof argument - 1] = 0;
    run(&(struct job){.argv = ARGS(JITTRACE, "--", "/bin/true", argument)},
        &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), "\\x80\\x80"));
    result_release(&result);
}
