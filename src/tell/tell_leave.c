/* SPDX-License-Identifier: MIT */
/*
 * Generated code is left: by a return, a call, a jump or a signal.
 */
#include <inttypes.h>
#include <string.h>

#include "tell/tell_parts.h"

#define INDENT 5u

/* Whether the last instruction, which ends at `end`, was the last of its
 * mapping and went on. */
static bool ran_past(const struct view *view, const struct event_leave *leave,
                     uint64_t last, uint64_t end)
{
    const struct region *region = view_region_at(view, last);

    return region && word_is(leave->how, "jump") && leave->to == end &&
           leave->to == region->addr + region->length;
}

/* Whether a ret has gone to another address than the one that its call left on
 * the stack. Known only where that ret was watched. */
static bool strays(const struct view *view, const struct event *event)
{
    const struct view_thread *thread = view_thread(view, event->tid);
    const struct frame *frame = view_returned(thread, event->leave.to);

    return word_is(event->leave.how, "return") && frame &&
           thread->regs.value[REG_PC] == event->leave.to &&
           frame->return_to.known && frame->return_to.value != event->leave.to;
}

/* "as a 32-bit int -4" where that is another number, else "". */
static const char *as_int(struct phrases *phrases, uint64_t value)
{
    int32_t number = (int32_t)value;

    return number == (int64_t)value
               ? ""
               : phrase(phrases, "as a 32-bit int %d", number);
}

/* "printf, libc.so.6, at 0x...", "twice at 0x..." of the program's own; where
 * it is no call "0x... in main()" of what has lines, or "0x... (luajit+0x9b)". */
static const char *leave_place(struct phrases *phrases,
                               const struct event *event)
{
    const struct event_leave *leave = &event->leave;
    const struct callee *callee = &leave->callee;
    const char *symbol = leave->to_symbol, *at;

    at = phrase_hex(phrases, leave->to);
    if (word_is(leave->how, "call") && callee->symbol)
        return symbol && strchr(symbol, ':') && callee->module
                   ? phrase(phrases, "%s, %s, at %s", callee->symbol,
                            callee->module, at)
                   : phrase(phrases, "%s at %s", callee->symbol, at);
    if (!symbol)
        return at;
    return event->source.file ? phrase(phrases, "%s in %s", at,
                                       phrase_function(phrases, symbol))
                              : phrase(phrases, "%s (%s)", at, symbol);
}

static void leave_words(struct story *story, enum tell_form form)
{
    const struct event_leave *leave = &story->event->leave;
    const char *how = leave->how, *number;
    uint64_t value = leave->value.value;
    const bool stray = strays(story_view(story), story->event);
    const struct event *last =
        story->seq > 0 ? history_event(story->history, story->seq - 1) : NULL;
    const char *from = "";

    if (last && last->kind == EVENT_STEP && last->tid == story->event->tid)
        from = story_label(story, last->step.addr);
    else
        last = NULL;
    if (form == TELL_TITLE && word_is(how, "call") && leave->callee.symbol)
        say(story, "call of %s", leave->callee.symbol);
    else if (form == TELL_TITLE)
        say(story, "%s out of generated code", how ? how : "way");
    if (form == TELL_TITLE && leave->value.known)
        say(story, ", %s = %s", reg_name(REG_RESULT),
            story_register(story, value));
    if (form == TELL_NEXT)
        say(story, "control leaves the generated code");
    if (form != TELL_SENTENCE)
        return;
    if (last && ran_past(story_view(story), leave, last->step.addr,
                         last->step.addr + last->step.bytes.len))
        say(story, "The CPU runs past the end of the mapping to");
    else if (stray)
        say(story,
            "A ret leaves the generated code%s, not for its caller but "
            "for",
            from);
    else if (word_is(how, "return"))
        say(story, "The generated code%s has returned to", from);
    else if (word_is(how, "call"))
        say(story,
            leave->callee.symbol
                ? "The generated code%s calls"
                : "The generated code%s calls what is not generated, at",
            from);
    else if (word_is(how, "signal"))
        say(story, "A signal takes control out of the generated code%s, to",
            from);
    else
        say(story, "Control leaves the generated code%s%s%s to", from,
            how ? " by a " : "", how ? how : "");
    say(story, " %s%s.", leave_place(&story->phrases, story->event),
        word_is(how, "return") ? story_in_source(story) : "");
    if (!leave->value.known || stray)
        return;
    say(story, " %s = ", reg_name(REG_RESULT));
    if (!story->decimal && value >= 10)
        say(story, "0x%" PRIx64 " = ", value);
    number = as_int(&story->phrases, value);
    say(story, *number ? "%" PRId64 " (%s)" : "%" PRId64, (int64_t)value,
        number);
    say(story, " is the result, if there is one.");
    say_vector_result(story);
}

static void leave_paragraph(struct telling *telling, const struct event *event)
{
    struct telling_thread *thread = telling_thread(telling, event->tid);
    const struct event_leave *leave = &event->leave;
    const bool stray = strays(&telling->view, event);
    uint64_t value = leave->value.value;
    const char *place = leave_place(&telling->phrases, event), *number, *line;
    struct pen *pen = &telling->pen;

    if (leave->value.known && !stray) {
        number = as_int(&telling->phrases, value);
        pen_column(pen, INDENT);
        pen_print(pen, ROLE_RESULT, "%s = 0x%" PRIx64 " = %" PRId64 "%s%s",
                  reg_name(REG_RESULT), value, (int64_t)value,
                  *number ? ", " : "", number);
        if (pen->column + 21 > PEN_WIDTH)
            pen_item(pen, INDENT, 20);
        else
            pen_column(pen, pen->column + 1);
        pen_text(pen, ROLE_NOTE, "(the result, if any)");
    }
    telling_left_vectors(telling, event);
    pen_item(pen, INDENT, strlen("back at ") + strlen(place));
    if (ran_past(&telling->view, leave, thread->last_addr, thread->last_end))
        pen_text(pen, ROLE_WARNING, "runs past the end of the mapping to ");
    else if (stray)
        pen_text(pen, ROLE_WARNING, "leaves, not for its caller but for ");
    else if (word_is(leave->how, "return"))
        pen_text(pen, ROLE_NOTE, "back at ");
    else if (word_is(leave->how, "call") && leave->callee.symbol)
        pen_text(pen, ROLE_NOTE, "calls ");
    else
        pen_print(pen, ROLE_NOTE, "leaves%s%s to ", leave->how ? " by a " : "",
                  leave->how ? leave->how : "");
    pen_cut(pen, ROLE_ADDRESS, place);
    line = phrase_line(&telling->phrases, &telling->view, thread->last_addr);
    if (*line) { /* whose last instruction that was */
        pen_item(pen, INDENT, strlen("from ") + strlen(line));
        pen_print(pen, ROLE_NOTE, "from %s", line);
    }
    pen_end(pen);
    telling_stack(telling, thread, event, NULL);
}

const struct tell_kind kind_leave = {leave_words, leave_paragraph, 0};
