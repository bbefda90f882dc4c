/* SPDX-License-Identifier: MIT */
/*
 * cli/lesson.h - the lesson programs that jittrace carries with it.
 *
 * Each is a whole ELF program, built with debug info from the very source that
 * its lesson prints; the Makefile turns both into arrays with `xxd -i`.
 */
#ifndef JITTRACE_CLI_LESSON_H
#define JITTRACE_CLI_LESSON_H

#include <stddef.h>
#include <stdint.h>

struct lesson {
    const char *directory;  /* "06-babyjit"; lessons are in this order */
    const char *name;       /* without the number: "babyjit" */
    const char *about;      /* what the program is, a sentence */
    const uint8_t *program; /* an ELF file, to be run as it is */
    size_t program_len;
    const char *source_name; /* the last part of the name that its debug info
                              * gives the source: "babyjit.c" */
    const uint8_t *source;   /* its text; no NUL at the end */
    size_t source_len;
};

/* The lesson of that name, "babyjit", "06-babyjit", "06" or "6", or NULL. What
 * it points to lasts for ever, here and below. */
const struct lesson *lesson_find(const char *name);

/* The lesson of that index, from 0 on, or NULL behind the last one. */
const struct lesson *lesson_at(size_t index);

#endif
