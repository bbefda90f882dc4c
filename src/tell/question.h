/* SPDX-License-Identifier: MIT */
/*
 * tell/question.h - what a reader can be asked about an event before it is
 * shown, and whether the answer is right.
 *
 * Questions are made of the event and of the state before it alone. They are
 * asked only where that state decides the answer: what the kernel, the clock or
 * code outside gives back is not asked for.
 */
#ifndef JITTRACE_TELL_QUESTION_H
#define JITTRACE_TELL_QUESTION_H

#include "trace/history.h"

/* All zero is a valid one; released by its user. */
struct question {
    enum {
        QUESTION_REGISTER, /* the value of a register, or of a part of it */
        QUESTION_FLAG,     /* 0 or 1 */
        QUESTION_BRANCH,   /* whether it jumps */
        QUESTION_TARGET,   /* the offset in the code that a jump leads to */
        QUESTION_BYTE,     /* of a number that is being stored */
    } kind;
    struct buf text;  /* "rax after add rax, rdi?", at most about 60 columns */
    struct buf given; /* what decides it: "rax = -4, rdi = 3"; may be empty */
    uint64_t value;   /* the answer ... */
    unsigned bits;    /* ... of which so many count */
    uint64_t base;    /* QUESTION_TARGET: the address of offset 0 */
    uint64_t addr;    /* of the instruction that it is about */
};

/* The question about event seq of the history. Returns false, with nothing in
 * *out, if there is none. */
bool question_find(struct history *history, uint64_t seq, struct question *out);
void question_release(struct question *question);

/* The answer in words, "0xffffffffffffffff = -1", "it jumps". */
void question_answer(const struct question *question, struct buf *out);

/* How one answers: "a number, as 12, -4 or 0x1f". */
const char *question_hint(const struct question *question);

enum judgement {
    JUDGEMENT_RIGHT,
    JUDGEMENT_WRONG,
    JUDGEMENT_UNCLEAR, /* it is no answer to that kind of question */
};

enum judgement question_judge(const struct question *question,
                              const char *answer);

#endif
