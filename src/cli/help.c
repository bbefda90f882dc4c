/* SPDX-License-Identifier: MIT */
/*
 * What --help says, and --list-lessons.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/lesson.h"
#include "cli/options.h"

const struct help_prose help_prose = {
    .usage = "jittrace [OPTION]... [TERM]\n"
             "jittrace [OPTION]... --lesson=NAME [ARG]...\n"
             "jittrace [OPTION]... [--] PROGRAM [ARG]...\n"
             "jittrace [OPTION]... --replay=FILE\n"
             "jittrace [OPTION]... --diff FILE FILE\n"
             "jittrace [OPTION]... --diff FILE -- PROGRAM [ARG]...\n",
    .about = "Show what a just-in-time compiler does, as it happens: the page "
             "it\n"
             "asks for, every byte it stores there, the flip from writable to\n"
             "executable, the call, and each instruction the CPU then runs.\n",
    .examples =
        "  jittrace 1                trace the bundled baby JIT, adding 1\n"
        "  jittrace -4               a minus sign and digits is a TERM\n"
        "  jittrace ./my-jit -4      trace a program of yours\n"
        "  jittrace --step -4        step through it, back and forth\n"
        "  jittrace --lesson page    trace another program of the lessons\n",
    .budgets =
        "What is watched, at most; then the program runs on at full speed and\n"
        "the trace says so. N is a whole number, 0 for none at all:\n",
    .operand =
        "TERM is a whole number from -2147483648 to 2147483647; 1 is the\n"
        "default. PROGRAM is one with a slash in its name, or comes behind "
        "--;\n"
        "what follows it is its own. A trace that is no text, on standard\n"
        "output, moves the program's own output to standard error:\n"
        "  jittrace --format=raw 1 | xxd -g1\n",
    .status =
        "Exit status: the program's own; 128+N if signal N killed it; 126\n"
        "if it cannot be run or traced here, 127 if it was not found; 64\n"
        "for a wrong command line, 65 or 66 for a recording that is damaged\n"
        "or not there, 71 if the system forbids tracing, 73 if the file of\n"
        "-o or the directory of --dump-code cannot be made, 74 if they cannot\n"
        "be written. --step ends the program if it still runs, and then the\n"
        "status is 0; that of --play is 0, or 65 if it read from a pipe what\n"
        "it could not understand.\n",
};

/* Columns in front of what is said of an option, and of a budget. */
#define HELP_COLUMN   23
#define BUDGET_COLUMN 27

void options_help(FILE *out)
{
    struct option_text text;
    bool had_budgets = false;

    for (const char *line = help_prose.usage; *line;) {
        int length = (int)strcspn(line, "\n") + 1;

        fprintf(out, "%s%.*s", line == help_prose.usage ? "Usage: " : "       ",
                length, line);
        line += length;
    }
    fprintf(out, "%s\n%s\nOptions:\n", help_prose.about, help_prose.examples);
    for (size_t i = 0; options_text(i, &text); i++) {
        int column = text.is_budget ? BUDGET_COLUMN : HELP_COLUMN;

        if (text.is_budget && !had_budgets)
            fprintf(out, "\n%s", help_prose.budgets);
        had_budgets |= text.is_budget;
        column -= text.letter ? fprintf(out, "  -%c, ", text.letter)
                              : fprintf(out, "      ");
        column -= fprintf(out, "--%s%s%s", text.name, text.argument ? "=" : "",
                          text.argument ? text.argument : "");
        fprintf(out, "%*s", column, "");
        for (const char *c = text.help; *c; c++) {
            fputc(*c, out);
            if (*c == '\n')
                fprintf(out, "%*s", HELP_COLUMN, "");
        }
        if (text.is_budget)
            fprintf(out, " (%" PRIu64 ")", text.value);
        fputs("\n", out);
    }
    fprintf(out, "\n%s\n%s", help_prose.operand, help_prose.status);
}

void options_list_lessons(FILE *out)
{
    const struct lesson *lesson;

    for (size_t i = 0; (lesson = lesson_at(i)) != NULL; i++)
        fprintf(out, "%.2s  %-17s %s\n", lesson->directory, lesson->name,
                lesson->about);
}
