/* SPDX-License-Identifier: MIT */
/*
 * check/check.h - what generated code did wrong: verdicts on rules.
 *
 * A check is a source that passes on the events of another one and, after the
 * exit event, adds a verdict event for each rule of check/rules.def. It goes by
 * the events alone, so that a recording and the program get the same.
 *
 *     program or recording ──▶ check ──▶ sinks
 */
#ifndef JITTRACE_CHECK_CHECK_H
#define JITTRACE_CHECK_CHECK_H

#include <stdbool.h>

#include "check/rules.h"
#include "trace/source.h"

struct check_options {
    bool all;           /* also what held and what was not seen */
    bool strict;        /* what would be a note is broken */
    bool no_convention; /* leave out the rules of the calling convention */
    bool some;          /* only those chosen: */
    bool chosen[RULES];
};

/* from is the check's from then on, and freed with it. */
struct source *check_source_new(struct source *from,
                                const struct check_options *options);

#endif
