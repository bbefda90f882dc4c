/* SPDX-License-Identifier: MIT */
/*
 * target/attempt.h - how each mechanism of doctor.def is tried.
 */
#ifndef JITTRACE_TARGET_ATTEMPT_H
#define JITTRACE_TARGET_ATTEMPT_H

#include <stdint.h>

#include "target/doctor.h"

/* What a mechanism is tried on. */
struct attempt {
    const struct launch *what;
    struct tracee tracee; /* at its STOP_EXEC, where the attempt needs one */
    struct finding *finding;
};

#define NEEDS(id) (UINT64_C(1) << MECHANISM_##id)

struct attempt_kind {
    uint64_t needs; /* NEEDS of the mechanisms that it takes */
    bool (*works)(struct attempt *attempt); /* if not, the finding says why */
};

extern const struct attempt_kind attempt_kinds[MECHANISMS];

/* Whether the result is 0; if not, what err says becomes the finding. */
bool attempt_is_told(struct attempt *attempt, int result,
                     const struct err *err);

#endif
