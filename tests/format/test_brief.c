/* SPDX-License-Identifier: MIT */
/*
 * --brief: verdicts, how it ended, and of a crash the last events and why.
 */
#include "format/format.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(brief, .timeout = 60);

/* What it writes to a file; released by its user. */
static struct buf brief(const char *const *argv, int status)
{
    struct buf text = {0};
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    result_release(&result);
    read_file(scratch(".txt"), &text);
    unlink(scratch(".txt"));
    return text;
}

static void must_have(struct buf *text, const char *words)
{
    cr_assert(contains(buf_text(text), words), "no \"%s\" in:\n%s", words,
              buf_text(text));
}

static unsigned how_often(const char *text, const char *words)
{
    unsigned found = 0;

    for (; (text = strstr(text, words)); text += strlen(words))
        found++;
    return found;
}

Test(brief, a_crash)
{
    const char *file = strdup(scratch(".txt"));
    struct buf text = brief(
        ARGS(JITTRACE, "--brief", "-o", file, "--", TRACEE("die_refused")),
        139);

    cr_assert(eq(int, strncmp(buf_text(&text), "executable ", 11), 0));
    must_have(&text, "\n\nThe last events ");
    must_have(&text, "\n    4  mprotect(0x");
    must_have(&text, "\nIt was killed by signal 11 SIGSEGV.\nwhat   mprotect ");
    cr_assert(lt(uint, how_often(buf_text(&text), "\n"), 30));
    buf_release(&text);
    free((void *)file);
}

Test(brief, a_crash_that_is_replayed)
{
    const char *file = strdup(scratch(".txt")), *json = strdup(scratch(".j"));
    struct buf text, again, recorded;

    recorded = brief(ARGS("/bin/sh", "-c",
                          JITTRACE " --format=json -o \"$1\" -- " TRACEE(
                              "die_pops") " ; echo done > \"$2\"",
                          "sh", json, file),
                     0);
    text = brief(ARGS(JITTRACE, "--brief", "-o", file, "--replay", json), 0);
    again = brief(ARGS(JITTRACE, "--brief", "-o", file, "--replay", json), 0);
    cr_assert(eq(str, (char *)buf_text(&text), (char *)buf_text(&again)));
    must_have(&text, "not for its caller but for 0x2.\n");
    must_have(&text, "ran 2 times, pop rax at code[6]");
    buf_release(&recorded);
    buf_release(&text);
    buf_release(&again);
    unlink(json);
    free((void *)file);
    free((void *)json);
}

/* The whole text has the same four lines where the signal came. */
Test(brief, a_crash_that_the_program_handles)
{
    static const char what[] =
        "what   The CPU ran off the end of the code (signal 11 SIGSEGV, "
        "handled by the\n       program).\n";
    const char *file = strdup(scratch(".txt"));
    struct buf text = brief(
        ARGS(JITTRACE, "--brief", "-o", file, "--", TRACEE("handled_crash")),
        1);

    must_have(&text, what);
    must_have(&text, "\n\nIt ended with status 1.\n");
    buf_release(&text);
    text = brief(ARGS(JITTRACE, "-o", file, "--", TRACEE("handled_crash")), 1);
    cr_assert(eq(uint, how_often(buf_text(&text), what), 1));
    buf_release(&text);
    free((void *)file);
}

Test(brief, nothing_to_tell)
{
    const char *file = strdup(scratch(".txt"));
    struct buf text = brief(ARGS(JITTRACE, "--brief", "-o", file, "1"), 0);

    cr_assert(eq(str, (char *)buf_text(&text), "It ended with status 0.\n"));
    buf_release(&text);
    free((void *)file);
}

Test(brief, no_other_form_is_brief)
{
    static const char *const others[] = {"--format=json", "--format=raw",
                                         "--step", "--who=3", "--check"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct result result;

        run(&(struct job){.argv = ARGS(JITTRACE, "--brief", others[i], "1")},
            &result);
        cr_expect(eq(int, result.status, EX_USAGE), "%s", others[i]);
        cr_expect(contains(buf_text(&result.err), "--brief is a short form"));
        result_release(&result);
    }
}
