/* SPDX-License-Identifier: MIT */
/*
 * target/doctor.h - which of the mechanisms that tracing uses work here.
 *
 * Each is tried, none is believed to work by the name of a kernel. They are
 * those for which jittrace has something else where they are missing; what it
 * cannot do without is tried by every run (tracee_try).
 */
#ifndef JITTRACE_TARGET_DOCTOR_H
#define JITTRACE_TARGET_DOCTOR_H

#include <stdbool.h>

#include "base/err.h"
#include "target/launch.h"

struct mechanism {
    const char *name;
    const char *instead; /* what is used or lost where it is missing */
    const char *remedy;  /* what allows it */
    bool needed;         /* without it the baby JIT is not shown in full */
    bool works;
};

enum { MECHANISMS = 6 };

/*
 * Starts the program, tries each mechanism on it and ends it before any of its
 * instructions. Returns 0 with all of `out` filled, or -1 with err filled:
 * nothing can be traced here.
 */
int doctor_examine(const struct launch *launch,
                   struct mechanism out[MECHANISMS], struct err *err);

#endif
