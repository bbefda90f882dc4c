/* SPDX-License-Identifier: MIT */
/*
 * Into the middle of an instruction. From any byte on the CPU reads something,
 * so this shows only in what it does. It looks like it when the place that
 * control was last sent to lies within an instruction that
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
           (event = past_earlier(crash, crash->event->tid, &index))) {
        struct seen step;

        sent->index = index;
        sent->seq = event->seq;
        if (event->kind == EVENT_ENTER) {
            sent->place = phrase_source(&crash->phrases, &event->source);
            return event->enter.addr == sent->to &&
                   !word_is(event->enter.how, "return");
        }
        if (event->kind == EVENT_LEAVE || past_is_gap(event))
            return false;
        if (event->kind != EVENT_STEP)
            continue;
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

/* What is known of the code around the target. */
struct around {
    struct insn insn; /* it is in the middle of */
    enum {
        BY_SWEEP,
        BY_STEP,
        BY_STEPS,
        BY_STORE,
    } how;        /* that is known */
    uint64_t seq; /* from that event */
};

/* From an instruction that was executed: reads on from it to the one that holds
 * or begins at `to`. */
static bool find_by_step(const struct crash *crash, uint64_t addr, uint64_t to,
                         struct around *out)
{
    struct insn *insn = &out->insn;

    out->how = BY_STEP;
    if (to - addr >= SWEPT)
        return false;
    while (addr < to && decode(crash, addr, insn)) {
        if (is_inside(insn, to))
            return true;
        if (insn->kind == INSN_RETURN || insn->kind == INSN_JUMP)
            return false; /* what follows may be anything */
        addr = insn->addr + insn->length;
        out->how = BY_STEPS;
    }
    return false;
}

/* Returns false if nothing tells, and *is_start if an instruction was executed
 * just there. */
static bool find_in_past(const struct crash *crash, const struct sent *sent,
                         struct around *out, bool *is_start)
{
    uint64_t index = sent->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index))) {
        out->seq = event->seq;
        if (event->kind == EVENT_STEP) {
            if ((*is_start = event->step.addr == sent->to))
                return false;
            if (find_by_step(crash, event->step.addr, sent->to, out))
                return true;
        } else if (event->kind == EVENT_WRITE) { /* of a whole instruction? */
            uint64_t addr = event->write.addr, length = event->write.new.len;

            out->how = BY_STORE;
            if (sent->to - addr < length && decode(crash, addr, &out->insn) &&
                out->insn.length == length && is_inside(&out->insn, sent->to))
                return true;
        }
    }
    return false;
}

/* By reading all of the code; all of it must be instructions. */
static bool find_by_sweep(const struct crash *crash, const struct sent *sent,
                          struct around *out)
{
    const struct region *region = view_region_at(crash->view, sent->to);
    uint64_t first, last, at;
    bool found = false;
    struct insn insn;

    if (sent->executed > SOON || !region ||
        !pages_extent(&crash->view->pages, region->addr, region->length, &first,
                      &last) ||
        last - first > SWEPT)
        return false;
    for (at = first; at <= last; at = insn.addr + insn.length) {
        if (!decode(crash, at, &insn))
            return false;
        if (is_inside(&insn, sent->to)) {
            out->insn = insn;
            found = true;
        }
    }
    out->how = BY_SWEEP;
    return found;
}

/* How it is known: "as event 7 stored it" */
static const char *words_known(struct crash *crash, const struct around *around)
{
    static const char *const words[][2] = {
        [BY_STEP] = {"as event ", " executed it"},
        [BY_STEPS] = {"read on from event ", ""},
        [BY_STORE] = {"as event ", " stored it"},
    };

    return around->how == BY_SWEEP ? "read from the first byte of the code on"
                                   : phrase(&crash->phrases, "%s%" PRIu64 "%s",
                                            words[around->how][0], around->seq,
                                            words[around->how][1]);
}

bool explain_middle(struct crash *crash)
{
    struct around around = {0};
    const struct insn *insn = &around.insn;
    struct sent sent;
    bool is_start = false;

    if (!crash->code || !find_sent(crash, &sent))
        return false;
    if (!find_in_past(crash, &sent, &around, &is_start) &&
        (is_start || !find_by_sweep(crash, &sent, &around)))
        return false;
    note_what(crash, "It looks like the CPU was sent into the middle of an "
                     "instruction");
    note_place(crash);
    note(crash, WHERE, "; it came to %s, byte %" PRIu64 " of %s at %s (%s).",
         words_code(crash, sent.to), sent.to - insn->addr, insn->text,
         words_code(crash, insn->addr), words_known(crash, &around));
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
         words_code(crash, insn->addr),
         words_code(crash, insn->addr + insn->length));
    if (sent.by.known)
        note(crash, NEXT, "; a distance counts from the end of the jump, %s",
             words_code(crash, sent.by.insn.addr + sent.by.insn.length));
    note(crash, NEXT, ". %s how it went there.",
         words_command(crash, sent.seq));
    return true;
}
