/* SPDX-License-Identifier: MIT */
/*
 * target/doctor.h - which of the mechanisms that tracing uses work here.
 */
#ifndef JITTRACE_TARGET_DOCTOR_H
#define JITTRACE_TARGET_DOCTOR_H

#include <stdbool.h>

#include "base/err.h"
#include "target/launch.h"

struct mechanism {
    const char *name;
    const char *instead; /* what is used where it is missing */
    const char *remedy;  /* what allows it, or NULL */
    bool works;
};

enum { DOCTOR_MECHANISMS = 4 };

/*
 * Starts what launch names, tries each mechanism on it and ends it before any
 * of its instructions. Returns 0 with all of `out` filled, or -1 with err
 * filled: nothing can be traced here.
 */
int doctor_examine(const struct launch *launch,
                   struct mechanism out[DOCTOR_MECHANISMS], struct err *err);

#endif
