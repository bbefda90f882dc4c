/* SPDX-License-Identifier: MIT */
/*
 * grader/watched.h - an encoder that is run in a host (host.c) under the
 * observer, so that whatever it does is seen, nothing of it is done to us, and
 * a crash can be explained.
 */
#ifndef JITTRACE_GRADER_WATCHED_H
#define JITTRACE_GRADER_WATCHED_H

#include "grader/encoder.h"

struct watched {
    const char *encoder; /* the file, as messages call it */
    const char *object;  /* the shared object made of it, or the file itself */
    const char *host;    /* the program */
    unsigned seconds;    /* then it is ended */
    const int32_t *terms;
    size_t term_count;
    /* The outcome: */
    struct encoder_run run;
    struct store store; /* the events */
    struct buf source;  /* the C file's text, if it is one */
    struct buf said;    /* by the host */
};

/* Has each term encoded, and the code called with each of the arguments of
 * adder.h. Returns 0, or an exit status of sysexits.h: standard error says what
 * failed. */
int watched_run(struct watched *watched);

/* Frees the outcome; it can be run again. */
void watched_release(struct watched *watched);

#endif
