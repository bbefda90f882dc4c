/* SPDX-License-Identifier: MIT */
/*
 * The CPU was sent into the middle of an instruction.
 *
 * From any byte on it reads something, so that shows only in what it does. It
 * looks like it when the place that control was last sent to lies within an
 * instruction that
 *
 *   - was executed before, or
 *   - follows from one that was, read one after the other up to there, or
 *   - was stored as a whole, or
 *   - is found by reading the code from its first byte to its last, all of
 *     which are instructions. Data among the code could mislead that, so it
 *     counts only if the crash came within a few instructions.
 */
#include <inttypes.h>

#include "tell/explain_parts.h"

#define SOON   4u   /* instructions */
#define SWEPT  4096 /* bytes, at most */
#define FOLLOW 512u /* steps, at most, that are gone back to the last jump */

/* How control was sent to where it last was. */
struct sent {
    uint64_t to;
    uint64_t seq;
    uint64_t index;
    struct seen by;    /* an instruction; or, if not known, */
    const char *place; /* the caller's line, or "" */
    unsigned executed; /* instructions since */
};

static bool find_sent(struct crash *crash, struct sent *sent)
{
    uint64_t index = crash->index;
    const struct event *event;

    *sent = (struct sent){.to = crash->pc};
    while (sent->executed < FOLLOW &&
           (event = past_find(crash, PAST_MOVES, &index))) {
        struct seen step;

        sent->index = index;
        sent->seq = event->seq;
        if (event->kind == EVENT_ENTER) {
            sent->place = phrase_source(&crash->phrases, &event->source);
            return event->enter.addr == sent->to &&
                   !word_is(event->enter.how, "return");
        }
        if (event->kind == EVENT_LEAVE)
            return false;
        seen_from(event, index, &step);
        if (step.next != sent->to)
            return false;
        if (step.insn.addr + step.insn.length != sent->to) {
            sent->by = step;
            return true;
        }
        sent->to = step.insn.addr;
        sent->executed++;
    }
    return false;
}

static bool is_inside(const struct insn *insn, uint64_t addr)
{
    return addr > insn->addr && addr - insn->addr < insn->length;
}

static bool decode(const struct crash *crash, uint64_t addr, struct insn *insn)
{
    return pages_written(&crash->view->pages, addr) &&
           view_decode(crash->view, addr, insn);
}

/* What earlier events tell of the instruction that the target is in the middle
 * of. Returns how it is known, "as event 7 stored it"; NULL: nothing tells; or
 * "": one was executed just there. */
static const char *find_in_past(struct crash *crash, const struct sent *sent,
                                struct insn *insn)
{
    uint64_t index = sent->index, to = sent->to;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index))) {
        uint64_t addr = event->step.addr, stored = event->write.addr;
        bool first = true;

        if (event->kind == EVENT_WRITE &&
            to - stored < event->write.new.len &&decode(crash, stored, insn) &&
            insn->length == event->write.new.len &&is_inside(insn, to))
            return phrase(&crash->phrases, "as event %" PRIu64 " stored it",
                          event->seq);
        if (event->kind != EVENT_STEP)
            continue;
        if (addr == to)
            return "";
        /* Reads on to the instruction that holds or begins at `to`. What
         * follows a ret or a jump may be anything. */
        for (; to - addr < SWEPT && addr < to && decode(crash, addr, insn);
             addr += insn->length, first = false) {
            if (is_inside(insn, to))
                return phrase(&crash->phrases,
                              first ? "as event %" PRIu64 " executed it"
                                    : "read on from event %" PRIu64,
                              event->seq);
            if (insn->kind == INSN_RETURN || insn->kind == INSN_JUMP)
                break;
        }
    }
    return NULL;
}

/* By reading all of the code; all of it must be instructions. */
static const char *find_by_sweep(const struct crash *crash,
                                 const struct sent *sent, struct insn *out)
{
    const struct region *region = view_region_at(crash->view, sent->to);
    uint64_t first, last, at;
    const char *found = NULL;
    struct insn insn;

    if (sent->executed > SOON || !region ||
        !pages_extent(&crash->view->pages, region->addr, region->length, &first,
                      &last) ||
        last - first > SWEPT)
        return NULL;
    for (at = first; at <= last; at = insn.addr + insn.length) {
        if (!decode(crash, at, &insn))
            return NULL;
        if (is_inside(&insn, sent->to)) {
            *out = insn;
            found = "read from the first byte of the code on";
        }
    }
    return found;
}

bool explain_middle(struct crash *crash)
{
    struct insn insn;
    struct sent sent;
    const char *known;

    if (!crash->code || !find_sent(crash, &sent))
        return false;
    known = find_in_past(crash, &sent, &insn);
    if (!known)
        known = find_by_sweep(crash, &sent, &insn);
    if (!known || !*known)
        return false;
    note_what(crash, "It looks like the CPU was sent into the middle of an "
                     "instruction");
    note_place(crash, "; it came to ");
    note(crash, WHERE, "%s, byte %" PRIu64 " of %s at %s (%s).",
         words_code(crash, sent.to), sent.to - insn.addr, insn.text,
         words_code(crash, insn.addr), known);
    if (sent.by.known)
        note(crash, WHY, "%s", words_seen(crash, &sent.by));
    else
        note(crash, WHY, "A call%s%s (event %" PRIu64 ")",
             *sent.place ? " at " : "", sent.place, sent.seq);
    note(crash, WHY,
         " went to %s. Read from there the bytes are other instructions than "
         "those that were meant.",
         words_code(crash, sent.to));
    note(crash, NEXT, "Instructions begin at %s and %s",
         words_code(crash, insn.addr),
         words_code(crash, insn.addr + insn.length));
    if (sent.by.known)
        note(crash, NEXT, "; a distance counts from the end of the jump, %s",
             words_code(crash, sent.by.insn.addr + sent.by.insn.length));
    note(crash, NEXT, ". ");
    note_command(crash, sent.seq);
    return true;
}
