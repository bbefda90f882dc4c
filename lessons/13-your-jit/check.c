/* SPDX-License-Identifier: MIT */
/*
 * check.c - the ladder: one rung after the other, until one does not hold.
 *
 *     my                    climbs
 *     my --rung 4           only that rung
 *     my '1+2' a=5          compiles and calls one program
 *     my --bf '+.' INPUT    the same for Brainfuck, as --bf-fast optimized; a
 *                           program that ends in .bf is the name of a file
 *
 * Beside the program two files tell `make exercise` where the check is: my.rung
 * has the number of the rung and of all rungs, my.case the arguments that
 * repeat the case, as a shell takes them.
 *
 * Exit status: 0, 1 if a rung does not hold, 64 for a wrong command line.
 */
#include "ladder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

static const struct rung {
    const char *title;
    bool (*holds)(void);
} rungs[] = {
    {"a number", rung_number},
    {"numbers of 64 bits, and blanks", rung_wide_number},
    {"+ and -", rung_sum},
    {"*, a minus sign, parentheses", rung_product},
    {"/ and %", rung_quotient},
    {"variables", rung_variable},
    {"comparisons", rung_comparison},
    {"what is no program, and what has no room", rung_no_program},
    {"assignments", rung_assignment},
    {"if and else", rung_if},
    {"while", rung_while},
    {"programs that nobody wrote", rung_random},
    {"Brainfuck: + - < >", rung_bf_cells},
    {"Brainfuck: [ ]", rung_bf_loops},
    {"Brainfuck: . ,", rung_bf_input},
    {"Brainfuck: primes.bf, faster than the interpreter", rung_bf_faster},
    {"Brainfuck: fewer instructions", rung_bf_optimized},
};

/* SECONDS of CPU time for a case: there a busy machine changes nothing. */
enum { RUNGS = sizeof rungs / sizeof *rungs, WIDTH = 78, SECONDS = 3 };

/* The name of this program, and the arguments of the case. */
static const char *program;
static const char *arguments[3];
static bool alone;

/* --- cases ---------------------------------------------------------------- */

/* Makes the text the only one in the file beside the program. */
static void write_beside(const char *suffix, const char *text)
{
    char name[4096];
    int file;

    snprintf(name, sizeof name, "%s.%s", program, suffix);
    file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        return;
    /* Not O_TRUNC, which takes long on some file systems. */
    if (write(file, text, strlen(text)) >= 0 &&
        ftruncate(file, (off_t)strlen(text)) < 0)
        perror(name);
    close(file);
}

/* Writes the arguments of the case as a shell takes them. */
static void quote_arguments(char *out, size_t room)
{
    size_t len = 0;

    *out = 0;
    for (size_t i = 0; i < 3 && arguments[i] && len < room; i++) {
        const char *word = arguments[i];
        bool plain = *word && !word[strcspn(word, " \t\n<>&|()*[];$!%~#?'")];

        len += (size_t)snprintf(out + len, room - len, plain ? " %s" : " '%s'",
                                word);
    }
}

void case_begin(const char *a, const char *b, const char *c)
{
    const struct itimerval limit = {{0, 0}, {SECONDS, 0}};
    char text[8192];

    arguments[0] = a;
    arguments[1] = b;
    arguments[2] = c;
    if (alone)
        return;
    quote_arguments(text, sizeof text);
    write_beside("case", text);
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

static void print_command(void)
{
    char text[8192];

    quote_arguments(text, sizeof text);
    if (arguments[0])
        say("To see it: ./jittrace -- %s%s", program, text);
}

/* The text that was compiled, and what it was given. */
static void print_case(void)
{
    bool bf = arguments[0] && !strncmp(arguments[0], "--bf", 4);
    const char *text = arguments[bf], *given = arguments[bf + 1];

    if (!text)
        return;
    say_part("    %s", *text ? text : "(an empty text)");
    if (given)
        say_part(bf ? "   with input '%s'" : "   with %s", given);
    say("%s", bf && strcmp(arguments[0], "--bf") ? "   optimized" : "");
}

bool case_failed(const char *format, ...)
{
    char text[2048], *line = text;
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    print_case();
    while (strlen(line) > WIDTH) {
        char *end = line + WIDTH;

        while (end > line && *end != ' ')
            end--;
        *end = 0;
        say("%s", line);
        line = end + 1;
    }
    say("%s%s", line, line[strlen(line) - 1] == '?' ? "" : ".");
    return false;
}

/* --- what ends the program ------------------------------------------------ */

/*
 * Says which case it was, then lets the signal do what it does: by the exit
 * status `make exercise` sees what happened, and asks jittrace.
 */
static void die(int number)
{
    signal(number, SIG_DFL);
    if (number == SIGVTALRM)
        case_failed("%s ran for %d seconds and was ended: does it ever end?",
                    code_running(), SECONDS);
    else
        case_failed("%s was ended by signal %d: %s", code_running(), number,
                    strsignal(number));
    code_print(NULL);
    print_command();
    raise(number);
}

/* On a stack of its own, for code that has lost its stack or filled it. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL,
                                  SIGTRAP, SIGFPE, SIGVTALRM};
    static char memory[65536];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_handler = die,
                               .sa_flags = SA_ONSTACK | SA_NODEFER};

    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

/* --- climbing ------------------------------------------------------------- */

static bool climb(size_t number)
{
    const struct rung *rung = &rungs[number - 1];
    char text[32];

    snprintf(text, sizeof text, "%zu %d\n", number, RUNGS);
    write_beside("rung", text);
    write_beside("case", "");
    say("rung %zu of %d: %s", number, RUNGS, rung->title);
    arguments[0] = NULL;
    if (rung->holds())
        return true;
    print_command();
    return false;
}

static int climb_all(void)
{
    for (size_t number = 1; number <= RUNGS; number++)
        if (!climb(number))
            return failed();
    return passed();
}

static int climb_one(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < 1 || number > RUNGS) {
        fprintf(stderr, "There is no rung '%s': they are 1 to %d.\n", text,
                RUNGS);
        return EX_USAGE;
    }
    return climb((size_t)number) ? passed() : failed();
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 1 || !strcmp(argv[1], "--rung")) {
        catch_signals();
        return argc == 1 ? climb_all() : climb_one(argc > 2 ? argv[2] : "");
    }
    alone = true;
    if (!strcmp(argv[1], "--bf") || !strcmp(argv[1], "--bf-fast"))
        return bf_alone(argc > 2 ? argv[2] : "", argc > 3 ? argv[3] : "",
                        !strcmp(argv[1], "--bf-fast"));
    return pebble_alone(argv[1], argv + 2);
}
