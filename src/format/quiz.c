/* SPDX-License-Identifier: MIT */
/*
 * A sheet of questions, or of their answers under the same numbers, from all
 * events of a trace. An instruction that is executed over and over is asked
 * about twice, and only if the answer is another one; of a number that is
 * stored byte by byte the first byte alone, for the others would tell it.
 */
#include "format/format.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tell/pen.h"
#include "tell/question.h"

#define INDENT 5u
#define TIMES  2u

struct quiz {
    struct sink sink;
    FILE *out;
    struct pen pen;
    bool answers;
    struct history *history;
    struct asked {
        uint64_t addr;
        uint64_t value;
        bool is_byte;
    } * asked; /* one for each question */
    size_t count, capacity;
};

static int take(struct sink *sink, const struct event *event, struct err *err)
{
    (void)err;
    history_append(((struct quiz *)sink)->history, event);
    return 0;
}

/* Takes note of a question. Returns false if it was asked often enough. */
static bool is_news(struct quiz *quiz, const struct question *question)
{
    const bool is_byte = question->kind == QUESTION_BYTE;
    unsigned times = 0;

    for (size_t i = 0; i < quiz->count; i++) {
        const struct asked *asked = &quiz->asked[i];

        if (asked->addr != question->addr || asked->is_byte != is_byte)
            continue;
        if (is_byte || asked->value == question->value || ++times >= TIMES)
            return false;
    }
    quiz->asked = mem_grow(quiz->asked, quiz->count, &quiz->capacity,
                           sizeof *quiz->asked);
    quiz->asked[quiz->count++] =
        (struct asked){question->addr, question->value, is_byte};
    return true;
}

static void write_one(struct quiz *quiz, const struct question *question,
                      uint64_t seq)
{
    struct pen *pen = &quiz->pen;
    struct buf text = {0};

    pen_print(pen, ROLE_HEADING, "%zu.", quiz->count);
    pen_column(pen, INDENT);
    if (quiz->answers) {
        question_answer(question, &text);
        pen_print(pen, ROLE_NOTE, "event %" PRIu64 ": ", seq);
        pen_words(pen, ROLE_RESULT, INDENT, buf_text(&text));
    } else {
        buf_append(&text, question->text.data, question->text.len);
        pen_words(pen, ROLE_PLAIN, INDENT, buf_text(&text));
        buf_clear(&text);
        buf_append(&text, question->given.data, question->given.len);
        if (text.len > 0) {
            pen_column(pen, INDENT);
            pen_words(pen, ROLE_NOTE, INDENT, buf_text(&text));
        }
    }
    buf_release(&text);
}

static int finish(struct sink *sink, struct err *err)
{
    struct quiz *quiz = (struct quiz *)sink;
    const uint64_t count = history_count(quiz->history);
    struct question question;

    for (uint64_t seq = 0; seq < count; seq++) {
        if (!question_find(quiz->history, seq, &question))
            continue;
        if (is_news(quiz, &question))
            write_one(quiz, &question, seq);
        question_release(&question);
    }
    if (quiz->count == 0)
        pen_words(&quiz->pen, ROLE_PLAIN, 0,
                  "Nothing in this trace can be asked about: no generated code "
                  "was stored byte by byte or stepped.");
    return sink_write(quiz->out, quiz->pen.out.data, quiz->pen.out.len, err);
}

static void quiz_free(struct sink *sink)
{
    struct quiz *quiz = (struct quiz *)sink;

    pen_release(&quiz->pen);
    history_free(quiz->history);
    free(quiz->asked);
    free(quiz);
}

struct sink *quiz_sink_new(FILE *out, bool color, bool answers)
{
    struct quiz *quiz = mem_alloc(sizeof *quiz);

    *quiz = (struct quiz){.sink = {take, finish, quiz_free},
                          .out = out,
                          .pen = {.color = color},
                          .answers = answers,
                          .history = history_new()};
    return &quiz->sink;
}
