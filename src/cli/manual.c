/* SPDX-License-Identifier: MIT */
#include "cli/manual.h"

#include <inttypes.h>
#include <string.h>

#include "check/check.h"
#include "cli/lesson.h"

/* --- the page ------------------------------------------------------------- */

/* In roff a backslash begins an escape, a minus sign may become a hyphen, and a
 * line that begins with a dot or an apostrophe is a request. */
static void roff(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';

        if (begins && (text[i] == '.' || text[i] == '\''))
            fputs("\\&", out);
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

static void section(FILE *out, const char *name, const char *text)
{
    fprintf(out, ".SH %s\n", name);
    roff(out, text, strlen(text));
}

/* Lines that are commands stay lines. */
static void lines(FILE *out, const char *name, const char *text)
{
    fprintf(out, ".SH %s\n.nf\n", name);
    roff(out, text, strlen(text));
    fputs(".fi\n", out);
}

static void page_option(FILE *out, const struct option_text *option)
{
    fputs(".TP\n", out);
    if (option->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", out);
    roff(out, option->name, strlen(option->name));
    fputs("\\fR", out);
    if (option->argument)
        fprintf(out, "=\\fI%s\\fR", option->argument);
    fputc('\n', out);
    roff(out, option->help, strlen(option->help));
    if (option->is_budget)
        fprintf(out, " (%" PRIu64 ")", option->value);
    fputc('\n', out);
}

static void page(FILE *out)
{
    const struct help_prose *prose = &help_prose;
    /* Its last paragraph is commands, whose lines begin with blanks. */
    size_t words =
        (size_t)(strstr(prose->operand, "\n  ") + 1 - prose->operand);
    struct option_text option;
    bool had_budgets = false;

    fputs(".TH JITTRACE 1 \"\" \"jittrace " JITTRACE_VERSION
          "\" \"User Commands\"\n.SH NAME\n"
          "jittrace \\- show what a just\\-in\\-time compiler does\n",
          out);
    lines(out, "SYNOPSIS", prose->usage);
    section(out, "DESCRIPTION", prose->about);
    lines(out, "EXAMPLES", prose->examples);
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; options_text(i, &option); i++) {
        if (option.is_budget && !had_budgets)
            section(out, "LIMITS", prose->budgets);
        had_budgets |= option.is_budget;
        page_option(out, &option);
    }
    fputs(".SH OPERANDS\n", out);
    roff(out, prose->operand, words);
    fputs(".PP\n.nf\n", out);
    roff(out, prose->operand + words, strlen(prose->operand + words));
    fputs(".fi\n", out);
    section(out, "EXIT STATUS", prose->status);
    fputs(".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n"
          "if it is set and not empty, nothing is coloured unless "
          "\\-\\-color=always asks for it\n"
          ".TP\n.B JITTRACE_THEME\n"
          "what \\-\\-theme is where that is not given\n"
          ".TP\n.B COLORFGBG\n"
          "set by some terminals: whether their background is light\n"
          ".SH SEE ALSO\n"
          ".BR gdb (1),\n.BR objdump (1),\n.BR strace (1),\n.BR mmap (2),\n"
          ".BR mprotect (2),\n.BR ptrace (2)\n.PP\n"
          "The course, the format of traces and the limits of what can be "
          "seen are in the documentation that is installed with it.\n",
          out);
}

/* --- completion ----------------------------------------------------------- */

/* What can be typed behind an option, if it is known. */
static void words_of(FILE *out, const struct option_text *option)
{
    const struct lesson *lesson;

    if (strcmp(option->name, "lesson") == 0)
        for (size_t i = 0; (lesson = lesson_at(i)) != NULL; i++)
            fprintf(out, "%s%s", i ? " " : "", lesson->name);
    else if (strcmp(option->name, "rule") == 0)
        for (int i = 0; i < RULES; i++)
            fprintf(out, "%s%s", i ? " " : "", rule_texts[i].name);
    else
        for (size_t i = 0; option->choices && option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
}

static bool has_words(const struct option_text *option)
{
    return option->choices || strcmp(option->name, "lesson") == 0 ||
           strcmp(option->name, "rule") == 0;
}

static bool takes(const struct option_text *option, const char *what)
{
    return option->argument && strcmp(option->argument, what) == 0;
}

/* The first line of its help, without what the shell quotes. */
static void hint(FILE *out, const char *help)
{
    for (const char *c = help; *c && *c != '\n'; c++)
        if (!strchr("'[]:\\$`\"", *c))
            fputc(*c, out);
}

static void bash(FILE *out)
{
    struct option_text option;

    fputs("# bash completion of jittrace: from jittrace --generate=bash\n"
          "_jittrace()\n"
          "{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} i\n"
          "    local before=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "\n"
          "    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        [[ ${COMP_WORDS[i]} == -- ]] || continue\n"
          "        if ((i == COMP_CWORD - 1)); then\n"
          "            mapfile -t COMPREPLY < <(compgen -cf -- \"$word\")\n"
          "        else\n"
          "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "        fi\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        return\n"
          "    done\n"
          "    # --format=js comes as three words: the = is one\n"
          "    if [[ $word == = ]]; then\n"
          "        word=\n"
          "    elif [[ $before == = ]]; then\n"
          "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    case $before in\n",
          out);
    for (size_t i = 0; options_text(i, &option); i++) {
        if (!option.argument)
            continue;
        fputs("    ", out);
        if (option.letter)
            fprintf(out, "-%c | ", option.letter);
        fprintf(out, "--%s)", option.name);
        if (has_words(&option)) {
            fputs("\n        mapfile -t COMPREPLY < <(compgen -W '", out);
            words_of(out, &option);
            fputs("' -- \"$word\")\n        return ;;\n", out);
        } else if (takes(&option, "FILE") || takes(&option, "DIR")) {
            fprintf(out,
                    "\n        mapfile -t COMPREPLY < <(compgen -%c -- "
                    "\"$word\")\n        compopt -o filenames 2>/dev/null\n"
                    "        return ;;\n",
                    takes(&option, "DIR") ? 'd' : 'f');
        } else {
            fputs(" return ;;\n", out);
        }
    }
    fputs("    esac\n    mapfile -t COMPREPLY < <(compgen -W '", out);
    for (size_t i = 0; options_text(i, &option); i++) {
        if (option.letter)
            fprintf(out, "-%c ", option.letter);
        fprintf(out, "--%s%s ", option.name, option.argument ? "=" : "");
    }
    fputs("--' -- \"$word\")\n"
          "    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null\n"
          "}\n"
          "complete -F _jittrace jittrace\n",
          out);
}

static void zsh(FILE *out)
{
    struct option_text option;

    fputs("#compdef jittrace\n"
          "# zsh completion of jittrace: from jittrace --generate=zsh\n"
          "_arguments -S \\\n",
          out);
    for (size_t i = 0; options_text(i, &option); i++) {
        /* -o and --output are one: either is offered once */
        fputs("    ", out);
        if (option.letter)
            fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'[", option.letter,
                    option.name, option.letter, option.argument ? "+" : "",
                    option.name, option.argument ? "=" : "");
        else
            fprintf(out, "'--%s%s[", option.name, option.argument ? "=" : "");
        hint(out, option.help);
        fputc(']', out);
        if (option.argument) {
            fprintf(out, ":%s:", option.argument);
            if (has_words(&option)) {
                fputc('(', out);
                words_of(out, &option);
                fputc(')', out);
            } else if (takes(&option, "FILE")) {
                fputs("_files", out);
            } else if (takes(&option, "DIR")) {
                fputs("_files -/", out);
            }
        }
        fputs("' \\\n", out);
    }
    fputs("    '*::program:_normal'\n", out);
}

static void fish(FILE *out)
{
    struct option_text option;

    fputs("# fish completion of jittrace: from jittrace --generate=fish\n"
          "complete -c jittrace -f\n"
          "complete -c jittrace -n 'contains -- -- (commandline -opc)' "
          "-a '(__fish_complete_subcommand)'\n",
          out);
    for (size_t i = 0; options_text(i, &option); i++) {
        fprintf(out, "complete -c jittrace -l %s", option.name);
        if (option.letter)
            fprintf(out, " -s %c", option.letter);
        if (has_words(&option)) {
            fputs(" -x -a '", out);
            words_of(out, &option);
            fputc('\'', out);
        } else if (takes(&option, "FILE")) {
            fputs(" -r -F", out);
        } else if (takes(&option, "DIR")) {
            fputs(" -x -a '(__fish_complete_directories)'", out);
        } else if (option.argument) {
            fputs(" -x", out);
        }
        fputs(" -d '", out);
        hint(out, option.help);
        fputs("'\n", out);
    }
}

void manual_write(FILE *out, enum manual what)
{
    static void (*const writers[])(FILE *) = {
        [MANUAL_PAGE] = page,
        [MANUAL_BASH] = bash,
        [MANUAL_ZSH] = zsh,
        [MANUAL_FISH] = fish,
    };

    writers[what](out);
}
