/* SPDX-License-Identifier: MIT */
/*
 * cli/manual.h - what a packaged program brings besides: its manual page and
 * what completes its options in three shells, all from the table of --help.
 */
#ifndef JITTRACE_CLI_MANUAL_H
#define JITTRACE_CLI_MANUAL_H

#include <stdio.h>

#include "cli/options.h"

/* Writes it: the page in the man macros (groff_man(7)), the others as the shell
 * sources them. */
void manual_write(FILE *out, enum manual what);

#endif
