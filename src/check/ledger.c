/* SPDX-License-Identifier: MIT */
#include "check/ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NEEDS 3 /* bits of RULE_NEEDS_ that a limit can take away */

void ledger_release(struct ledger *ledger)
{
    view_release(&ledger->view);
    ranges_release(&ledger->emissions);
    for (int rule = 0; rule < RULES; rule++)
        free(ledger->missed[rule]);
    for (int i = 0; i < NEEDS; i++)
        free(ledger->unwatched[i]);
    for (size_t i = 0; i < ledger->count; i++)
        event_free(ledger->findings[i].verdict);
    words_release(&ledger->words);
    buf_release(&ledger->packing);
    unpacked_release(&ledger->write);
    free(ledger->findings);
}

/* --- what happened ------------------------------------------------------- */

static void emit(struct ledger *ledger, const struct event *event,
                 uint64_t addr)
{
    struct event write = *event;
    struct ledger_store *emission;

    if (event->write.new.len == 0 || addr + event->write.new.len <= addr)
        return;
    write.source.excerpt = NULL;
    buf_clear(&ledger->packing);
    pack_event(&write, (struct pack_usual){event->seq, event->tid},
               &ledger->words, &ledger->packing);
    emission = range_value_new(sizeof *emission + ledger->packing.len);
    emission->seq = event->seq;
    emission->tid = event->tid;
    emission->addr = addr;
    emission->length = event->write.new.len;
    memcpy(emission->packed, ledger->packing.data, ledger->packing.len);
    ranges_set(&ledger->emissions, addr, addr + emission->length,
               &emission->value);
    range_value_drop(&emission->value);
}

/* What a limit of that budget takes away. What is not listed takes all. */
static unsigned lost_by(const struct event_limit *limit)
{
    static const struct {
        const char *budget;
        unsigned needs;
    } table[] = {
        {"names", 0},
        {"name-format", 0},
        {"name-style", 0},
        {"output", 0},
        {"refusals", 0},
        {"unmatched", 0},
        {"only", RULE_NEEDS_STEPS},
        {"last", RULE_NEEDS_STEPS},
        {"steps", RULE_NEEDS_STEPS},
        {"call-steps", RULE_NEEDS_STEPS},
        {"calls", RULE_NEEDS_STEPS},
        {"nt-flag", RULE_NEEDS_STEPS},
        {"stores", RULE_NEEDS_STORES},
        {"all-stores", RULE_NEEDS_STORES},
        {"data-stores", RULE_NEEDS_STORES},
        {"system-calls", RULE_NEEDS_STORES},
        {"length", RULE_NEEDS_STORES},
    };
    unsigned all = RULE_NEEDS_STEPS | RULE_NEEDS_STORES;

    if (event_ends_watching(limit))
        return all | RULE_NEEDS_MAPPINGS;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (word_is(limit->budget, table[i].budget))
            return table[i].needs;
    return all;
}

static void take_limit(struct ledger *ledger, const struct event_limit *limit)
{
    unsigned lost = lost_by(limit);

    for (unsigned i = 0; i < NEEDS; i++)
        if (lost >> i & 1 && !ledger->unwatched[i])
            ledger->unwatched[i] =
                mem_copy_text(limit->text ? limit->text : "a limit");
}

void ledger_apply(struct ledger *ledger, const struct event *event)
{
    const struct event_write *write = &event->write;

    if (event->kind == EVENT_WRITE) {
        emit(ledger, event, write->addr);
        if (write->also.known)
            emit(ledger, event, write->also.value);
    } else if (event->kind == EVENT_UNMAP && event->unmap.length > 0) {
        ranges_forget(&ledger->emissions, event->unmap.addr,
                      event->unmap.addr + event->unmap.length);
    } else if (event->kind == EVENT_LIMIT) {
        take_limit(ledger, &event->limit);
    }
    view_apply(&ledger->view, event);
}

struct place ledger_place(const struct event *event)
{
    const struct event_step *step = &event->step;
    struct place place = {.known = true,
                          .seq = event->seq,
                          .addr = step->addr,
                          .offset = step->offset};

    if (step->bytes.len <= sizeof place.bytes) {
        place.length = (uint8_t)step->bytes.len;
        if (place.length > 0)
            memcpy(place.bytes, step->bytes.data, place.length);
    }
    return place;
}

struct place ledger_place_at(const struct ledger *ledger, uint64_t seq,
                             uint64_t addr)
{
    const struct region *region = view_region_at(&ledger->view, addr);
    struct place place = {.known = true, .seq = seq, .addr = addr};
    struct insn insn;

    if (region)
        place.offset = addr - region->start;
    if (view_has_code(&ledger->view, addr) &&
        view_decode(&ledger->view, addr, &insn)) {
        place.length = insn.length;
        memcpy(place.bytes, insn.bytes, insn.length);
    }
    return place;
}

const struct ledger_store *ledger_emission(const struct ledger *ledger,
                                           uint64_t addr)
{
    return ranges_at(&ledger->emissions, addr);
}

const struct event *ledger_write(struct ledger *ledger,
                                 const struct ledger_store *emission)
{
    unpack_event(emission->packed,
                 (struct pack_usual){emission->seq, emission->tid},
                 &ledger->words, &ledger->write);
    return &ledger->write.event;
}

void ledger_decode(struct ledger *ledger, const struct event *event)
{
    const struct event_step *step = &event->step;

    ledger->decoded =
        step->bytes.data && insn_decode(step->bytes.data, step->bytes.len,
                                        step->addr, &ledger->insn) > 0;
    if (ledger->decoded)
        insn_touches(&ledger->insn, &ledger->touch);
}

/* --- what was found ------------------------------------------------------ */

void ledger_held(struct ledger *ledger, enum rule rule)
{
    ledger->held[rule]++;
}

void ledger_missed(struct ledger *ledger, enum rule rule, const char *why)
{
    if (!ledger->missed[rule])
        ledger->missed[rule] = mem_copy_text(why);
}

/* The verdict as it is found now: who emitted it is known now only. */
static struct event *make_verdict(struct ledger *ledger, enum rule rule,
                                  bool is_note, const struct place *place,
                                  const char *detail)
{
    const struct ledger_store *emission =
        place->known ? ledger_emission(ledger, place->addr) : NULL;
    struct event event = {.kind = EVENT_VERDICT};
    struct event_verdict *verdict = &event.verdict;
    struct insn insn;

    verdict->rule = rule_texts[rule].name;
    verdict->verdict =
        is_note && !ledger->strict ? VERDICT_NOTE : VERDICT_BROKEN;
    verdict->detail = detail;
    if (place->known) {
        verdict->at = (struct opt_u64){true, place->seq};
        verdict->addr = (struct opt_u64){true, place->addr};
        verdict->offset = (struct opt_u64){true, place->offset};
    }
    if (place->length > 0) {
        verdict->bytes = (struct bytes){place->bytes, place->length};
        if (insn_decode(place->bytes, place->length, place->addr, &insn) > 0) {
            view_name_target(&ledger->view, &insn);
            verdict->text = insn.text;
        }
    }
    if (place->source) {
        event.source = *place->source;
        event.source.excerpt = NULL;
    } else if (emission) {
        event.source = ledger_write(ledger, emission)->source;
        verdict->via = ledger->write.event.write.via;
        verdict->symbol = ledger->write.event.write.inlined
                              ? ledger->write.event.write.inlined
                              : ledger->write.event.write.symbol;
    }
    return event_keep(&event);
}

static void find(struct ledger *ledger, enum rule rule, bool is_note,
                 const struct place *place, uint64_t key, const char *format,
                 va_list args)
{
    struct finding *finding;
    struct buf detail = {0};
    unsigned same = 0;

    if (!ledger->wanted[rule])
        return;
    for (size_t i = 0; i < ledger->count; i++) {
        finding = &ledger->findings[i];
        if (finding->rule != rule)
            continue;
        if (finding->key == key &&
            finding->verdict->verdict.addr.value == place->addr) {
            finding->times++;
            return;
        }
        same++;
    }
    if (same == LEDGER_MOST) {
        ledger->more[rule]++;
        return;
    }
    buf_vprintf(&detail, format, args);
    ledger->findings = mem_grow(ledger->findings, ledger->count,
                                &ledger->capacity, sizeof *finding);
    ledger->findings[ledger->count++] = (struct finding){
        rule, is_note, key,
        make_verdict(ledger, rule, is_note, place, buf_text(&detail)), 1};
    buf_release(&detail);
}

void ledger_found(struct ledger *ledger, enum rule rule,
                  const struct place *place, uint64_t key, const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    find(ledger, rule, rule_texts[rule].is_note, place, key, format, args);
    va_end(args);
}

void ledger_noted(struct ledger *ledger, enum rule rule,
                  const struct place *place, uint64_t key, const char *format,
                  ...)
{
    va_list args;

    va_start(args, format);
    find(ledger, rule, true, place, key, format, args);
    va_end(args);
}

/* --- verdicts ------------------------------------------------------------ */

/* Whether no rule of the psABI is for this program. */
static bool is_foreign(const struct ledger *ledger, enum rule rule)
{
    return ledger->foreign && rule_texts[rule].needs & RULE_NEEDS_CONVENTION;
}

/* What there is to say of a rule that nothing was found of. */
static void judge(const struct ledger *ledger, enum rule rule,
                  struct event_verdict *verdict, struct buf *text)
{
    const char *lost = NULL;

    for (unsigned i = 0; i < NEEDS; i++)
        if (rule_texts[rule].needs >> i & 1 && ledger->unwatched[i] && !lost)
            lost = ledger->unwatched[i];
    verdict->verdict = VERDICT_NOT_SEEN;
    if (is_foreign(ledger, rule))
        buf_append_text(text, "the code is called with a stack that no C "
                              "function leaves: it has a calling convention "
                              "of its own");
    else if (ledger->missed[rule])
        buf_printf(text, "not all could be told: %s", ledger->missed[rule]);
    else if (lost)
        buf_printf(text, "not all was watched: %s", lost);
    else if (ledger->held[rule] == 0)
        buf_append_text(text, "nothing ran that it is about");
    else
        verdict->verdict = VERDICT_OK;
    verdict->detail = text->len ? buf_text(text) : NULL;
}

/* The verdict with what is known at the end only; its text is in `text`. */
static void tell_finding(const struct finding *finding, uint64_t more,
                         struct buf *text, struct event *event)
{
    *event = *finding->verdict;
    event->copy = NULL;
    buf_append_text(text, event->verdict.detail);
    if (finding->times > 1)
        buf_printf(text, " (%" PRIu64 " times)", finding->times);
    if (more > 0)
        buf_printf(text, "; and %" PRIu64 " more like it, not listed", more);
    buf_printf(text, "; %s", rule_texts[finding->rule].mend);
    event->verdict.detail = buf_text(text);
}

/* The first finding of the rule from that number on that is told, or count. */
static size_t next_shown(const struct ledger *ledger,
                         const struct verdicts *verdicts, enum rule rule,
                         size_t from)
{
    for (; from < ledger->count; from++) {
        const struct finding *finding = &ledger->findings[from];

        if (finding->rule == rule &&
            (verdicts->all || !finding->is_note || ledger->strict))
            break;
    }
    return from;
}

bool ledger_verdict(const struct ledger *ledger, struct verdicts *verdicts,
                    struct event *event)
{
    for (; verdicts->rule < RULES; verdicts->rule++, verdicts->at = 0) {
        enum rule rule = (enum rule)verdicts->rule;
        size_t first = verdicts->at, next;

        if (!ledger->wanted[rule])
            continue;
        *event = (struct event){.kind = EVENT_VERDICT};
        event->verdict.rule = rule_texts[rule].name;
        buf_clear(&verdicts->text);
        first = next_shown(ledger, verdicts, rule, first);
        next = next_shown(ledger, verdicts, rule, first + 1);
        if (first < ledger->count && !is_foreign(ledger, rule)) {
            verdicts->at = next;
            tell_finding(&ledger->findings[first],
                         next < ledger->count ? 0 : ledger->more[rule],
                         &verdicts->text, event);
            return true;
        }
        if (verdicts->all && verdicts->at == 0) {
            judge(ledger, rule, &event->verdict, &verdicts->text);
            verdicts->rule++;
            return true;
        }
    }
    return false;
}
