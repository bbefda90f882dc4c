/* SPDX-License-Identifier: MIT */
/*
 * What became of a rule: its name, whether it was held, the instruction that
 * broke it and who emitted that, and how.
 */

#include "tell/tell_parts.h"

#define RULE_COLUMN   20 /* behind the longest name of a rule */
#define DETAIL_COLUMN 30 /* behind "not seen", too */
#define DETAIL_INDENT 5

/* "code[3]  mov rbx, rdi", as far as it is known; or "". */
static const char *culprit(struct phrases *phrases,
                           const struct event_verdict *verdict)
{
    size_t len = verdict->bytes.len;

    if (!verdict->offset.known)
        return "";
    return phrase(phrases, "%s  %s",
                  phrase_place(phrases, verdict->offset.value, len ? len : 1),
                  verdict->text ? verdict->text : "");
}

static void verdict_words(struct story *story, enum tell_form form)
{
    const struct event_verdict *verdict = &story->event->verdict;
    const char *rule = verdict->rule ? verdict->rule : "a rule";
    const char *state = verdict->verdict ? verdict->verdict : "not seen";
    const char *place = culprit(&story->phrases, verdict);
    struct chain chain;
    const char *source;

    chain_of_verdict(story->event, &chain);
    source = phrase_source(&story->phrases, &chain.list[chain.named_by].source);
    if (form == TELL_NEXT)
        say(story, "the verdict on %s", rule);
    else if (form == TELL_TITLE)
        say(story, "%s: %s", rule, state);
    else
        say(story, "%s is %s%s%s%s%s%s%s.", rule, state, *place ? ": " : "",
            place, *source ? ", emitted by " : "", source,
            verdict->detail ? ": " : "",
            verdict->detail ? verdict->detail : "");
}

static void verdict_paragraph(struct telling *telling,
                              const struct event *event)
{
    const struct event_verdict *verdict = &event->verdict;
    struct pen *pen = &telling->pen;
    bool is_bad = word_is(verdict->verdict, VERDICT_BROKEN);
    const struct caller *caller;
    struct chain chain;

    chain_of_verdict(event, &chain);
    caller = &chain.list[chain.named_by];
    if (!telling->judged)
        pen_blank(pen);
    telling->judged = true;
    pen_text(pen, ROLE_HEADING, verdict->rule ? verdict->rule : "a rule");
    pen_column(pen, RULE_COLUMN);
    pen_text(pen, is_bad ? ROLE_WARNING : ROLE_NOTE,
             verdict->verdict ? verdict->verdict : VERDICT_NOT_SEEN);
    if (verdict->offset.known) {
        pen_gap(pen, 0);
        pen_text(pen, ROLE_MNEMONIC, culprit(&telling->phrases, verdict));
    }
    if (caller->source.file) {
        pen_gap(pen, 0);
        pen_source(pen, &caller->source);
    }
    if (!verdict->at.known) { /* all in one line, if it fits */
        pen_gap(pen, 0);
        pen_words(pen, ROLE_NOTE, DETAIL_COLUMN,
                  verdict->detail ? verdict->detail : "");
        return;
    }
    pen_end(pen);
    pen_column(pen, DETAIL_INDENT);
    if (chain.named_by > 0 || (chain.count > 1 && chain.list[1].source.file)) {
        pen_words(pen, ROLE_NOTE, DETAIL_INDENT,
                  phrase(&telling->phrases, "emitted by %s",
                         phrase_chain(&telling->phrases, &chain)));
        pen_column(pen, DETAIL_INDENT);
    }
    pen_words(pen, is_bad ? ROLE_WARNING : ROLE_NOTE, DETAIL_INDENT,
              verdict->detail ? verdict->detail : "");
}

const struct tell_kind kind_verdict = {verdict_words, verdict_paragraph,
                                       TELL_SEARCHED(verdict, text)};
