/* SPDX-License-Identifier: MIT */
#include "observe/reset.h"

#include <signal.h>

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* The signals that faults raise (signal(7)). */
#define OF_FAULTS \
    (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGTRAP) | BIT(SIGILL) | BIT(SIGFPE))

/* Whether the mask is that of somebody who blocks them all. */
static bool lacks_only(uint64_t mask, int signal)
{
    return (mask & OF_FAULTS) == (OF_FAULTS & ~BIT(signal));
}

struct reset reset_find(enum disposition set, enum disposition now, int signal,
                        uint64_t mask, bool alone)
{
    struct reset reset = {.mask = lacks_only(mask, signal)};

    if (now != DISPOSITION_DEFAULT) { /* not undone, or put back since */
        reset.mask &= !alone;
        return reset;
    }
    reset.action = set != DISPOSITION_DEFAULT;
    if (set == DISPOSITION_HANDLED && alone)
        reset.mask = !(mask & BIT(signal));
    return reset;
}
