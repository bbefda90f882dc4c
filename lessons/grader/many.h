/* SPDX-License-Identifier: MIT */
/*
 * grader/many.h - an encoder that is right for a few terms, tried with millions
 * of others, or with all.
 *
 * The encoder runs at full speed in hosts (host_many.c), several processes of
 * their own. What it does to them is their own business: the terms, and what is
 * right, stay here. A host gets a block of terms, has each encoded, and calls
 * the code; here its bytes and results are compared.
 *
 *     check-encoder                            host
 *     terms, arguments --- block, in memory ->  encode_adder() to each slot
 *     compares bytes   <-- that both have ----  calls each slot
 *
 * Blocks are small enough for caches; what one process writes as data and runs
 * as code is in its first-level caches both times, in batches.
 */
#ifndef JITTRACE_GRADER_MANY_H
#define JITTRACE_GRADER_MANY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "grader/many_block.h"

/* Where each call of encode_adder() may store, in bytes, from code[0] on: the
 * exact code and some more, code that does the same, or whatever it wants. */
enum many_slot {
    SLOT_EXACT = 16,
    SLOT_SHORT = 64,
    SLOT_PAGE = 4096,
};

struct many {
    const char *host;    /* the program, and */
    const char *object;  /* what it loads */
    bool exact;          /* the bytes must be those of the baby JIT */
    unsigned slot;       /* an enum many_slot: SLOT_EXACT only if exact */
    bool all;            /* all 2^32, else those of the seed */
    uint64_t seed;       /* of the random ones */
    unsigned seconds;    /* without anything done: it hangs */
    bool shows_progress; /* on standard error */
    /* The outcome: */
    uint64_t
        tried;   /* terms that were right: those before the one that was not */
    bool failed; /* this one was not: */
    int32_t term;
    uint64_t length;  /* what it returned, UINT64_MAX: it did not */
    uint8_t code[16]; /* how that begins */
    bool interrupted; /* by SIGINT or SIGTERM */
};

/* How many terms there are in all. */
uint64_t many_terms(const struct many *many);

/* Tries them until one is wrong. Returns 0, or -1 with err filled where that
 * cannot be done here. */
int many_try(struct many *many, struct err *err);

#endif
