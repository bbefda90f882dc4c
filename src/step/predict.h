/* SPDX-License-Identifier: MIT */
/*
 * step/predict.h - a reader is asked about an event before it is shown.
 */
#ifndef JITTRACE_STEP_PREDICT_H
#define JITTRACE_STEP_PREDICT_H

#include "tell/question.h"

/* All zero is one that has asked nothing. */
struct predict {
    struct question question; /* the one that is asked */
    uint64_t until;           /* events before this one are not asked about */
    unsigned answered, right;
};

void predict_release(struct predict *predict);

/* Makes the question about event seq, if there is one and this event was not
 * come to before. */
bool predict_ask(struct predict *predict, struct history *history,
                 uint64_t seq);

/* Takes the answer, and appends what there is to say. Nothing counts as no
 * answer. Returns false if it is none to such a question: it is still asked. */
bool predict_answer(struct predict *predict, const char *answer,
                    struct buf *reply);

/* Appends "3 of 4 right". */
void predict_score(const struct predict *predict, struct buf *out);

#endif
