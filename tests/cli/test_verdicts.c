/* SPDX-License-Identifier: MIT */
/*
 * --check from the outside: what it tells of programs that break a rule, in
 * each form, and the status it ends with. What each rule finds is in the
 * tracees: see their "reports: verdict" lines.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "check/rules.h"
#include "support/support.h"

TestSuite(verdicts, .timeout = 120);

#define BROKEN TRACEE("broken_callee_saved")

static void check(const char *const *argv, int status, struct result *result)
{
    run(&(struct job){.argv = argv}, result);
    cr_assert(eq(int, result->status, status), "%s%s", buf_text(&result->out),
              buf_text(&result->err));
}

/* The command ends with that status and its output has these words. */
static void tells(const char *const *argv, int status, const char *words)
{
    struct result result;

    check(argv, status, &result);
    cr_assert(contains(buf_text(&result.out), words), "%s",
              buf_text(&result.out));
    result_release(&result);
}

static void refuses(const char *const *argv, const char *words)
{
    struct result result;

    check(argv, EX_USAGE, &result);
    cr_assert(contains(buf_text(&result.err), words), "%s",
              buf_text(&result.err));
    result_release(&result);
}

/* --- the page ------------------------------------------------------------ */

Test(verdicts, the_page_has_the_table_of_rules)
{
    struct buf page = {0}, table = {0};

    buf_append_text(&table, "<!-- rules -->\n"
                            "| rule | broken when | why | what to do |\n"
                            "|---|---|---|---|\n");
    for (int rule = 0; rule < RULES; rule++) {
        const struct rule_text *text = &rule_texts[rule];

        buf_printf(&table, "| `%s`%s | %s | %s | %s |\n", text->name,
                   text->is_note ? " (a note)" : "", text->meaning, text->why,
                   text->mend);
    }
    buf_append_text(&table, "<!-- /rules -->\n");
    read_file("docs/verdicts.md", &page);
    cr_assert(contains(buf_text(&page), buf_text(&table)),
              "docs/verdicts.md must have:\n%s", buf_text(&table));
    buf_release(&page);
    buf_release(&table);
}

/* --- what is meant -------------------------------------------------------- */

Test(verdicts, nothing_is_said_of_what_is_meant)
{
    tells(ARGS(JITTRACE, "--check", "--strict", "--rule=lost-value",
               "--rule=operand-size", "--rule=shift-count",
               "--rule=set-before-use", "--", TRACEE("doubts_meant")),
          0, "lost-value          ok\n");
    tells(ARGS(JITTRACE, "--check", "--rule=set-before-use", "--",
               TRACEE("asm_passes")),
          0, "The program ended with status 0.");
}

/* --- forms --------------------------------------------------------------- */

Test(verdicts, the_status_says_whether_all_was_held)
{
    tells(ARGS(JITTRACE, "--check", "--", BROKEN), 1,
          "\ncallee-saved        broken  code[0..4]  mov ebx, 7");
    tells(ARGS(JITTRACE, "--check", "1"), 0, "\nThe program ended with status");
    tells(ARGS(JITTRACE, "--check", "--rule=stack-balanced", "--", BROKEN), 0,
          "stack-balanced      ok\n");
    tells(ARGS(JITTRACE, "--check", "--abi=none", "--", BROKEN), 0,
          "The program ended with status 0.");
    tells(ARGS(JITTRACE, "--check", "--", TRACEE("die_return")), 1,
          "The program was killed by signal 11 SIGSEGV.");
}

Test(verdicts, only_the_rules_asked_for_are_told)
{
    struct result result;

    check(ARGS(JITTRACE, "--check", "--rule=races", "--rule=result", "1"), 0,
          &result);
    cr_assert(lacks(buf_text(&result.out), "callee-saved"));
    cr_assert(contains(buf_text(&result.out), "races "));
    cr_assert(contains(buf_text(&result.out), "result "));
    result_release(&result);
}

Test(verdicts, what_may_be_meant_is_broken_if_strict)
{
    tells(ARGS(JITTRACE, "--check", "--rule=w-xor-x", "--", TRACEE("rwx")), 0,
          "w-xor-x             note");
    tells(ARGS(JITTRACE, "--check", "--rule=w-xor-x", "--strict", "--",
               TRACEE("rwx")),
          1, "w-xor-x             broken");
    tells(ARGS(JITTRACE, "--check", "--rule=result", "--",
               TRACEE("broken_result")),
          0, "result              note  code[0..3]  addsd xmm0, xmm0");
    tells(ARGS(JITTRACE, "--check", "--rule=unmapped-at-exit", "--strict", "--",
               BROKEN),
          1, "unmapped-at-exit    broken");
    tells(ARGS(JITTRACE, "--check", "--rule=names", "--", TRACEE("unnamed")), 0,
          "names               note  code[0..4]");
    tells(ARGS(JITTRACE, "--check", "--rule=names", "--strict", "--",
               TRACEE("unnamed")),
          1, "names               broken  code[0..4]");
}

/* In one rule there are both: what harms no reader is a note. */
Test(verdicts, names_that_are_wrong_or_odd)
{
    tells(ARGS(JITTRACE, "--check", "--rule=names", "--", TRACEE("jitdump")), 0,
          "names               ok\n");
    tells(ARGS(JITTRACE, "--check", "--rule=names", "--", TRACEE("rwx")), 0,
          "names               not seen  nothing ran that it is about");
    tells(ARGS(JITTRACE, "--check", "--rule=names", "--",
               TRACEE("broken_names_place")),
          1, "names               note  line 1 of /tmp/perf-");
    tells(ARGS(JITTRACE, "--check", "--rule=names", "--",
               TRACEE("broken_names_version")),
          1, "says that it is of version 2,");
}

Test(verdicts, what_was_not_watched_is_not_ok)
{
    tells(ARGS(JITTRACE, "--check", "--max-steps=1", "--", BROKEN), 0,
          "callee-saved        not seen  not all was watched");
    tells(ARGS(JITTRACE, "--check", "--max-steps=0", "--", BROKEN), 0,
          "callee-saved        not seen");
}

Test(verdicts, a_replay_tells_the_same)
{
    const char *file = scratch(".jsonl");
    struct result live, replayed;

    check(ARGS(JITTRACE, "--format=json", "-o", file, "--", BROKEN), 0, &live);
    result_release(&live);
    check(ARGS(JITTRACE, "--check", "--format=json", "--replay", file), 1,
          &live);
    cr_assert(contains(buf_text(&live.out),
                       "\"rule\":\"callee-saved\",\"verdict\":\"broken\""));
    check(ARGS(JITTRACE, "--format=json", "--replay", file), 0, &replayed);
    result_release(&live);
    read_file(file, &live.out); /* with the verdicts of the live one */
    cr_assert(
        eq(str, (char *)buf_text(&live.out), (char *)buf_text(&replayed.out)));
    buf_release(&live.out);
    result_release(&replayed);
    remove(file);
}

Test(verdicts, for_machines)
{
    tells(ARGS(JITTRACE, "--check", "--format=github", "--", BROKEN), 1,
          "::error file=code.h,line=");
    tells(ARGS(JITTRACE, "--check", "--format=github", "--", BROKEN), 1,
          ",title=callee-saved::code[0] mov ebx, 7: rbx was 0x");
    tells(ARGS(JITTRACE, "--check", "--format=junit", "--", BROKEN), 1,
          "<testcase classname=\"jittrace\" name=\"callee-saved code[0]\"");
    tells(ARGS(JITTRACE, "--check", "--format=junit", "--", BROKEN), 1,
          "</testsuite>\n");
    tells(ARGS(JITTRACE, "--check", "--format=json", "--", BROKEN), 1,
          "\"event\":\"exit\"");
}

/* --- a wrong command line ------------------------------------------------ */

Test(verdicts, what_does_not_go_together)
{
    refuses(ARGS(JITTRACE, "--check", "--format=raw", "1"), "not raw");
    refuses(ARGS(JITTRACE, "--check", "--step", "1"), "--step");
    refuses(ARGS(JITTRACE, "--format=junit", "1"), "--check");
    refuses(ARGS(JITTRACE, "--abi=x", "1"), "sysv");
    refuses(ARGS(JITTRACE, "--rule=x", "1"), "w-xor-x, executable,");
}
