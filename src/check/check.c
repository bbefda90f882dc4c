/* SPDX-License-Identifier: MIT */
/*
 * check.c - from events to verdicts. Each family of rules looks at an event
 * together with the state before it. Only calls must take an event between those
 * that ask what was before it and those that ask what a call came to.
 */
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/callout.h"
#include "check/calls.h"
#include "check/convention.h"
#include "check/ledger.h"
#include "check/memory.h"
#include "check/named.h"
#include "check/red_zone.h"
#include "check/structure.h"

struct check {
    struct source source;
    struct source *from;
    struct ledger ledger;
    struct calls calls;
    struct memory memory;
    struct named named;
    struct red_zone red_zone;
    struct structure structure;
    bool ended; /* the exit event has passed */
    uint64_t seq;
    int tid; /* of the exit event: verdicts have it, too */
    struct verdicts verdicts;
};

/* What has been led astray uses whatever is there. */
static void take_values(struct check *check, const struct event *event)
{
    struct call *call;

    if (structure_is_astray(&check->structure, event->tid)) {
        call =
            calls_now(calls_thread(&check->calls, event->tid), &check->ledger);
        if (call)
            values_forget(call);
        return;
    }
    values_look(&check->calls, &check->ledger, event);
    vectors_look(&check->calls, &check->ledger, event);
}

static void take(struct check *check, const struct event *event)
{
    struct ledger *ledger = &check->ledger;

    if (event->kind == EVENT_STEP)
        ledger_decode(ledger, event);
    memory_look(&check->memory, ledger, event);
    named_look(&check->named, ledger, event);
    red_zone_look(&check->red_zone, ledger, event);
    callout_look(&check->calls, ledger, event);
    calls_apply(&check->calls, ledger, event);
    convention_look(&check->calls, ledger, event);
    structure_before(&check->structure, ledger, event);
    take_values(check, event);
    ledger_apply(ledger, event);
    structure_after(&check->structure, ledger, event);
}

static bool is_same(const struct srcline *a, const struct srcline *b)
{
    return a->line == b->line && a->file && b->file &&
           strcmp(a->file, b->file) == 0;
}

/* Who emitted what a verdict is about, by all that is known at the end of who
 * calls whom. */
static void name_emitter(struct emissions *emissions, struct event *event)
{
    struct event_verdict *verdict = &event->verdict;
    struct event write = {.kind = EVENT_WRITE, .source = event->source};
    struct chain chain;

    if (verdict->via.count == 0)
        return;
    write.write.symbol = verdict->symbol;
    write.write.via = verdict->via;
    chain_of(&write, &chain);
    emissions_name(emissions, &chain);
    if (is_same(&chain.list[chain.named_by].source, &event->source))
        return;
    for (size_t i = 0; i < verdict->via.count && !verdict->named.known; i++)
        if (is_same(&chain.list[chain.named_by].source,
                    &verdict->via.list[i].source))
            verdict->named = (struct opt_u64){true, i + 1};
}

static int next(struct source *source, struct event *event, struct err *err)
{
    struct check *check = (struct check *)source;
    int more;

    if (check->ended &&
        ledger_verdict(&check->ledger, &check->verdicts, event)) {
        name_emitter(&check->structure.emitted.emissions, event);
        event->seq = ++check->seq;
        event->tid = check->tid;
        return 1;
    }
    more = source_next(check->from, event, err);
    if (more <= 0)
        return more;
    take(check, event);
    check->ended = event->kind == EVENT_EXIT;
    check->seq = event->seq;
    check->tid = event->tid;
    return more;
}

static int ready(struct source *source, struct err *err)
{
    struct check *check = (struct check *)source;

    return check->ended ? 1 : source_ready(check->from, err);
}

static void free_check(struct source *source)
{
    struct check *check = (struct check *)source;

    calls_release(&check->calls);
    memory_release(&check->memory);
    named_release(&check->named);
    red_zone_release(&check->red_zone);
    structure_release(&check->structure);
    ledger_release(&check->ledger);
    buf_release(&check->verdicts.text);
    source_free(check->from);
    free(check);
}

struct source *check_source_new(struct source *from,
                                const struct check_options *options)
{
    struct check *check = mem_alloc(sizeof *check);

    check->source = (struct source){next, ready, free_check};
    check->from = from;
    check->verdicts.all = options->all;
    check->ledger.strict = options->strict;
    for (int rule = 0; rule < RULES; rule++)
        check->ledger.wanted[rule] =
            (!options->some || options->chosen[rule]) &&
            !(options->no_convention &&
              rule_texts[rule].needs & RULE_NEEDS_CONVENTION);
    return &check->source;
}
