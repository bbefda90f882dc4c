/* SPDX-License-Identifier: MIT */
/*
 * interpreter.h - a Brainfuck interpreter, for compiled code to race against.
 *
 * It is an honest one: the brackets are matched beforehand, so that a loop
 * costs one look into a table, and it is compiled with -O2. What it cannot
 * avoid is to look at each character again each time, and to choose what to do.
 */
#ifndef JITTRACE_LESSONS_INTERPRETER_H
#define JITTRACE_LESSONS_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whatever the rest is compiled with. */
#ifdef __clang__
#define OPTIMIZED
#else
#define OPTIMIZED __attribute__((optimize("O2")))
#endif

enum { LONGEST = 16384 }; /* characters of a program */

/*
 * For each bracket of the text, notes at match[] where its partner is. Returns
 * false if one has none, or the text is too long.
 */
static inline bool match_brackets(const char *text, uint16_t match[LONGEST])
{
    static uint16_t open[LONGEST];
    size_t depth = 0;

    for (size_t i = 0; text[i]; i++) {
        if (i == LONGEST || (text[i] == ']' && depth == 0))
            return false;
        if (text[i] == '[')
            open[depth++] = (uint16_t)i;
        if (text[i] == ']') {
            match[i] = open[--depth];
            match[open[depth]] = (uint16_t)i;
        }
    }
    return depth == 0;
}

/* [interpret] */
OPTIMIZED static inline void interpret(const char *text, const uint16_t *match,
                                       unsigned char *cell, void (*put)(int),
                                       int (*get)(void))
{
    for (size_t i = 0; text[i]; i++) {
        switch (text[i]) {
        case '>':
            cell++;
            break;
        case '<':
            cell--;
            break;
        case '+':
            ++*cell;
            break;
        case '-':
            --*cell;
            break;
        case '.':
            put(*cell);
            break;
        case ',':
            *cell = (unsigned char)get();
            break;
        case '[':
            if (!*cell)
                i = match[i];
            break;
        case ']':
            if (*cell)
                i = match[i];
            break;
        }
    }
}
/* [/interpret] */

#endif
