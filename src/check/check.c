/* SPDX-License-Identifier: MIT */
/*
 * check.c - from events to verdicts. Each family of rules looks at an event
 * together with the state before it. Only calls must take an event between those
 * that ask what was before it and those that ask what a call came to.
 *
 * Where children are followed each process is judged by itself, and what a
 * child began with is taken from its parent: first the parent's events, then its
 * own (trace/lineage.h), once there are some that code can be judged by. What
 * these show of the parent is the parent's, and told of it alone.
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
#include "trace/lineage.h"

/* What is known of one process. */
struct judged {
    int pid;
    bool forked; /* and of what is known, events before that are its parent's */
    uint64_t since;
    struct ledger ledger;
    struct calls calls;
    struct memory memory;
    struct named named;
    struct red_zone red_zone;
    struct structure structure;
    int tid; /* of its exit event: verdicts have it, too */
};

struct check {
    struct source source;
    struct source *from;
    struct check_options options;
    struct lineage lineage;
    struct judged **list; /* the root at first */
    size_t count;
    size_t capacity;
    size_t told; /* of these, all verdicts */
    bool ended;  /* the last exit event has passed */
    uint64_t seq;
    struct verdicts verdicts;
};

/* What has been led astray uses whatever is there. */
static void take_values(struct judged *judged, const struct event *event)
{
    struct call *call;

    if (structure_is_astray(&judged->structure, event->tid)) {
        call = calls_now(calls_thread(&judged->calls, event->tid),
                         &judged->ledger);
        if (call)
            values_forget(call);
        return;
    }
    values_look(&judged->calls, &judged->ledger, event);
    vectors_look(&judged->calls, &judged->ledger, event);
}

static void look(struct judged *judged, const struct event *event)
{
    struct ledger *ledger = &judged->ledger;

    if (event->kind == EVENT_STEP)
        ledger_decode(ledger, event);
    memory_look(&judged->memory, ledger, event);
    named_look(&judged->named, ledger, event);
    red_zone_look(&judged->red_zone, ledger, event);
    callout_look(&judged->calls, ledger, event);
    calls_apply(&judged->calls, ledger, event);
    convention_look(&judged->calls, ledger, event);
    structure_before(&judged->structure, ledger, event);
    take_values(judged, event);
    ledger_apply(ledger, event);
    structure_after(&judged->structure, ledger, event);
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

static struct judged *judged_new(struct check *check, int pid)
{
    struct judged *judged = mem_alloc(sizeof *judged);
    const struct check_options *options = &check->options;

    judged->pid = judged->tid = pid;
    judged->ledger.strict = options->strict;
    for (int rule = 0; rule < RULES; rule++)
        judged->ledger.wanted[rule] =
            (!options->some || options->chosen[rule]) &&
            !(options->no_convention &&
              rule_texts[rule].needs & RULE_NEEDS_CONVENTION);
    check->list = mem_grow(check->list, check->count, &check->capacity,
                           sizeof *check->list);
    check->list[check->count++] = judged;
    return judged;
}

static void judged_free(struct judged *judged)
{
    calls_release(&judged->calls);
    memory_release(&judged->memory);
    named_release(&judged->named);
    red_zone_release(&judged->red_zone);
    structure_release(&judged->structure);
    ledger_release(&judged->ledger);
    free(judged);
}

static int look_back(void *context, const struct event *event)
{
    struct judged *judged = context;

    look(judged, event);
    judged->forked = true;
    judged->since = event->seq + 1;
    return 0;
}

/* Takes an event of one of several processes. A number may come twice: the
 * latest one that has it counts, and by an exec begins anew. */
static void take(struct check *check, const struct event *event)
{
    int pid = lineage_pid(&check->lineage, event);
    struct judged *judged = NULL;
    struct event own = lineage_own(event, pid);

    lineage_take(&check->lineage, event);
    if (event->kind != EVENT_START && !lineage_needs_past(event) &&
        event->kind != EVENT_EXIT)
        return;
    for (size_t i = check->count; i-- > 0 && !judged;)
        if (check->list[i]->pid == pid)
            judged = check->list[i];
    if (!judged && event->kind == EVENT_EXIT)
        return;
    if (!judged || event->kind == EVENT_EXEC) {
        judged = judged_new(check, pid);
        if (event->kind != EVENT_EXEC && event->kind != EVENT_START)
            lineage_replay(&check->lineage, pid, look_back, judged);
    }
    look(judged, &own);
    judged->tid = event->tid;
}

/* The next verdict that is to be told. */
static bool next_verdict(struct check *check, struct event *event)
{
    for (; check->told < check->count; check->told++) {
        struct judged *judged = check->list[check->told];
        bool all = check->options.all;

        check->verdicts.all = all && check->told == 0;
        while (ledger_verdict(&judged->ledger, &check->verdicts, event)) {
            if (judged->forked && event->verdict.at.known &&
                event->verdict.at.value < judged->since)
                continue;
            name_emitter(&judged->structure.emitted.emissions, event);
            event->seq = ++check->seq;
            event->tid = judged->tid;
            event->pid = check->lineage.has_children ? judged->pid : 0;
            return true;
        }
        buf_release(&check->verdicts.text);
        check->verdicts = (struct verdicts){0};
    }
    return false;
}

static int next(struct source *source, struct event *event, struct err *err)
{
    struct check *check = (struct check *)source;
    int more;

    if (check->ended && next_verdict(check, event))
        return 1;
    more = source_next(check->from, event, err);
    if (more <= 0)
        return more;
    take(check, event);
    check->ended = event->kind == EVENT_EXIT &&
                   lineage_pid(&check->lineage, event) == check->lineage.root;
    check->seq = event->seq;
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

    for (size_t i = 0; i < check->count; i++)
        judged_free(check->list[i]);
    free(check->list);
    lineage_release(&check->lineage);
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
    check->options = *options;
    return &check->source;
}
