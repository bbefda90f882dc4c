/* SPDX-License-Identifier: MIT */
/*
 * report.h - the verdict on an encoder, for a person, a program, a build
 * server. docs/encoder.md describes the three.
 */
#ifndef JITTRACE_GRADER_REPORT_H
#define JITTRACE_GRADER_REPORT_H

#include "grader/encoder.h"
#include "grader/many.h"

struct report {
    const char *encoder; /* the file's name, as it was given */
    const struct encoder_run *run;
    const struct many *many; /* tried: 0 if that was not done */
    const struct encoder_verdict *verdict;
    struct buf crash; /* what, where and why, or empty */
};

void report_text(const struct report *report, struct buf *out);
void report_json(const struct report *report, struct buf *out);
void report_junit(const struct report *report, struct buf *out);

#endif
