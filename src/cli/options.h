/* SPDX-License-Identifier: MIT */
/*
 * cli/options.h - the command line, read once into a struct.
 */
#ifndef JITTRACE_CLI_OPTIONS_H
#define JITTRACE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "check/check.h"
#include "observe/budget.h"
#include "observe/choice.h"

enum format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_RAW,
    FORMAT_QUESTIONS,
    FORMAT_ANSWERS,
    FORMAT_JUNIT, /* with --check */
    FORMAT_GITHUB,
    FORMAT_ASCIICAST,
    FORMAT_DOT,
    FORMAT_CHROME,
    FORMAT_PERF_MAP,
    FORMAT_HTML,
};

/* What --generate writes. */
enum manual {
    MANUAL_NONE,
    MANUAL_PAGE,
    MANUAL_BASH, /* completion of a command line there */
    MANUAL_ZSH,
    MANUAL_FISH,
};

enum when {
    WHEN_AUTO,
    WHEN_ALWAYS,
    WHEN_NEVER,
};

struct options {
    bool help;
    bool version;
    bool doctor; /* what works on this machine */
    bool play;   /* instructions that are typed */
    bool list;
    enum manual manual; /* to write, or MANUAL_NONE */
    enum format format;
    enum when color;
    const char *theme; /* the name of one (screen/theme.h), or NULL */
    bool step;         /* show it step by step, as the reader asks */
    bool plain;        /* and that line by line */
    bool predict;      /* ask before it is shown */
    const char *go_to; /* the event where that opens, or NULL; the same ... */
    uint64_t go_to_number; /* ... as a number */
    char *const *typed;    /* the command line as it was, to be freed: */
    size_t typed_count;    /* so many stand in front of a PROGRAM */
    bool brief;            /* verdicts and crashes only */
    const char *input;     /* what the program reads then, or NULL: nothing */
    const char *output;    /* -o FILE, or NULL: standard output */
    bool split;            /* a file for each process */
    const char *dump;      /* --dump-code DIR, or NULL */
    bool elf;              /* and as ELF there */
    const char *replay;    /* a recording to show, or NULL */
    bool sweep;            /* what each bit of the code is for */
    const char *diff;      /* one to compare with a second one, or a program */
    const char *other;     /* that second one, or NULL */
    bool check;            /* verdicts only */
    struct check_options rules;
    bool abi_given;        /* --abi */
    const char *who;       /* whose history is to be told, or NULL: of all */
    uint64_t who_number;   /* the same as a number (trace/where.h) */
    char *const *program;  /* PROGRAM [ARG]..., ended by NULL; or NULL */
    const char *lesson;    /* a bundled program to trace, else the baby JIT;
                           * NULL where it is not named */
    char *const *operands; /* its arguments, ended by NULL */
    const char *limited;   /* a --max-... option that was given, or NULL */
    struct observe_budget budget;
    bool given[BUDGETS];  /* which budgets were */
    struct choice choice; /* what of the program is shown */
    const char *chosen;   /* an option about that that was given, or NULL */
    uint64_t last;        /* only so many events at the end; 0: all */
    uint64_t page_events; /* how many a page keeps */
};

/* Reads argv into *options, which then borrows from argv; the order of what is
 * in argv may be another one then. Returns 0, or -1 with err filled
 * (ERR_USAGE). Prints nothing. */
int options_parse(int argc, char **argv, struct options *options,
                  struct err *err);

/* What --help says around its options: each text is lines that end in a line
 * feed. */
extern const struct help_prose {
    const char *usage; /* a form of the command line each */
    const char *about, *examples, *budgets, *operand, *status;
} help_prose;

/* What --help says of one option. */
struct option_text {
    const char *name;           /* without the two dashes */
    char letter;                /* that does the same, or 0 */
    const char *argument;       /* what it takes, or NULL: nothing */
    const char *const *choices; /* all that it takes, ended by NULL; or NULL */
    const char *help;           /* lines; the last has no line feed */
    bool is_budget;             /* a --max-... option, ... */
    uint64_t value;             /* ... and its default */
};

/* The options in the order of --help: *text is that number at, from 0 on. False
 * if there is none. */
bool options_text(size_t at, struct option_text *text);

/* Writes what --help says, and what --list-lessons says (help.c). */
void options_help(FILE *out);
void options_list_lessons(FILE *out);

#endif
