/* SPDX-License-Identifier: MIT */
/*
 * What a Pebble program means: it is run while it is read, by the rules of
 * spec.md, one function each. A text that is not to be run, a block whose value
 * was 0, is read all the same, with `idle` set, to find its end.
 *
 * And programs made at random, to compare that with what compiled code does. A
 * loop counts a variable of its own down, which nothing else in it changes; a
 * divisor is a number other than 0 and -1. So all of them end well.
 */
#include "ladder.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* --- running -------------------------------------------------------------- */

struct reader {
    const char *at;
    int64_t *variables;
    int idle; /* how many blocks around that are not run */
};

static int64_t comparison(struct reader *r);

static bool take(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    r->at += strspn(r->at, " \t\n");
    if (strncmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static int64_t operand(struct reader *r)
{
    int64_t value;

    if (take(r, "-"))
        return (int64_t)(0 - (uint64_t)operand(r));
    if (take(r, "(")) {
        value = comparison(r);
        take(r, ")");
        return value;
    }
    if (islower((unsigned char)*r->at))
        return r->variables[*r->at++ - 'a'];
    return strtoll(r->at, (char **)&r->at, 10);
}

static int64_t product(struct reader *r)
{
    int64_t value = operand(r), right;

    for (;;) {
        if (take(r, "*")) {
            value = (int64_t)((uint64_t)value * (uint64_t)operand(r));
        } else if (take(r, "/")) {
            right = operand(r);
            value = r->idle ? 0 : value / right;
        } else if (take(r, "%")) {
            right = operand(r);
            value = r->idle ? 0 : value % right;
        } else {
            return value;
        }
    }
}

static int64_t sum(struct reader *r)
{
    uint64_t value = (uint64_t)product(r);

    for (;;) {
        if (take(r, "+"))
            value += (uint64_t)product(r);
        else if (take(r, "-"))
            value -= (uint64_t)product(r);
        else
            return (int64_t)value;
    }
}

static int64_t comparison(struct reader *r)
{
    int64_t left = sum(r);

    if (take(r, "<="))
        return left <= sum(r);
    if (take(r, ">="))
        return left >= sum(r);
    if (take(r, "=="))
        return left == sum(r);
    if (take(r, "!="))
        return left != sum(r);
    if (take(r, "<"))
        return left < sum(r);
    if (take(r, ">"))
        return left > sum(r);
    return left;
}

static bool statement(struct reader *r);

static void block(struct reader *r, bool run)
{
    take(r, "{");
    r->idle += !run;
    while (statement(r))
        ;
    r->idle -= !run;
    take(r, "}");
}

/* Returns false where no statement begins, and has read nothing then. */
static bool statement(struct reader *r)
{
    struct reader ahead = *r, top;
    bool holds;

    if (take(r, "if")) {
        holds = comparison(r);
        block(r, holds);
        if (take(r, "else"))
            block(r, !holds);
        return true;
    }
    if (take(r, "while")) {
        top = *r;
        do {
            r->at = top.at;
            holds = comparison(r) && !r->idle;
            block(r, holds);
        } while (holds);
        return true;
    }
    take(&ahead, "");
    ahead.at += *ahead.at != 0;
    if (!islower((unsigned char)ahead.at[-1]) || !take(&ahead, ":="))
        return false;

    take(r, "");
    int64_t *variable = &r->variables[*r->at - 'a'], value;

    r->at = ahead.at;
    value = comparison(r);
    take(r, ";");
    if (!r->idle)
        *variable = value;
    return true;
}

int64_t meaning(const char *text, int64_t *variables)
{
    struct reader r = {text, variables, 0};

    while (statement(&r))
        ;
    return comparison(&r);
}

/* --- making --------------------------------------------------------------- */

struct maker {
    uint64_t seed;
    char *end;
    int loops; /* how many there are around: each has its variable */
};

/* 0 to n - 1, of the upper bits of a linear congruential generator. */
static unsigned pick(struct maker *m, unsigned n)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(m->seed >> 33) % n;
}

__attribute__((format(printf, 2, 3))) static void
write_part(struct maker *m, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    m->end += vsprintf(m->end, format, list);
    va_end(list);
}

static void make_expression(struct maker *m, unsigned depth)
{
    static const char *const operators[] = {
        "+", "-", "*", "<", "<=", ">", ">=", "==", "!="};
    static const long long numbers[] = {
        0, 1, 2, 100, 128, 65536, 2147483648, 9223372036854775807};

    switch (depth ? pick(m, 6) : pick(m, 2)) {
    case 0:
        write_part(m, "%lld", numbers[pick(m, 8)]);
        return;
    case 1:
        write_part(m, "%c", 'a' + (int)pick(m, 6));
        return;
    case 2:
        write_part(m, "-");
        make_expression(m, 0);
        return;
    case 3:
        write_part(m, "(");
        make_expression(m, depth - 1);
        write_part(m, ")%s%s%u", pick(m, 2) ? "/" : "%", pick(m, 2) ? "-" : "",
                   2 + pick(m, 9));
        return;
    default:
        write_part(m, "(");
        make_expression(m, depth - 1);
        write_part(m, " %s ", operators[pick(m, 9)]);
        make_expression(m, depth - 1);
        write_part(m, ")");
    }
}

static void make_statements(struct maker *m, unsigned count, unsigned depth);

static void make_statement(struct maker *m, unsigned depth)
{
    switch (depth ? pick(m, 4) : 0) {
    case 1:
        write_part(m, "if ");
        make_expression(m, 1);
        write_part(m, " { ");
        make_statements(m, pick(m, 3), depth - 1);
        if (pick(m, 2)) {
            write_part(m, "} else { ");
            make_statements(m, pick(m, 3), depth - 1);
        }
        write_part(m, "} ");
        return;
    case 2:
        write_part(m, "%c := %u; while %c > 0 { ", 'w' + m->loops, pick(m, 4),
                   'w' + m->loops);
        m->loops++;
        make_statements(m, 1 + pick(m, 2), depth - 1);
        m->loops--;
        write_part(m, "%c := %c-1; } ", 'w' + m->loops, 'w' + m->loops);
        return;
    default:
        write_part(m, "%c := ", 'a' + (int)pick(m, 6));
        make_expression(m, depth);
        write_part(m, "; ");
    }
}

static void make_statements(struct maker *m, unsigned count, unsigned depth)
{
    while (count-- > 0)
        make_statement(m, depth);
}

void make_program(unsigned n, char *text)
{
    struct maker m = {n, text, 0};

    pick(&m, 2);
    make_statements(&m, n / 60, n / 100);
    make_expression(&m, 1 + n / 200);
}
