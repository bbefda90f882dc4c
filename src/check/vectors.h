/* SPDX-License-Identifier: MIT */
/*
 * check/vectors.h - what scalar the vector registers hold, and which of them a
 * function outside may have changed: all (psABI 3.2.1).
 */
#ifndef JITTRACE_CHECK_VECTORS_H
#define JITTRACE_CHECK_VECTORS_H

#include "check/ledger.h"

#define VECTORS 16 /* that scalars are computed in without AVX-512 */

/* Bit n is vector register n. */
struct vectors {
    uint32_t single; /* a float was computed there */
    uint32_t twice;  /* a double was */
    uint32_t lost;   /* the code had set it before a function outside ran, and
                      * nothing has since */
    uint32_t set;    /* by the code since it was called, or by that */
    struct place by[VECTORS]; /* what did so */
};

struct calls;

/* Looks at an event that neither calls nor the view have taken. */
void vectors_look(struct calls *calls, struct ledger *ledger,
                  const struct event *event);

#endif
