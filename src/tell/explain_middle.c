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
#include "tell/explain_parts.h"

#include <inttypes.h>
#include <string.h>

#define SOON   4u   /* instructions */
#define SWEPT  4096 /* bytes, at most */
#define FOLLOW 512u /* steps, at most, that are gone back to the last jump */

/* How control was sent to where it last was. */
struct sent {
    uint64_t to;
    uint64_t seq;
    uint64_t index;
    struct seen by;    /* an instruction; or, if not known, */
    char place[64];    /* the caller's line, or "" */
    unsigned executed; /* instructions since */
};

static bool find_sent(const struct crash *crash, struct sent *sent)
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
            source_place(event, sent->place, sizeof sent->place);
            return event->enter.addr == sent->to &&
                   !(event->enter.how &&
                     strcmp(event->enter.how, "return") == 0);
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
    uint8_t bytes[INSN_MAX_LENGTH];

    if (!pages_written(&crash->view->pages, addr))
        return false;
    pages_read(&crash->view->pages, addr, sizeof bytes, bytes);
    return insn_decode(bytes, sizeof bytes, addr, insn) > 0;
}

/* Reads on from an instruction to the one that holds or begins at addr. */
static bool read_on(const struct crash *crash, uint64_t from, uint64_t addr,
                    struct insn *insn)
{
    while (from < addr && decode(crash, from, insn)) {
        if (is_inside(insn, addr))
            return true;
        if (insn->kind == INSN_RETURN || insn->kind == INSN_JUMP)
            return false; /* what follows may be anything */
        from = insn->addr + insn->length;
    }
    return false;
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

/* From an instruction that was executed. */
static bool find_by_step(const struct crash *crash, uint64_t addr, uint64_t to,
                         struct around *out)
{
    if (to - addr >= SWEPT || !read_on(crash, addr, to, &out->insn))
        return false;
    out->how = out->insn.addr == addr ? BY_STEP : BY_STEPS;
    return true;
}

/* From a store that looks like one of a whole instruction. */
static bool find_by_store(const struct crash *crash,
                          const struct event_write *write, uint64_t to,
                          struct around *out)
{
    out->how = BY_STORE;
    return to - write->addr <
               write->new.len &&decode(crash, write->addr, &out->insn) &&
           out->insn.length == write->new.len &&is_inside(&out->insn, to);
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
        } else if (event->kind == EVENT_WRITE &&
                   find_by_store(crash, &event->write, sent->to, out)) {
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

static void note_sent(const struct crash *crash, const struct sent *sent)
{
    enum explain_line line = EXPLAIN_WHY;

    if (sent->by.known) {
        note_seen(crash, line, &sent->by);
        note(crash, line, " went to ");
    } else {
        note(crash, line, "A call");
        if (*sent->place)
            note(crash, line, " at %s", sent->place);
        note(crash, line, " (event %" PRIu64 ") went to ", sent->seq);
    }
    note_code(crash, line, sent->to);
    note(crash, line, ".");
}

static void note_known(const struct crash *crash, const struct around *around)
{
    static const char *const words[][2] = {
        [BY_SWEEP] = {"read from the first byte of the code on", ""},
        [BY_STEP] = {"as event ", " executed it"},
        [BY_STEPS] = {"read on from event ", ""},
        [BY_STORE] = {"as event ", " stored it"},
    };
    enum explain_line line = EXPLAIN_WHERE;

    note(crash, line, " (%s", words[around->how][0]);
    if (around->how != BY_SWEEP)
        note(crash, line, "%" PRIu64 "%s", around->seq, words[around->how][1]);
    note(crash, line, ").");
}

static void note_inside(const struct crash *crash, const struct sent *sent,
                        const struct around *around)
{
    enum explain_line line = EXPLAIN_WHERE;

    note(crash, line, "; it came to ");
    note_code(crash, line, sent->to);
    note(crash, line, ", byte %" PRIu64 " of %s at ",
         sent->to - around->insn.addr, around->insn.text);
    note_code(crash, line, around->insn.addr);
    note_known(crash, around);
}

bool explain_middle(struct crash *crash)
{
    struct around around = {0};
    struct sent sent;
    bool is_start = false;
    uint64_t end;

    if (!crash->code || !find_sent(crash, &sent))
        return false;
    if (!find_in_past(crash, &sent, &around, &is_start) &&
        (is_start || !find_by_sweep(crash, &sent, &around)))
        return false;
    note(crash, EXPLAIN_WHAT,
         "It looks like the CPU was sent into the middle "
         "of an instruction");
    note_signal(crash);
    note_place(crash);
    note_inside(crash, &sent, &around);
    note_sent(crash, &sent);
    note(crash, EXPLAIN_WHY,
         " Read from there the bytes are other "
         "instructions than those that were meant.");
    end = around.insn.addr + around.insn.length;
    note(crash, EXPLAIN_NEXT, "Instructions begin at ");
    note_code(crash, EXPLAIN_NEXT, around.insn.addr);
    note(crash, EXPLAIN_NEXT, " and ");
    note_code(crash, EXPLAIN_NEXT, end);
    if (sent.by.known) {
        note(crash, EXPLAIN_NEXT,
             "; a distance counts from the end of the "
             "jump, ");
        note_code(crash, EXPLAIN_NEXT, sent.by.insn.addr + sent.by.insn.length);
    }
    note(crash, EXPLAIN_NEXT, ". ");
    note_command(crash, EXPLAIN_NEXT, sent.seq);
    note(crash, EXPLAIN_NEXT, " how it went there.");
    return true;
}
