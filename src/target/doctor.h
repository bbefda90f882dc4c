/* SPDX-License-Identifier: MIT */
/*
 * target/doctor.h - which of the mechanisms that jittrace uses work here.
 *
 * Each is tried, and what it is to do must be seen to be done: none is believed
 * to work by the name of a kernel, or because a call did not fail. One after
 * the other is tried in a process of its own, on a program of its own, so that
 * one that fails leaves nothing to the next, and one that hangs is given up.
 */
#ifndef JITTRACE_TARGET_DOCTOR_H
#define JITTRACE_TARGET_DOCTOR_H

#include "target/launch.h"

/* What doctor.def says of it. The strings last for ever. */
struct mechanism {
    const char *name;
    uint64_t needs;      /* bit N: the one of number N, to try this one */
    const char *instead; /* what is used or lost without it, or NULL: all */
    const char *remedy;  /* what allows it, or NULL: the cause says it */
};

struct finding {
    enum {
        FINDING_WORKS,     /* text is a remark, or "" */
        FINDING_MISSING,   /* why */
        FINDING_NOT_TRIED, /* the name of what it takes, which is missing */
    } state;
    char text[512]; /* one line */
};

enum doctor_mechanism {
#define MECHANISM(id, name, needs, instead, remedy) MECHANISM_##id,
#include "target/doctor.def"
    MECHANISMS,
};

extern const struct mechanism doctor_mechanisms[MECHANISMS];

/* Tries all of them, on the program that `launch` says and of which one
 * instruction is executed; more, where it should stop and does not. Nothing is
 * left behind. Takes milliseconds, but for each that hangs four seconds. */
void doctor_examine(const struct launch *launch,
                    struct finding out[MECHANISMS]);

/*
 * Calls try(argument, out) in a process of its own and has what that puts into
 * *out, size bytes of plain data (PIPE_BUF at most). Returns 0; or -1 with
 * errno if the process did not get to the end within that time (ETIMEDOUT),
 * ended before (EPIPE) or could not be made: it was killed, and all that it
 * traced with it.
 */
int doctor_apart(void (*try)(const void *argument, void *out),
                 const void *argument, void *out, size_t size,
                 int milliseconds);

#endif
