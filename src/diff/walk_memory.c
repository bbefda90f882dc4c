/* SPDX-License-Identifier: MIT */
/*
 * Calls about memory, and signals.
 */
#include <inttypes.h>
#include <string.h>

#include "diff/walk.h"

/* Whether the code that two events carry is the same to the byte. */
bool walk_same_found(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool walk_is_about_memory(const struct event *event)
{
    return event->kind == EVENT_MAP || event->kind == EVENT_PROTECT ||
           event->kind == EVENT_UNMAP || event->kind == EVENT_REFUSED;
}

static void describe_memory(const struct event *event, struct buf *out)
{
    const char *call = NULL;
    char prot[4];

    switch (event->kind) {
    case EVENT_MAP:
        prot_text(event->map.prot, prot);
        call = event->map.call;
        buf_printf(out, "%" PRIu64 " bytes %s", event->map.length, prot);
        break;
    case EVENT_PROTECT:
        prot_text(event->protect.prot, prot);
        call = event->protect.call;
        buf_printf(out, "%" PRIu64 " bytes become %s", event->protect.length,
                   prot);
        break;
    case EVENT_UNMAP:
        call = event->unmap.call;
        buf_printf(out, "%" PRIu64 " bytes go away", event->unmap.length);
        break;
    case EVENT_SIGNAL:
        buf_printf(out, "signal %" PRId64 " %s", event->signal.number,
                   event->signal.name ? event->signal.name : "");
        break;
    default:
        call = event->refused.call;
        buf_printf(out, "refused, %s",
                   event->refused.error ? event->refused.error : "an error");
    }
    if (call)
        buf_printf(out, ": %s", call);
}

static bool same_event(struct walk *walk, const struct event *a,
                       const struct event *b)
{
    switch (a->kind) {
    case EVENT_MAP:
        return a->map.length == b->map.length && a->map.prot == b->map.prot &&
               word_is(a->map.backing, b->map.backing);
    case EVENT_PROTECT:
        return a->protect.length == b->protect.length &&
               a->protect.prot == b->protect.prot &&
               same_address(walk->same, a->protect.addr, b->protect.addr);
    case EVENT_UNMAP:
        return a->unmap.length == b->unmap.length &&
               same_address(walk->same, a->unmap.addr, b->unmap.addr);
    case EVENT_SIGNAL:
        return a->signal.number == b->signal.number &&
               a->signal.code == b->signal.code &&
               (!a->signal.pc.known || !b->signal.pc.known ||
                same_address(walk->same, a->signal.pc.value,
                             b->signal.pc.value));
    default:
        return word_is(a->refused.error, b->refused.error);
    }
}

/* left or right is NULL where the other side has none. */
static void say_other(struct walk *walk, const struct event *left,
                      const struct event *right)
{
    const bool is_signal = (left && left->kind == EVENT_SIGNAL) ||
                           (right && right->kind == EVENT_SIGNAL);
    struct buf text[2] = {{0}, {0}};

    buf_append_text(&text[0], left ? "" : "none");
    buf_append_text(&text[1], right ? "" : "none");
    if (left)
        describe_memory(left, &text[0]);
    if (right)
        describe_memory(right, &text[1]);
    walk_say(walk, is_signal ? DIFF_STATUS : DIFF_MAPPINGS, left, right,
             is_signal ? "a signal" : "a call about memory", buf_text(&text[0]),
             buf_text(&text[1]));
    buf_release(&text[0]);
    buf_release(&text[1]);
}

void walk_memory(struct walk *walk)
{
    struct walk_side *side = walk->side;
    const struct event *a = &side[0].now.event, *b = &side[1].now.event;
    const struct region *left, *right;

    if (a->kind == EVENT_UNMAP)
        walk_compare(walk, a->unmap.addr);
    if (!same_event(walk, a, b))
        say_other(walk, a, b);
    walk_take(&side[0]);
    walk_take(&side[1]);
    if (a->kind == EVENT_PROTECT) {
        if (!walk_same_found(a->protect.code, b->protect.code))
            walk_touch(walk, a->protect.addr);
        walk_compare(walk, a->protect.addr);
    }
    if (a->kind != EVENT_MAP)
        return;
    left = view_region_at(&side[0].view, a->map.addr);
    right = view_region_at(&side[1].view, b->map.addr);
    if (left && right)
        same_pair(walk->same, left->mapping, right->mapping);
}

/* Has the side such an event further on? */
static bool comes_later(const struct walk_side *side, enum event_kind kind)
{
    for (uint64_t at = side->at; at < side->store->count; at++)
        if (store_event(side->store, at)->kind == kind)
            return true;
    return false;
}

/* If calls of the one side were not watched, the other's may only not be there
 * yet. */
void walk_one_has(struct walk *walk, bool which)
{
    const struct event *event = &walk->side[which].now.event;

    if (!walk->side[!which].limited &&
        !(walk->side[which].limited &&
          comes_later(&walk->side[!which], event->kind)))
        say_other(walk, which == 0 ? event : NULL, which == 1 ? event : NULL);
    if (event->kind == EVENT_UNMAP && which == 0)
        walk_compare(walk, event->unmap.addr);
    walk_take(&walk->side[which]);
}
