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
    const char *name;       /* "babyjit" */
    const uint8_t *program; /* an ELF file, to be run as it is */
    size_t program_len;
    const char *source_name; /* the last part of the name that its debug info
                              * gives the source: "babyjit.c" */
    const uint8_t *source;   /* its text; no NUL at the end */
    size_t source_len;
};

/* The lesson of that name, or NULL. What it points to lasts for ever. */
const struct lesson *lesson_find(const char *name);

#endif
