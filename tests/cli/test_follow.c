/* SPDX-License-Identifier: MIT */
/* -f and -ff: what is shown of several processes, and where it is written. */
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(follow, .timeout = 120);

#define FORKS    TRACEE("follow_fork")
#define SHARES   TRACEE("follow_shared")
#define DIVERGES TRACEE("follow_diverge")

/* What the command prints, which ends with status 0. */
static char *output_of(const char *const *argv)
{
    struct result result;
    char *text;

    run(&(struct job){.argv = argv, .seconds = 60}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    text = strdup(buf_text(&result.out));
    result_release(&result);
    return text;
}

static void refused(const char *const *argv, const char *why)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_expect(eq(int, result.status, EX_USAGE));
    cr_expect(contains(buf_text(&result.err), why), "%s",
              buf_text(&result.err));
    result_release(&result);
}

Test(follow, text_says_whose_each_line_is)
{
    char *text = output_of(ARGS(JITTRACE, "-f", "--", FORKS));
    const char *forked = strstr(text, "makes process ");

    cr_assert(ne(ptr, (void *)forked, NULL), "%s", text);
    for (const char *line = strchr(forked, '\n'); line && line[1];
         line = strchr(line + 1, '\n'))
        if (line[1] != '\n' && strncmp(line + 1, "child 12", 8) != 0)
            cr_expect(eq(int, strncmp(line + 1, "[pid ", 5), 0), "%s", line);
    cr_expect(contains(text, "It ended with status 12."));
    free(text);
    text = output_of(ARGS(JITTRACE, "-f", "--", TRACEE("across_pages")));
    cr_expect(lacks(text, "[pid "));
    free(text);
}

Test(follow, a_replay_tells_the_same)
{
    char name[] = "/tmp/jittrace-follow-XXXXXX";
    char *live, *again;

    close(mkstemp(name));
    free(output_of(
        ARGS(JITTRACE, "-f", "--format=json", "-o", name, "--", FORKS)));
    live = output_of(ARGS("cat", name));
    again = output_of(ARGS(JITTRACE, "--format=json", "--replay", name));
    cr_expect(eq(str, again, live));
    unlink(name);
    free(live);
    free(again);
}

Test(follow, who_names_the_process)
{
    char *text = output_of(ARGS(JITTRACE, "-f", "--who=1", "--", SHARES));
    const char *first = strstr(text, "process "), *second;

    cr_assert(ne(ptr, (void *)first, NULL), "%s", text);
    second = strstr(first + 8, "\nprocess ");
    cr_assert(ne(ptr, (void *)second, NULL), "%s", text);
    /* The parent's byte was stored by the child. */
    cr_expect(eq(int, atoi(first + 8) != atoi(second + 9), 1));
    first = strstr(first, "stored at main+");
    cr_assert(first && first < second, "%s", text);
    cr_expect(ne(ptr, (void *)strstr(first, "of\n"), (void *)first));
    cr_expect(contains(text, "follow_shared.c:40"));
    free(text);
}

Test(follow, a_file_for_each_process)
{
    char name[] = "/tmp/jittrace-follow-XXXXXX", pattern[64];
    glob_t files;

    close(mkstemp(name));
    unlink(name);
    free(output_of(
        ARGS(JITTRACE, "-ff", "--format=json", "-o", name, "--", FORKS)));
    cr_expect(lt(int, access(name, F_OK), 0));
    snprintf(pattern, sizeof pattern, "%s.*", name);
    cr_assert(eq(int, glob(pattern, 0, NULL, &files), 0));
    cr_expect(eq(sz, files.gl_pathc, 2));
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *text = output_of(ARGS(JITTRACE, "--replay", files.gl_pathv[i]));

        cr_expect(contains(text, "mov eax, 5"), "%s", text);
        cr_expect(lacks(text, "[pid "));
        unlink(files.gl_pathv[i]);
        free(text);
    }
    globfree(&files);
}

/* A recording of the run that -f makes of the tracee. */
static const char *recorded(const char *tracee)
{
    const char *name = scratch("-follow.json");

    free(output_of(
        ARGS(JITTRACE, "-f", "--format=json", "-o", name, "--", tracee)));
    return name;
}

/* The files FILE.PID, sorted, how many there must be. */
static void find_files(const char *name, size_t count, glob_t *files)
{
    char pattern[PATH_MAX];

    snprintf(pattern, sizeof pattern, "%s.*", name);
    cr_assert(eq(int, glob(pattern, 0, NULL, files), 0));
    cr_assert(eq(sz, files->gl_pathc, count));
}

Test(follow, a_recording_has_its_processes_with_and_without)
{
    const char *file = recorded(FORKS);
    char *text = output_of(ARGS(JITTRACE, "--replay", file));
    char *with = output_of(ARGS(JITTRACE, "-f", "--replay", file));

    cr_expect(eq(str, with, text));
    free(text);
    free(with);
}

/* What a child began with is in its file, also where its parent has run another
 * program since. */
Test(follow, a_recording_is_split)
{
    const char *file = recorded(DIVERGES), *parts = scratch("-parts");
    struct result result;
    glob_t files;

    free(output_of(
        ARGS(JITTRACE, "-ff", "--format=json", "-o", parts, "--replay", file)));
    find_files(parts, 2, &files);
    for (size_t i = 0; i < 2; i++) {
        char *text = output_of(ARGS(JITTRACE, "--replay", files.gl_pathv[i]));

        cr_expect(contains(text, "mov eax, 5"), "%s", text);
        free(text);
        /* It would be written over while it is read. */
        run(&(struct job){.argv = ARGS(JITTRACE, "-ff", "--format=json", "-o",
                                       parts, "--replay", files.gl_pathv[i])},
            &result);
        cr_expect(eq(int, result.status, EX_CANTCREAT));
        cr_expect(contains(buf_text(&result.err), "it is the recording"));
        result_release(&result);
    }
    for (size_t i = 0; i < 2; i++)
        unlink(files.gl_pathv[i]);
    globfree(&files);
}

/* The byte is 9 in the parent and 7 in its child. */
Test(follow, a_byte_is_one_of_a_process)
{
    const char *file = recorded(DIVERGES);
    char *text = output_of(ARGS(JITTRACE, "--who=1", "--replay", file));
    const char *nine = strstr(text, "05 -> 09"), *seven;
    struct result result;

    seven = strstr(text, "05 -> 07");
    cr_assert(nine && seven, "%s", text);
    cr_expect(contains(text, ", before it ran another program"));
    cr_expect(eq(ptr, (void *)strstr(nine + 1, "05 -> 09"), NULL), "%s", text);
    free(text);

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--plain",
                                          "--replay", file)},
               "/mov eax, 9\nw 1\n/mov eax, 7\nw 1\nB\nq\n", &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    expect_in_order(&result.out,
                    ARGS("mov eax, 9", "process ", ": 09", "05 -> 09",
                         "mov eax, 7", "process ", ": 07", "00 -> 05",
                         "05 -> 07", "code[1] = 0x07"));
    nine = strstr(buf_text(&result.out), ": 07");
    cr_expect(lacks(nine, "-> 09"), "%s", nine);
    result_release(&result);
}

Test(follow, code_of_each_process_is_dumped)
{
    const char *dir = scratch("-code");
    struct buf command = {0};
    char *text;

    buf_printf(&command, "rm -rf '%s'", dir);
    cr_assert(eq(int, system(buf_text(&command)), 0));
    free(output_of(ARGS(JITTRACE, "-f", "--dump-code", dir, "-o", "/dev/null",
                        "--", DIVERGES)));
    text = output_of(ARGS("sh", "-c",
                          "cd $0 && xxd -p -c8 *-g1.bin && xxd -p -c8 *-g2.bin "
                          "&& cd [0-9]*[0-9]/ && xxd -p -c8 *-g1.bin && "
                          "xxd -p -c8 *-g2.bin && grep -c bin: index.txt "
                          "../index.txt",
                          dir));
    cr_expect(eq(str, text,
                 "b805000000c3\nb809000000c3\nb805000000c3\nb807000000c3\n"
                 "index.txt:2\n../index.txt:2\n"));
    free(text);
    text = output_of(ARGS("tail", "-n1", scratch("-code/index.txt")));
    cr_expect(contains(text, "/index.txt: the code of process "), "%s", text);
    free(text);
    /* What is only inherited is the parent's. */
    cr_assert(eq(int, system(buf_text(&command)), 0));
    free(output_of(ARGS(JITTRACE, "-f", "--dump-code", dir, "-o", "/dev/null",
                        "--", TRACEE("follow_exec"))));
    text = output_of(ARGS("sh", "-c", "find $0 -name '*.bin' | wc -l", dir));
    cr_expect(eq(int, atoi(text), 4));
    free(text);
    cr_assert(eq(int, system(buf_text(&command)), 0));
    buf_release(&command);
}

/* Of a process of which nothing is left it is not said that it did nothing. */
Test(follow, the_last_events_of_several)
{
    char *text = output_of(ARGS(JITTRACE, "-f", "--last=4", "--", FORKS));
    const char *first = strstr(text, "not watched: 8 events before these");

    cr_assert(ne(ptr, (void *)first, NULL), "%s", text);
    cr_expect(contains(first, "] not watched: 2 events before these"));
    cr_expect(lacks(text, "No generated code"));
    cr_expect(lacks(text, "printed nothing"));
    cr_expect(contains(text, "printed, in these events:"));
    free(text);
    text = output_of(ARGS(JITTRACE, "-f", "--check", "--last=4", "--", FORKS));
    cr_expect(lacks(text, "broken"), "%s", text);
    free(text);
}

/* A pair of them cannot be told. */
Test(follow, several_processes_are_not_compared)
{
    const char *file = recorded(FORKS);
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--diff", file, file)}, &result);
    cr_expect(eq(int, result.status, 2));
    cr_expect(contains(buf_text(&result.err), "of several processes"));
    result_release(&result);
}

Test(follow, what_does_not_go_together)
{
    refused(ARGS(JITTRACE, "-ff", "--", "true"), "-o FILE");
    refused(ARGS(JITTRACE, "-ff", "-o", "x", "--who=1", "--", "true"), "--who");
    refused(ARGS(JITTRACE, "-ff", "--replay=x"), "-o FILE");
    refused(ARGS(JITTRACE, "-f", "--format=perf-map", "--", "true"), "-ff");
    refused(ARGS(JITTRACE, "-fx", "--", "true"), "no value");
}

/* As many processes at once as make(1) likes. */
Test(follow, make_builds_as_it_does_alone)
{
    static const char script[] =
        "d=$(mktemp -d) && cd $d && printf 'all: a b c d e f\\n"
        "a b c d e f:\\n\\t@sh -c \"cat /dev/null; echo $@ > $@\"\\n' > "
        "Makefile "
        "&& \"$@\" make -s -j4 && cat a b c d e f && rm -r $d";
    char jittrace[512], *alone, *followed;

    if (access("/usr/bin/make", X_OK) < 0)
        cr_skip("make is not there");
    cr_assert(ne(ptr, realpath(JITTRACE, jittrace), NULL));
    alone = output_of(ARGS("sh", "-c", script, "sh", "env"));
    followed = output_of(ARGS("sh", "-c", script, "sh", jittrace, "-f", "-o",
                              "/dev/null", "--"));
    cr_expect(eq(str, followed, alone));
    free(alone);
    free(followed);
}
