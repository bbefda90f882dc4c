/* SPDX-License-Identifier: MIT */
/*
 * The lesson programs, as they stand in lessons/ and as jittrace carries them:
 * every one of them is listed, runs and is traced, and a new one needs no line
 * here.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/lesson.h"
#include "support/support.h"

TestSuite(lessons, .timeout = 120);

static void expect_result(const char *const *argv, int status, const char *out,
                          const char *err)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    if (out)
        cr_assert(eq(str, (char *)buf_text(&result.out), (char *)out));
    if (err)
        cr_assert(eq(str, (char *)buf_text(&result.err), (char *)err));
    result_release(&result);
}

/* --- the list ------------------------------------------------------------ */

/* Each lessons/NN-name/name.c is bundled, and nothing else. */
Test(lessons, all_programs_are_bundled)
{
    size_t count = 0;
    glob_t found;

    cr_assert(eq(int, glob("lessons/[0-9][0-9]-*", 0, NULL, &found), 0));
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *directory = strrchr(found.gl_pathv[i], '/') + 1;
        const struct lesson *lesson = lesson_find(directory);
        struct buf source = {0};
        char file[256];

        snprintf(file, sizeof file, "%s/%s.c", found.gl_pathv[i],
                 directory + 3);
        if (access(file, F_OK) != 0)
            continue;
        cr_assert(ne(ptr, (void *)lesson, NULL), "%s", file);
        cr_assert(eq(ptr, (void *)lesson_at(count++), (void *)lesson));
        cr_assert(eq(ptr, (void *)lesson_find(lesson->name), (void *)lesson));
        read_file(file, &source);
        cr_assert(eq(sz, source.len, lesson->source_len));
        cr_assert(eq(int, memcmp(source.data, lesson->source, source.len), 0));
        buf_release(&source);
    }
    cr_assert(eq(ptr, (void *)lesson_at(count), NULL));
    cr_assert(ge(sz, count, 1));
    globfree(&found);
}

Test(lessons, are_listed_with_a_sentence_each)
{
    static const char babyjit[] = "06  babyjit           a whole just-in-time "
                                  "compiler, as small as one can be.\n";
    struct result result;
    size_t lines = 0;
    char *rest, *line;

    run(&(struct job){.argv = ARGS(JITTRACE, "--list-lessons")}, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), babyjit), "%s",
              buf_text(&result.out));
    rest = (char *)buf_text(&result.out);
    while ((line = strsep(&rest, "\n")) != NULL && *line) {
        cr_assert(eq(chr, line[strlen(line) - 1], '.'), "%s", line);
        cr_assert(le(sz, strlen(line), 80), "%s", line);
        cr_assert(ne(ptr, (void *)lesson_at(lines++), NULL));
    }
    cr_assert(eq(ptr, (void *)lesson_at(lines), NULL));
    result_release(&result);
    expect_result(ARGS(JITTRACE, "--list-lessons", "1", "2"), 0, NULL, "");
}

/* --- tracing them -------------------------------------------------------- */

struct number {
    size_t index;
};

ParameterizedTestParameters(lessons, program)
{
    static struct number numbers[100];
    size_t count = 0;

    while (lesson_at(count) && count < 100) {
        numbers[count].index = count;
        count++;
    }
    return cr_make_param_array(struct number, numbers, count);
}

/* Without an argument, which some refuse: what it does must be the same. The
 * baby JIT is given the TERM that may be left out. */
ParameterizedTest(struct number *number, lessons, program)
{
    const struct lesson *lesson = lesson_at(number->index);
    struct result alone;
    struct store store;
    char program[256];

    snprintf(program, sizeof program, "%s/lessons/%s/%s", BUILD_DIR,
             lesson->directory, lesson->name);
    run(&(struct job){.argv = strcmp(lesson->name, "babyjit")
                                  ? ARGS(program)
                                  : ARGS(program, "1")},
        &alone);
    struct result traced;

    trace(&(struct job){.argv = ARGS("--lesson", lesson->directory)}, &store,
          &traced);
    cr_assert(eq(int, traced.status, alone.status), "%s", program);
    cr_assert(
        eq(str, (char *)buf_text(&traced.err), (char *)buf_text(&alone.err)));
    cr_assert(eq(str, (char *)store_event(&store, 0)->start.argv.list[0],
                 (char *)lesson->name));
    store_release(&store);
    result_release(&traced);
    result_release(&alone);
}

static void expect_operands(const char *const *argv, const char *out)
{
    struct store store;
    struct result result;

    trace(&(struct job){.argv = argv}, &store, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), (char *)out));
    store_release(&store);
    result_release(&result);
}

Test(lessons, operands_are_the_programs)
{
    static const char refusal[] =
        "babyjit: 2 arguments given, but it takes one: "
        "babyjit TERM, for example babyjit -4\n";

    expect_operands(ARGS("--lesson", "babyjit", "-4"), "-3 -2 -1\n");
    expect_operands(ARGS("--lesson=06-babyjit", "-4"), "-3 -2 -1\n");
    expect_operands(ARGS("--lesson=babyjit", "--", "-4"), "-3 -2 -1\n");
    expect_operands(ARGS("-4", "--lesson=babyjit"), "-3 -2 -1\n");
    expect_operands(ARGS("--lesson=babyjit", "5", "--max-steps=3"), "6 7 8\n");
    expect_operands(ARGS("--lesson=06", "-4"), "-3 -2 -1\n");
    expect_operands(ARGS("--lesson", "6", "-4"), "-3 -2 -1\n");
    /* As without --lesson, TERM is 1 then. */
    expect_operands(ARGS("--lesson", "6"), "2 3 4\n");
    expect_operands(ARGS("--lesson=babyjit"), "2 3 4\n");
    expect_result(ARGS(JITTRACE, "-o", "/dev/null", "--lesson=babyjit", "1",
                       "-o", "/dev/null", "2"),
                  64, "", refusal);
    expect_result(ARGS(JITTRACE, "--lesson=babyjit", "-o", "/dev/null", "1",
                       "--", "--step"),
                  64, "", refusal);
}

static void expect_part(const char *const *argv, const char *part)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(contains(buf_text(&result.out), part), "%s",
              buf_text(&result.out));
    result_release(&result);
}

Test(lessons, are_shown_in_every_way)
{
    expect_part(ARGS(JITTRACE, "--lesson=babyjit", "-4"),
                "babyjit.c:77  code[3] = (uint8_t)imm;");
    expect_part(ARGS(JITTRACE, "--lesson=babyjit", "-4", "--who=3"),
                "00 -> fc  stored");
    expect_part(ARGS(JITTRACE, "--lesson=babyjit", "-4", "--format=json"),
                "\"argv\":[\"babyjit\",\"-4\"]");
    expect_result(ARGS("sh", "-c",
                       JITTRACE
                       " --lesson=babyjit -4 --format=raw 2>&- | xxd -p"),
                  0, "48c7c0fcffffff4801f8c3\n", "");
    expect_result(ARGS("sh", "-c",
                       "printf '\\nq\\n' | " JITTRACE
                       " --step --plain --lesson=babyjit -4 | grep -c -e "
                       "'babyjit -4'"),
                  0, NULL, "");
}

/* A recording of a program that died, with other words in its first line. */
static void expect_advice(const char *name, const char *exe, const char *advice)
{
    const char *file = scratch(".jsonl");
    char command[1024];

    snprintf(command, sizeof command,
             "%s --format=json -- %s 2>&- | sed '1s,\"argv\":\\[[^]]*\\],"
             "\"argv\":[\"%s\"],; 1s,\"exe\":\"[^\"]*\",\"exe\":\"%s\",' "
             ">%s && %s --replay=%s",
             JITTRACE, TRACEE("die_rw"), name, exe, file, JITTRACE, file);
    expect_part(ARGS("sh", "-c", command), advice);
    unlink(file);
}

Test(lessons, a_crash_of_one_says_how_to_start_it_again)
{
    expect_advice("/bin/die", "/bin/die",
                  "`jittrace --step -- /bin/die`, then");
    expect_advice("page", "/memfd:page (deleted)",
                  "`jittrace --step --lesson page`,");
    expect_advice("pag", "/memfd:page (deleted)", "jittrace --step, then");
    expect_advice("page", "/memfd:pag (deleted)", "jittrace --step, then");
}
