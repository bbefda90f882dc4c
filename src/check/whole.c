/* SPDX-License-Identifier: MIT */
/*
 * whole.c - which of two overlapping instructions is meant? One that control
 * fell into from the one before it is; of one that was jumped to it is not known
 * before something else says so. So the jump is blamed.
 */
#include "check/whole.h"

#include "base/mem.h"
#include "check/moment.h"

/* Whether an instruction at addr is the outer one without some of its prefixes,
 * as where a jump skips lock. */
static bool is_behind_prefixes(const struct insn *outer, uint64_t addr)
{
    return insn_are_prefixes(outer, addr - outer->addr);
}

/* Whether something says that an instruction begins at addr. */
static bool is_begin(const struct layout *layout, const struct ledger *ledger,
                     uint64_t addr)
{
    const struct spot *spot = layout_at(layout, addr);
    struct insn other;

    if (!pages_written(&ledger->view.pages, addr))
        return false;
    return spot && spot->ran
               ? spot->back == 0
               : layout_around(layout, &ledger->view, addr, &other) == 0;
}

/* Control came, by a jump at `from` or from outside (0), to addr, which is in
 * the middle of outer. */
static void tell_middle(const struct layout *layout, struct ledger *ledger,
                        uint64_t seq, uint64_t from, uint64_t addr,
                        const struct insn *outer)
{
    uint64_t culprit = from ? from : addr;
    struct place place = ledger_place_at(ledger, seq, culprit);
    uint64_t offset = place.offset + (outer->addr - culprit);
    const struct insn_field *distance = NULL;
    struct buf text = {0};
    struct insn jump;

    buf_printf(&text,
               "%s byte %" PRIu64 " of %s, which begins at offset %" PRIu64
               " and has %u bytes",
               from ? "it goes to" : "control came from outside to",
               addr - outer->addr + 1, outer->text, offset, outer->length);
    if (from && insn_decode(place.bytes, place.length, place.addr, &jump) > 0)
        distance = insn_distance(&jump);
    if (distance && is_begin(layout, ledger, addr - distance->size))
        buf_printf(&text,
                   "; it is %u too far, the size of its rel%u: that counts "
                   "from its end",
                   distance->size, 8u * distance->size);
    if (!from && layout_at(layout, addr)->was_entered)
        moment_entered_middle(ledger, &place, buf_text(&text));
    else
        ledger_found(ledger, RULE_WHOLE_INSTRUCTIONS, &place, addr, "%s",
                     buf_text(&text));
    buf_release(&text);
}

static bool was_led(uint8_t arrival)
{
    return arrival == ARRIVAL_JUMPED || arrival == ARRIVAL_ENTERED;
}

/* An instruction that ran overlaps this one: tells of the one that was led to.
 * Returns whether that is this one. */
static bool judge_overlap(const struct layout *layout, struct ledger *ledger,
                          const struct run *run, const struct spot *spot,
                          uint64_t begin)
{
    const struct insn *insn = &run->insn;
    uint64_t addr = run->place.addr;
    struct insn other;

    if (!view_decode(&ledger->view, begin, &other) ||
        is_behind_prefixes(&other, addr) || is_behind_prefixes(insn, begin))
        return false;
    if (was_led(run->arrival)) {
        if (begin < addr) {
            tell_middle(layout, ledger, run->event->seq,
                        run->arrival == ARRIVAL_JUMPED ? run->from->addr : 0,
                        addr, &other);
            return true;
        }
        if (!was_led(spot->arrival))
            return false; /* it goes before what was run: not into anything */
    }
    if (begin > addr && was_led(spot->arrival))
        tell_middle(layout, ledger, spot->ran - 1, spot->from, begin, insn);
    return false;
}

/* A rel8 that is right but for 256. */
void whole_wrapped(const struct layout *layout, struct ledger *ledger,
                   const struct insn *jump, const struct place *place)
{
    const struct insn_field *distance = insn_distance(jump);
    int64_t meant;

    if (!distance || distance->size != 1)
        return;
    meant = distance->value + (distance->value < 0 ? 256 : -256);
    if (is_begin(layout, ledger, jump->addr + jump->length + (uint64_t)meant))
        ledger_found(ledger, RULE_CUT_ADDRESS, place, 0,
                     "its rel8 is %" PRId64 ", and only %" PRId64
                     ", which does not fit 8 bits, would lead to where an "
                     "instruction begins",
                     distance->value, meant);
}

/* Returns false if it is broken by this arrival. */
bool whole_judge(const struct layout *layout, struct ledger *ledger,
                 const struct run *run)
{
    uint64_t addr = run->place.addr;
    const struct spot *spot = layout_first(layout, addr);
    struct insn outer;
    bool right = true, overlaps = spot != NULL;

    if (spot && layout_at(layout, addr)->back > 0)
        right = !judge_overlap(layout, ledger, run, spot,
                               addr - layout_at(layout, addr)->back);
    for (unsigned i = 1; right && i < run_length(run); i++) {
        spot = layout_at(layout, addr + i);
        if (!spot || !spot->ran || spot->back > 0)
            continue;
        overlaps = true;
        right = !judge_overlap(layout, ledger, run, spot, addr + i);
    }
    if (right && !overlaps && run->arrival == ARRIVAL_JUMPED &&
        layout_around(layout, &ledger->view, addr, &outer) == 1 &&
        !is_behind_prefixes(&outer, addr)) {
        tell_middle(layout, ledger, run->event->seq, run->from->addr, addr,
                    &outer);
        right = false;
    }
    if (right)
        ledger_held(ledger, RULE_WHOLE_INSTRUCTIONS);
    return right;
}

/* A direct call of a function that goes as far behind its beginning as is
 * missed by counting from the wrong end of the instruction. */
void whole_left(struct ledger *ledger, const struct insn *last,
                const struct place *place, const struct event_leave *leave)
{
    const struct insn_field *distance = insn_distance(last);
    const char *plus = leave->to_symbol ? strrchr(leave->to_symbol, '+') : NULL;
    uint64_t behind = plus ? strtoull(plus + 1, NULL, 16) : 0;

    if (!distance || distance->size != sizeof(uint32_t) ||
        last->addr + last->length + (uint64_t)distance->value != leave->to)
        return;
    if (behind == distance->size || behind == last->length)
        ledger_found(ledger, RULE_WHOLE_INSTRUCTIONS, place, leave->to,
                     "it goes %" PRIu64 " bytes behind the beginning of %.*s: "
                     "the distance counts from the end of the instruction",
                     behind, (int)(plus - leave->to_symbol), leave->to_symbol);
    else
        ledger_held(ledger, RULE_WHOLE_INSTRUCTIONS);
}
