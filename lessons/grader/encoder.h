/* SPDX-License-Identifier: MIT */
/*
 * grader/encoder.h - what is right and what is wrong with somebody's
 * encode_adder(), judged from a recorded run of it.
 *
 * Whoever ran it says which calls were made and what they returned. What was
 * stored where, by which line, and what the code did, is taken from the events.
 */
#ifndef JITTRACE_GRADER_ENCODER_H
#define JITTRACE_GRADER_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "trace/store.h"

enum encoder_level {
    LEVEL_EXACT,     /* byte by byte what the baby JIT makes */
    LEVEL_BEHAVIOUR, /* any code that does the same */
};

enum encoder_check {
#define CHECK(name, word, what) CHECK_##name,
#include "grader/checks.def"
    ENCODER_CHECKS,
};

enum check_state {
    CHECK_NOT_RUN,
    CHECK_PASSED,
    CHECK_FAILED,
};

/* So many bytes, a page, may be stored to from code[0] on; nobody may touch the
 * pages before and behind. */
#define TRIAL_ROOM 4096u

/* The status of the program that made the calls, if it could not say any more
 * which they are. */
#define TRIAL_LOST 74

/* One call of encode_adder. */
struct trial {
    int32_t term;
    uint64_t code;   /* the address that it was given */
    bool came_back;  /* what follows is known */
    uint64_t length; /* that it returned */
};

/* Registers that a function must leave as they were (psABI 3.2.1), but rsp. */
#define TRIAL_KEPT 6u

/* One call of the code that was made. */
struct trial_call {
    size_t trial;
    int64_t argument;
    bool came_back; /* what follows is known */
    uint64_t result;
    int64_t stack;                    /* by how much rsp is too high after it */
    uint64_t flags;                   /* after it */
    uint64_t kept_before[TRIAL_KEPT]; /* rbx rbp r12 r13 r14 r15 */
    uint64_t kept[TRIAL_KEPT];
};

/* A run, to its end or as far as it came. */
struct encoder_run {
    const struct store *store; /* the events */
    struct trial *trials;
    size_t trial_count;
    struct trial_call *calls;
    size_t call_count;
    bool finished;    /* all calls were made */
    unsigned seconds; /* 0, or it was ended after so long */
};

struct check_verdict {
    enum check_state state;
    struct buf what;    /* a sentence without its full stop; empty if passed */
    struct buf details; /* lines */
};

struct encoder_verdict {
    enum encoder_level level;
    struct check_verdict check[ENCODER_CHECKS];
};

/* *out, all zero, is released by its user. */
void encoder_judge(const struct encoder_run *run, enum encoder_level level,
                   struct encoder_verdict *out);
void encoder_verdict_release(struct encoder_verdict *verdict);

/* The first check that failed, or ENCODER_CHECKS. */
enum encoder_check encoder_failed(const struct encoder_verdict *verdict);

/* "returns", and "encode_adder comes back from every call". */
const char *encoder_check_word(enum encoder_check check);
const char *encoder_check_what(enum encoder_check check);

#endif
