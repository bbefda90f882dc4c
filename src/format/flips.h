/* SPDX-License-Identifier: MIT */
/*
 * format/flips.h - what became of runs in which one bit of the code was turned
 * over: a table by field, or a line of JSON for each.
 */
#ifndef JITTRACE_FORMAT_FLIPS_H
#define JITTRACE_FORMAT_FLIPS_H

#include <stdio.h>

#include "base/err.h"
#include "cpu/split.h"

enum flip_outcome {
    FLIP_HARMLESS,  /* it printed and ended as without */
    FLIP_RESULT,    /* it printed something else */
    FLIP_STATUS,    /* it ended with another status */
    FLIP_HANGS,     /* it did not end in time */
    FLIP_CRASHES,   /* a signal ended it */
    FLIP_NOT_KNOWN, /* it could not be run, or not be changed */
    FLIP_OUTCOMES,
};

struct flip {
    const struct insn *insn; /* addr is its offset in the mapping */
    struct insn_bits part;   /* of which the bit is one: */
    unsigned bit;            /* in its byte, 7 to 0 */
    enum flip_outcome outcome;
    int64_t signal; /* of FLIP_CRASHES */
    int64_t status; /* the exit status; -1: there is none */
};

/* Those of one part of an instruction follow each other. milliseconds: then a
 * run hangs; left_out: bytes that were not tried; cut: not all that were to be.
 * Returns as sink_write. */
struct flips {
    const struct flip *list;
    size_t count, left_out;
    int milliseconds;
    bool cut;
};
int flips_write(FILE *out, bool color, const struct flips *flips,
                struct err *err);

int flip_write_json(FILE *out, const struct flip *flip, struct err *err);

#endif
