/* SPDX-License-Identifier: MIT */
#include "check/named.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "base/utf8.h"

/* Instructions without a name that are no further apart are of one function. */
#define GAP 64u

/* So much of what has a name must be other code for that name to be judged: a
 * name of a whole buffer stays right. */
#define REWRITTEN_PART 4u

enum { MAPPINGS = 2 }; /* the bit of RULE_NEEDS_MAPPINGS */

/* A name as it was given. */
struct given {
    struct range_value value;
    uint64_t addr;
    uint64_t length;
    bool ran;           /* under this name */
    bool kept;          /* something of it ran since it was overwritten */
    bool again;         /* two instructions of the new code did */
    struct place place; /* the first of them */
    char name[];
};

/* Instructions without one, side by side. */
struct unnamed {
    struct range_value value;
    struct place place; /* the first of them */
};

void named_release(struct named *named)
{
    ranges_release(&named->given);
    ranges_release(&named->unnamed);
    ranges_release(&named->rewritten);
    ranges_release(&named->executable);
}

/* Gives the range a value that only says that it has one. */
static void mark(struct ranges *ranges, uint64_t addr, uint64_t length)
{
    struct range_value *value;

    if (addr + length <= addr)
        return;
    value = range_value_new(sizeof *value);
    ranges_set(ranges, addr, addr + length, value);
    range_value_drop(value);
}

/* How many bytes of the range have a value. */
static uint64_t marked(const struct ranges *ranges, uint64_t addr,
                       uint64_t length)
{
    size_t left;
    const struct stretch *at = ranges_from(ranges, addr, &left);
    uint64_t end = addr + length, sum = 0;

    for (; left > 0 && at->from < end; at++, left--) {
        uint64_t from = at->from > addr ? at->from : addr;

        sum += (at->to < end ? at->to : end) - from;
    }
    return sum;
}

/* The name as it is told; valid until the next one. */
static const char *shown(const char *name, char *out, size_t size)
{
    struct bytes text = {(const uint8_t *)name, strlen(name)};
    size_t len = utf8_cut(text, size - 4);

    snprintf(out, size, "%.*s%s", (int)len, name, len < text.len ? "..." : "");
    return out;
}

/* --- the bytes of a jitdump ----------------------------------------------- */

/* The first byte of [from, to) that is not as the dump has it, or `to`. What is
 * stored once, into fresh memory, was zero before and is what was stored since:
 * the dump has the one or the other, of all bytes of that store. Of what was
 * stored again nobody knows when the dump was written; it is passed over. */
static uint64_t first_wrong(const struct event_write *write,
                            const struct ledger_store *store,
                            const struct event_name *name, uint64_t from,
                            uint64_t to)
{
    uint64_t wrong = to;
    bool is_before = true;

    for (uint64_t at = from; at < to; at++) {
        const uint8_t said = name->code.data[at - name->addr];
        const size_t i = at - store->addr;

        if (i >= write->old.len || i >= write->new.len || write->old.data[i])
            return to;
        is_before &= said == 0;
        if (wrong == to && write->new.data[i] != said)
            wrong = at;
    }
    return is_before ? to : wrong;
}

static void judge_bytes(struct ledger *ledger, const struct event *event)
{
    const struct event_name *name = &event->name;
    uint64_t end = name->addr + name->code.len;
    size_t left;
    const struct stretch *at =
        ranges_from(&ledger->emissions, name->addr, &left);

    for (; left > 0 && at->from < end; at++, left--) {
        const struct ledger_store *store = (struct ledger_store *)at->value;
        uint64_t from = at->from > name->addr ? at->from : name->addr;
        uint64_t to = at->to < end ? at->to : end, wrong;
        struct place place;
        char text[48];

        wrong = first_wrong(&ledger_write(ledger, store)->write, store, name,
                            from, to);
        if (wrong == to)
            continue;
        place = ledger_place_at(ledger, event->seq, name->addr);
        ledger_found(ledger, RULE_NAMES, &place, 0,
                     "%s is said to have the byte %02x at +%" PRIu64
                     " (%s), but never had",
                     shown(name->name, text, sizeof text),
                     name->code.data[wrong - name->addr], wrong - name->addr,
                     name->by ? name->by : "perf map");
        return;
    }
    ledger_held(ledger, RULE_NAMES);
}

/* --- what happens --------------------------------------------------------- */

static void take_name(struct named *named, struct ledger *ledger,
                      const struct event *event)
{
    const struct event_name *name = &event->name;
    uint64_t end = name->addr + name->length;
    struct given *given;

    if (end <= name->addr || !name->name)
        return;
    if (name->code.len > 0)
        judge_bytes(ledger, event);
    given = range_value_new(sizeof *given + strlen(name->name) + 1);
    given->addr = name->addr;
    given->length = name->length;
    strcpy(given->name, name->name);
    ranges_set(&named->given, name->addr, end, &given->value);
    if (marked(&named->unnamed, name->addr, name->length) > 0)
        ledger_held(ledger, RULE_NAMES); /* it comes late */
    range_value_drop(&given->value);
    ranges_forget(&named->unnamed, name->addr, end);
    ranges_forget(&named->rewritten, name->addr, end);
}

/* What has a name, and ran by it, is stored over. */
static void take_store(struct named *named, uint64_t addr, uint64_t length)
{
    uint64_t end = addr + length;
    size_t left;
    const struct stretch *at = ranges_from(&named->given, addr, &left);

    for (; left > 0 && at->from < end; at++, left--) {
        struct given *given = (struct given *)at->value;
        uint64_t from = at->from > addr ? at->from : addr;
        uint64_t to = at->to < end ? at->to : end;

        if (!given->ran || to <= from)
            continue;
        given->kept = given->again = given->place.known = false;
        mark(&named->rewritten, from, to - from);
    }
}

/* Makes an instruction without a name one stretch with those next to it. */
static void take_unnamed(struct named *named, const struct event *event,
                         uint64_t addr, uint64_t end)
{
    struct unnamed *unnamed;
    size_t left;
    const struct stretch *at = ranges_from(&named->unnamed, addr - 1, &left);

    if (end < addr || ranges_at(&named->unnamed, addr))
        return;
    unnamed = range_value_new(sizeof *unnamed);
    unnamed->place = ledger_place(event);
    if (left > 0 && at->to == addr) {
        unnamed->place = ((struct unnamed *)at->value)->place;
        addr = at->from;
        at++, left--;
    }
    if (left > 0 && at->from == end)
        end = at->to;
    ranges_set(&named->unnamed, addr, end, &unnamed->value);
    range_value_drop(&unnamed->value);
}

static void take_step(struct named *named, struct ledger *ledger,
                      const struct event *event)
{
    const struct event_step *step = &event->step;
    uint64_t length = step->bytes.len ? step->bytes.len : 1;
    struct given *given = ranges_at(&named->given, step->addr);

    if (!ranges_at(&ledger->view.labels.ranges, step->addr)) {
        take_unnamed(named, event, step->addr, step->addr + length);
        return;
    }
    ledger_held(ledger, RULE_NAMES);
    if (!given)
        return;
    given->ran = true;
    if (marked(&named->rewritten, step->addr, length) < length)
        given->kept = true;
    else if (!given->place.known)
        given->place = ledger_place(event);
    else if (given->place.addr != step->addr)
        given->again = true;
}

/* --- the end -------------------------------------------------------------- */

static void judge_given(struct named *named, struct ledger *ledger,
                        const struct event *event, const struct given *given)
{
    const struct region *region = view_region_at(&ledger->view, given->addr);
    struct place place = {.known = region != NULL,
                          .seq = event->seq,
                          .addr = given->addr,
                          .offset = region ? given->addr - region->start : 0,
                          .source = &event->source};
    char text[48];

    shown(given->name, text, sizeof text);
    if (!ledger->unwatched[MAPPINGS] &&
        marked(&named->executable, given->addr, given->length) == 0)
        ledger_found(ledger, RULE_NAMES, &place, 0,
                     "%s is the name of %" PRIu64 " bytes at 0x%" PRIx64
                     " that never were executable",
                     text, given->length, given->addr);
    if (given->again && !given->kept &&
        marked(&named->rewritten, given->addr, given->length) >=
            given->length / REWRITTEN_PART)
        ledger_found(ledger, RULE_NAMES, &given->place, 1,
                     "other code was stored here and ran, and its name is "
                     "still %s, that of the code before it",
                     text);
}

static void judge_unnamed(const struct named *named, struct ledger *ledger)
{
    size_t left;
    const struct stretch *at = ranges_from(&named->unnamed, 0, &left), *first;

    while (left > 0) {
        const struct given *former = ranges_at(&named->given, at->from);
        uint64_t bytes = 0, end = at->from;
        char text[48];

        first = at;
        for (; left > 0 && at->from - end <= GAP; at++, left--) {
            end = at->to;
            bytes += at->to - at->from;
        }
        if (former)
            ledger_found(ledger, RULE_NAMES,
                         &((const struct unnamed *)first->value)->place, 2,
                         "code ran here without a name; %s was the name of "
                         "what was here before, or was taken back",
                         shown(former->name, text, sizeof text));
        else
            ledger_noted(ledger, RULE_NAMES,
                         &((const struct unnamed *)first->value)->place, 2,
                         "%" PRIu64 " bytes of code without a name ran from "
                         "here on, and other code has one",
                         bytes);
    }
}

static void take_exit(struct named *named, struct ledger *ledger,
                      const struct event *event)
{
    size_t left;
    const struct stretch *at = ranges_from(&named->given, 0, &left);
    const struct range_value *last = NULL;

    if (named->incomplete)
        ledger_missed(ledger, RULE_NAMES, "not all names were read");
    if (left == 0) /* it names nothing */
        return;
    for (; left > 0; at++, left--) {
        if (at->value != last)
            judge_given(named, ledger, event, (struct given *)at->value);
        last = at->value;
    }
    if (!named->incomplete)
        judge_unnamed(named, ledger);
}

void named_look(struct named *named, struct ledger *ledger,
                const struct event *event)
{
    const struct event_write *write = &event->write;
    const struct event_limit *limit = &event->limit;
    struct place nowhere = {0};

    switch (event->kind) {
    case EVENT_MAP:
        if (event->map.prot & PROT_EXEC)
            mark(&named->executable, event->map.addr, event->map.length);
        ranges_forget(&named->rewritten, event->map.addr,
                      event->map.addr + event->map.length);
        break;
    case EVENT_PROTECT:
        if (event->protect.prot & PROT_EXEC)
            mark(&named->executable, event->protect.addr,
                 event->protect.length);
        break;
    case EVENT_WRITE:
        take_store(named, write->addr, write->new.len);
        if (write->also.known)
            take_store(named, write->also.value, write->new.len);
        break;
    case EVENT_NAME:
        take_name(named, ledger, event);
        break;
    case EVENT_STEP:
        take_step(named, ledger, event);
        break;
    case EVENT_LIMIT:
        named->incomplete |= word_is(limit->budget, "names");
        if (word_is(limit->budget, "name-style"))
            ledger_noted(ledger, RULE_NAMES, &nowhere, event->seq, "%s",
                         limit->text ? limit->text : "a name is malformed");
        if (word_is(limit->budget, "name-format"))
            ledger_found(ledger, RULE_NAMES, &nowhere, event->seq, "%s",
                         limit->text ? limit->text : "a name is malformed");
        break;
    case EVENT_EXIT:
        take_exit(named, ledger, event);
        break;
    default:
        break;
    }
}
