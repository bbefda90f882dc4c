/* SPDX-License-Identifier: MIT */
#include "step/predict.h"

void predict_release(struct predict *predict)
{
    question_release(&predict->question);
}

bool predict_ask(struct predict *predict, struct history *history, uint64_t seq)
{
    if (seq < predict->until)
        return false;
    predict->until = seq + 1;
    question_release(&predict->question);
    return question_find(history, seq, &predict->question);
}

bool predict_answer(struct predict *predict, const char *answer,
                    struct buf *reply)
{
    const struct question *question = &predict->question;
    enum judgement judgement =
        *answer ? question_judge(question, answer) : JUDGEMENT_WRONG;

    if (judgement == JUDGEMENT_UNCLEAR) {
        buf_printf(reply, "%s, please", question_hint(question));
        return false;
    }
    predict->answered += *answer != '\0';
    predict->right += judgement == JUDGEMENT_RIGHT;
    buf_append_text(reply, judgement == JUDGEMENT_RIGHT ? "right: "
                           : *answer                    ? "no: "
                                                        : "not answered: ");
    question_answer(question, reply);
    if (predict->answered > 0) {
        buf_append_text(reply, " (");
        predict_score(predict, reply);
        buf_append_text(reply, ")");
    }
    return true;
}

void predict_score(const struct predict *predict, struct buf *out)
{
    buf_printf(out, "%u of %u right", predict->right, predict->answered);
}
