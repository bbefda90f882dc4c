/* SPDX-License-Identifier: MIT */
/*
 * What a package brings besides the program: the manual page and what completes
 * options know what --help knows, and bash completes by it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/options.h"
#include "support/support.h"

TestSuite(manual, .timeout = 60);

/* What jittrace prints with that option. */
static void said(const char *option, struct result *result)
{
    run(&(struct job){.argv = ARGS(JITTRACE, option)}, result);
    cr_assert(eq(int, result->status, 0));
    cr_assert(eq(str, (char *)buf_text(&result->err), (char *)""));
}

/* The text with each blank space, whatever it is made of, as one blank, and
 * without what roff is told by a backslash. */
static void plain(const char *text, struct buf *out)
{
    bool blank = true;

    for (; *text; text++) {
        if (strncmp(text, "\\fB", 3) == 0 || strncmp(text, "\\fI", 3) == 0 ||
            strncmp(text, "\\fR", 3) == 0) {
            text += 2;
        } else if (*text == ' ' || *text == '\n') {
            if (!blank)
                buf_printf(out, " ");
            blank = true;
        } else if (strncmp(text, "\\&", 2) == 0) {
            text++;
        } else {
            blank = false;
            text += *text == '\\';
            buf_printf(out, "%c", *text);
        }
    }
}

Test(manual, page_says_what_help_says)
{
    struct result help, page;
    struct buf in_help = {0}, in_page = {0};
    struct option_text option;

    said("--help", &help);
    said("--generate=man", &page);
    plain(buf_text(&help.out), &in_help);
    plain(buf_text(&page.out), &in_page);
    for (size_t i = 0; options_text(i, &option); i++) {
        struct buf entry = {0}, words = {0};

        if (option.letter)
            buf_printf(&entry, "-%c, ", option.letter);
        buf_printf(&entry, "--%s%s%s %s", option.name,
                   option.argument ? "=" : "",
                   option.argument ? option.argument : "", option.help);
        if (option.is_budget)
            buf_printf(&entry, " (%llu)", (unsigned long long)option.value);
        plain(buf_text(&entry), &words);
        cr_assert(contains(buf_text(&in_help), buf_text(&words)));
        cr_assert(contains(buf_text(&in_page), buf_text(&words)));
        buf_release(&entry);
        buf_release(&words);
    }
    for (size_t i = 0; i < 6; i++) {
        const char *const prose[] = {help_prose.usage,    help_prose.about,
                                     help_prose.examples, help_prose.budgets,
                                     help_prose.operand,  help_prose.status};
        struct buf words = {0};

        plain(prose[i], &words);
        if (prose[i] == help_prose.operand) /* the page breaks it there */
            *strstr((char *)words.data, " jittrace --") = '\0';
        cr_assert(contains(buf_text(&in_page), (char *)words.data));
        buf_release(&words);
    }
    buf_release(&in_help);
    buf_release(&in_page);
    result_release(&help);
    result_release(&page);
}

Test(manual, shells_know_each_option)
{
    static const struct {
        const char *option;
        const char *form; /* of an option's name there */
    } shells[] = {
        {"--generate=bash", "--%s"},
        {"--generate=zsh", "--%s"},
        {"--generate=fish", "-l %s "},
    };
    struct option_text option;

    for (size_t shell = 0; shell < 3; shell++) {
        struct result result;

        said(shells[shell].option, &result);
        for (size_t i = 0; options_text(i, &option); i++) {
            char name[64];

            /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
            snprintf(name, sizeof name, shells[shell].form, option.name);
            cr_assert(contains(buf_text(&result.out), name));
            for (size_t k = 0; option.choices && option.choices[k]; k++)
                cr_assert(contains(buf_text(&result.out), option.choices[k]));
        }
        result_release(&result);
    }
}

/* What bash offers when the words of the command line are these; the last one
 * is being typed. */
static void completes(const char *words, const char *expected)
{
    struct result result;
    struct buf script = {0};

    buf_printf(&script,
               "source <('%s' --generate=bash); COMP_WORDS=(%s); "
               "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _jittrace; "
               "echo ${COMPREPLY[*]}",
               JITTRACE, words);
    run(&(struct job){.argv = ARGS("bash", "-c", buf_text(&script))}, &result);
    cr_assert(eq(str, (char *)buf_text(&result.err), (char *)""));
    cr_assert(eq(str, (char *)buf_text(&result.out), (char *)expected));
    buf_release(&script);
    result_release(&result);
}

Test(manual, bash_completes)
{
    completes("jittrace --list", "--list-lessons\n");
    completes("jittrace --form", "--format=\n");
    completes("jittrace --format = j", "json junit\n");
    completes("jittrace --format j", "json junit\n");
    completes("jittrace --lesson = baby", "babyjit\n");
    completes("jittrace --rule callee", "callee-saved\n");
    completes("jittrace --dump-code src/cl", "src/cli\n");
    completes("jittrace -o src/cli/opt",
              "src/cli/options.c src/cli/options.h\n");
    completes("jittrace --depth ''", "\n");
    completes("jittrace --step -- src/cli/man",
              "src/cli/manual.c src/cli/manual.h\n");
    completes("jittrace -- ls --form", "\n"); /* that is not ours to know */
}

Test(manual, generates_nothing_else)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--generate=tcsh")}, &result);
    cr_assert(eq(int, result.status, EX_USAGE));
    cr_assert(contains(buf_text(&result.err), "man, bash, zsh or fish"));
    result_release(&result);
}
