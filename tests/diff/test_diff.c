/* SPDX-License-Identifier: MIT */
/*
 * --diff from the outside: the same program again, one that does one thing
 * otherwise (tests/tracees/mutant.c), other builds, and what it refuses.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(diff, .timeout = 120);

#define MUTANT TRACEE("mutant")

static void record(const char *file, const char *const *command)
{
    const char *argv[16] = {JITTRACE, "--format=json", "-o", file};
    struct result result;
    size_t count = 4;

    for (; *command; command++)
        argv[count++] = *command;
    run(&(struct job){.argv = argv, .in = "Makefile"}, &result);
    cr_assert(lacks(buf_text(&result.err), "jittrace:"), "%s",
              buf_text(&result.err));
    result_release(&result);
}

/* The status that both end with, and what is said. */
static void compares(const char *a, const char *b, const char *form, int status,
                     struct result *result)
{
    run(&(struct job){.argv = ARGS(JITTRACE, form, "--diff", a, b),
                      .seconds = 60},
        result);
    cr_assert(eq(int, result->status, status), "%s%s", buf_text(&result->out),
              buf_text(&result->err));
}

static void differs(const char *const *a, const char *const *b,
                    const char *const *words)
{
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");
    struct result result;

    record(left, a);
    record(right, b);
    compares(left, right, "--format=json", *words ? 1 : 0, &result);
    for (; *words; words++)
        cr_assert(contains(buf_text(&result.out), *words), "%s: %s", *words,
                  buf_text(&result.out));
    result_release(&result);
    unlink(left);
    unlink(right);
}

/* --- the same ------------------------------------------------------------- */

/* Under ASLR addresses differ, and nothing is said of that. */
Test(diff, the_same_again_is_equal)
{
    static const char *const programs[][4] = {
        {"-4"},
        {"--", TRACEE("callback")},
        {"--", TRACEE("recursion")},
        {"--", TRACEE("floats")},
        {"--", TRACEE("babyjit-no-pie"), "4"},
        {"--", TRACEE("babyjit-static"), "4"},
        {"--", TRACEE("crash")},
        {"--", MUTANT},
    };

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        for (int again = 0; again < 2; again++)
            differs(programs[i], programs[i], ARGS(NULL));
}

Test(diff, each_lesson_is_equal_to_itself)
{
    static const char *const lessons[][4] = {
        {"page"},         {"machine-code"}, {"term", "-9"},
        {"call"},         {"babyjit", "3"}, {"write-or-execute"},
        {"smaller", "7"}, {"loops"},        {"expressions", "3+x"},
        {"calling-c"},    {"patching"},
    };

    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
        const char *const *lesson = lessons[i];

        differs(ARGS("--lesson", lesson[0], lesson[1]),
                ARGS("--lesson", lesson[0], lesson[1]), ARGS(NULL));
    }
}

/* Whoever comes first: the same threads belong together, and what the others
 * have stored so far is no difference. */
Test(diff, threads_come_in_any_order)
{
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");
    const char *const program[] = {"--", TRACEE("slots"), NULL};
    struct result result;

    record(left, program);
    for (int i = 0; i < 6; i++) {
        record(right, program);
        run(&(struct job){.argv = ARGS(JITTRACE, "--diff", left, right)},
            &result);
        cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
        result_release(&result);
    }
    unlink(left);
    unlink(right);
}

Test(diff, other_builds_store_otherwise)
{
    struct result result;
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");

    record(left, ARGS("--", TRACEE("babyjit-O0"), "-4"));
    record(right, ARGS("--", TRACEE("babyjit-O2"), "-4"));
    compares(left, right, "--format=json", 1, &result);
    cr_assert(eq(sz, count_lines(buf_text(&result.out)), 2), "%s",
              buf_text(&result.out));
    cr_assert(contains(buf_text(&result.out), "\"first\":\"order of stores\""));
    result_release(&result);
    unlink(left);
    unlink(right);
}

/* What has not been watched is not known to be equal. */
Test(diff, a_limit_is_no_equality)
{
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");
    struct result result;

    record(left, ARGS("--max-stores=3", "-4"));
    record(right, ARGS("--max-stores=3", "-4"));
    compares(left, right, "--color=never", 2, &result);
    cr_assert(contains(buf_text(&result.out), "nobody knows whether"));
    cr_assert(contains(buf_text(&result.out), "No difference was found."));
    result_release(&result);
    compares(left, right, "--format=json", 2, &result);
    cr_assert(contains(buf_text(&result.out), "\"result\":\"not known\""));
    result_release(&result);
    unlink(left);
    unlink(right);
}

/* That calls were not asked for puts what comes behind them in front: what is
 * there on both sides is missing on none. */
Test(diff, what_was_not_asked_for_is_not_missing)
{
    static const char *const choices[] = {"--calls=2", "--only=nothere",
                                          "--after-output=x"};
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");
    struct result result;

    record(left, ARGS("-4"));
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        record(right, ARGS(choices[i], "-4"));
        compares(left, right, "--color=never", 2, &result);
        cr_assert(contains(buf_text(&result.out), "No difference was found."));
        result_release(&result);
        compares(right, left, "--color=never", 2, &result);
        result_release(&result);
    }
    unlink(left);
    unlink(right);
}

/* --- one difference ------------------------------------------------------- */

#define CODE     "\"difference\":\"code bytes\""
#define BRANCH   "\"difference\":\"branch taken\""
#define WHAT(it) "\"what\":\"" it "\""

static const struct {
    const char *argv[4]; /* of the mutant */
    const char *words[5];
} mutants[] = {
    {{"byte", "6", "3"},
     {CODE, "cmp rax, 5", "cmp rax, 3", "\"offset\":3,\"byte\":6",
      WHAT("flags")}},
    {{"byte", "6", "2"}, {CODE, BRANCH, "not taken"}},
    {{"byte", "7", "0x7c"}, {CODE, "jl 0x", BRANCH, "\"offset\":7"}},
    {{"byte", "12", "11"},
     {CODE, "add rax, 11", "\"has\":\"13\"", "\"has\":\"14\"",
      "\"difference\":\"output\""}},
    {{"byte", "10", "0x81"}, {CODE, "\"offset\":9,\"byte\":10"}},
    {{"byte", "15", "0x3e"}, {CODE, "mov [rsi], rdi", "memory written"}},
    {{"byte", "16", "0xcc"}, {CODE, "\"offset\":16", "SIGTRAP"}},
    {{"byte", "7", "0x06"}, {CODE, "(no instruction)", "\"offset\":7"}},
    {{"backwards"}, {"\"first\":\"order of stores\"", "code[16] = c3"}},
    {{"twice"}, {"\"first\":\"order of stores\"", "code[0] = 90"}},
    {{"mprotect"}, {"\"difference\":\"mappings\"", "become rwx"}},
    {{"argument", "2"},
     {"\"first\":\"arguments\"", WHAT("rdi"), "first used by mov rax, rdi"}},
    {{"argument", "9"}, {"\"first\":\"arguments\"", BRANCH, "jnle"}},
    {{"print"}, {"\"first\":\"output\"", "line 2 of descriptor 1"}},
    {{"status", "3"}, {"\"first\":\"status\"", "status 3"}},
};

Test(diff, each_class_is_found_where_it_is)
{
    const char *argv[8] = {"--", MUTANT};
    const char *words[6] = {NULL};

    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
        memcpy(argv + 2, mutants[i].argv, sizeof mutants[i].argv);
        memcpy(words, mutants[i].words, sizeof mutants[i].words);
        differs(ARGS("--", MUTANT), argv, words);
    }
}

/* Each byte of the code of four lessons, each with its lowest bit changed. */
Test(diff, each_byte_of_a_lesson_is_found_in_its_instruction)
{
    static const struct {
        const char *lesson;
        int length;    /* of its code */
        int starts[4]; /* of its instructions, from the last one on */
    } lessons[] = {
        {"machine-code", 11, {10, 7, 0}},
        {"term", 8, {7, 0}},
        {"call", 7, {6, 3, 0}},
        {"write-or-execute", 6, {5, 0}},
    };
    const char *left = scratch(".a.jsonl");
    struct result result;

    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
        record(left, ARGS("--lesson", lessons[i].lesson));
        for (int byte = 0; byte < lessons[i].length; byte++) {
            struct buf inject = {0}, place = {0};
            const int *start = lessons[i].starts;

            while (*start > byte)
                start++;
            buf_printf(&inject, "--inject=code[%d]:xor=0x01", byte);
            buf_printf(&place, "\"offset\":%d,\"byte\":%d,", *start, byte);
            run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "--diff",
                                           left, buf_text(&inject), "--lesson",
                                           lessons[i].lesson)},
                &result);
            cr_assert(eq(int, result.status, 1), "%s %s: %s", lessons[i].lesson,
                      buf_text(&inject), buf_text(&result.err));
            cr_assert(contains(buf_text(&result.out), CODE), "%s",
                      buf_text(&result.out));
            cr_assert(
                contains(strstr(buf_text(&result.out), CODE), buf_text(&place)),
                "%s %s: %s", lessons[i].lesson, buf_text(&inject),
                buf_text(&result.out));
            result_release(&result);
            buf_release(&inject);
            buf_release(&place);
        }
    }
    unlink(left);
}

/* What is written as JSON keeps to docs/diff.schema.json. */
Test(diff, json_keeps_to_its_schema)
{
    enum { COUNT = sizeof mutants / sizeof *mutants };
    const char *left = scratch(".a.jsonl");
    const char *argv[3 + COUNT + 2] = {
        "/usr/bin/python3", "tests/validate_diff.py", "docs/diff.schema.json"};
    char names[COUNT + 1][256];
    struct result result;

    record(left, ARGS("--", MUTANT));
    for (size_t i = 0; i <= COUNT; i++) {
        const char *const *of =
            i < COUNT ? mutants[i].argv : (const char *const[4]){NULL};
        char suffix[32];

        snprintf(suffix, sizeof suffix, "-%zu.json", i);
        snprintf(names[i], sizeof names[i], "%s", scratch(suffix));
        run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o",
                                       names[i], "--diff", left, "--", MUTANT,
                                       of[0], of[1], of[2])},
            &result);
        cr_assert(eq(int, result.status, i < COUNT), "%s",
                  buf_text(&result.err));
        result_release(&result);
        argv[3 + i] = names[i];
    }
    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    result_release(&result);
    for (size_t i = 0; i <= COUNT; i++)
        unlink(names[i]);
    unlink(left);
}

/* Two that go apart are compared again from the next call on. */
Test(diff, they_meet_at_the_next_call)
{
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");
    struct result result;

    record(left, ARGS("--", MUTANT));
    record(right, ARGS("--", MUTANT, "argument", "9"));
    compares(left, right, "--color=never", 1, &result);
    cr_assert(contains(buf_text(&result.out), "branch taken: a branch\n"
                                              "  A  not taken\n"));
    cr_assert(contains(buf_text(&result.out), "They meet again: event "));
    cr_assert(contains(buf_text(&result.out), "Compared: 3 entries"));
    cr_assert(contains(buf_text(&result.out), "mutant.c:55  code[at] = "));
    result_release(&result);
    unlink(left);
    unlink(right);
}

/* --- what is left out, or odd --------------------------------------------- */

/* Both end in a number there, so that it is not the number that differs. */
Test(diff, what_stands_behind_a_number)
{
    differs(ARGS("--", "/bin/echo", "12x"), ARGS("--", "/bin/echo", "12y"),
            ARGS("\"difference\":\"output\"", "\"has\":\"12x\"",
                 "\"has\":\"12y\""));
    differs(ARGS("--", "/bin/echo", "12"), ARGS("--", "/bin/echo", "12", ""),
            ARGS("\"difference\":\"output\"", "\"has\":\"12\""));
}

/* How control left may be missing, or be no word of ours. */
Test(diff, how_control_left_may_be_anything)
{
    static const struct {
        const char *there; /* as long as what stands there */
        const char *told;
    } changes[] = {
        {"               ", "not recorded"},
        {"\"how\":\"\xe2\x80\xaercx\",", "\\u202ercx"},
    };
    const char *left = scratch(".a.jsonl"), *right = scratch(".b.jsonl");
    struct result result;
    struct buf text = {0};
    char *leave, *how;

    record(left, ARGS("-4"));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        buf_clear(&text);
        read_file(left, &text);
        leave = strstr((char *)buf_text(&text), "\"event\":\"leave\"");
        how = leave ? strstr(leave, "\"how\":\"return\",") : NULL;
        cr_assert(ne(ptr, how, NULL));
        memcpy(how, changes[i].there, strlen(changes[i].there));
        write_file(right, text.data, text.len, 0600);
        compares(left, right, "--format=json", 1, &result);
        cr_assert(contains(buf_text(&result.out), changes[i].told), "%s",
                  buf_text(&result.out));
        result_release(&result);
        compares(right, right, "--format=json", 0, &result);
        result_release(&result);
    }
    buf_release(&text);
    unlink(left);
    unlink(right);
}

/* --- a run ---------------------------------------------------------------- */

Test(diff, a_recording_and_a_run)
{
    const char *file = scratch(".jsonl");
    struct result result;

    record(file, ARGS("-4"));
    run(&(struct job){.argv = ARGS(JITTRACE, "--diff", file, "-4")}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    cr_assert(contains(buf_text(&result.out), "-3 -2 -1\n"));
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "--diff", file,
                                   "--", TRACEE("babyjit-O0"), "5")},
        &result);
    cr_assert(eq(int, result.status, 1), "%s", buf_text(&result.out));
    cr_assert(contains(buf_text(&result.err), "6 7 8\n"));
    cr_assert(lacks(buf_text(&result.out), "\n6 7 8\n"));
    result_release(&result);
    unlink(file);
}

Test(diff, what_cannot_be_read_is_trouble)
{
    const char *file = scratch(".jsonl");
    static const struct {
        const char *argv[6];
        int status;
        const char *words;
    } wrong[] = {
        {{"--diff", "Makefile", "Makefile"}, 2, "Makefile:1:"},
        {{"--diff", "nowhere", "nowhere"}, 2, "cannot read 'nowhere'"},
        {{"--diff", "FILE"}, EX_USAGE, "--diff takes two recordings"},
        {{"--diff"}, EX_USAGE, "needs a value"},
        {{"--diff", "FILE", "FILE", "FILE"}, EX_USAGE, "is too much"},
        {{"--diff", "FILE", "--check", "FILE"},
         EX_USAGE,
         "cannot be there with it"},
        {{"--diff", "FILE", "--format=raw", "FILE"}, EX_USAGE, "text or json"},
        {{"--diff", "FILE", "FILE", "-o", "FILE"}, 2, "cannot write to"},
        {{"--diff", "FILE", "--", "/nowhere"}, 2, "/nowhere"},
    };

    record(file, ARGS("-4"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *argv[8] = {JITTRACE};
        struct result result;

        for (int k = 0; k < 6; k++)
            argv[k + 1] =
                word_is(wrong[i].argv[k], "FILE") ? file : wrong[i].argv[k];
        run(&(struct job){.argv = argv}, &result);
        cr_assert(eq(int, result.status, wrong[i].status), "%s: %s",
                  wrong[i].words, buf_text(&result.err));
        cr_assert(contains(buf_text(&result.err), wrong[i].words), "%s",
                  buf_text(&result.err));
        result_release(&result);
    }
    unlink(file);
}
