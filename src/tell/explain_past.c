/* SPDX-License-Identifier: MIT */
#include "tell/explain_past.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cpu/calling.h"
#include "cpu/fault.h"

void recent_init(struct recent *recent)
{
    *recent = (struct recent){0};
    recent->stores[0] = (struct store){0};
    recent->stores[1] = (struct store){0};
}

void recent_release(struct recent *recent)
{
    store_release(&recent->stores[0]);
    store_release(&recent->stores[1]);
    event_free(recent->start);
}

void recent_add(struct recent *recent, const struct event *event)
{
    const struct store *store = &recent->stores[recent->now];

    if (store->count == PAST_EVENTS || store_memory(store) > PAST_BYTES) {
        recent->now = !recent->now;
        store_release(&recent->stores[recent->now]);
        recent->stores[recent->now] = (struct store){0};
        recent->first[recent->now] = recent->count;
    }
    store_append(&recent->stores[recent->now], event);
    if (recent->count == 0)
        recent->start = event_keep(event);
    recent->count++;
}

static const struct event *recent_event(void *from, uint64_t index)
{
    const struct recent *recent = from;

    for (unsigned i = 0; i < 2; i++)
        if (index - recent->first[i] < recent->stores[i].count)
            return store_event(&recent->stores[i], index - recent->first[i]);
    return index == 0 ? recent->start : NULL;
}

struct past recent_past(struct recent *recent, struct emissions *emissions)
{
    return (struct past){recent_event, recent,    recent->count,
                         false,        emissions, false};
}

const struct event *past_earlier(const struct crash *crash, int tid,
                                 uint64_t *index)
{
    uint64_t oldest =
        crash->index < PAST_EVENTS ? 0 : crash->index - PAST_EVENTS;

    while (*index > oldest) {
        const struct event *event =
            crash->past->event(crash->past->from, --*index);

        if (event && (!tid || event->tid == tid))
            return event;
    }
    return NULL;
}

bool past_is_gap(const struct event *event)
{
    const char *budget = event->limit.budget;

    return event->kind == EVENT_LIMIT &&
           (word_is(budget, "steps") || word_is(budget, "call-steps") ||
            word_is(budget, "nt-flag"));
}

const char *past_find_budget(const struct crash *crash)
{
    uint64_t index = crash->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index)))
        if (event->kind == EVENT_LIMIT &&
            (word_is(event->limit.budget, "steps") ||
             word_is(event->limit.budget, "call-steps") ||
             word_is(event->limit.budget, "calls")))
            return event->limit.budget;
    return NULL;
}

const struct event *past_find(const struct crash *crash, unsigned kinds,
                              uint64_t *index)
{
    const struct event *event;

    while ((event = past_earlier(crash, crash->event->tid, index))) {
        if (past_is_gap(event) ||
            (event->kind == EVENT_LIMIT && event_ends_watching(&event->limit)))
            return NULL;
        if (kinds & 1u << event->kind)
            return event;
    }
    return NULL;
}

/* Whether an event maps, unmaps, protects or stores the byte at addr. */
static bool is_at(const struct event *event, uint64_t addr)
{
    switch (event->kind) {
    case EVENT_WRITE:
        return addr - event->write.addr < event->write.new.len;
    case EVENT_MAP:
        return addr - event->map.addr < event->map.length;
    case EVENT_UNMAP:
        return addr - event->unmap.addr < event->unmap.length;
    case EVENT_PROTECT:
        return addr - event->protect.addr < event->protect.length;
    default:
        return false;
    }
}

const struct event *past_find_at(const struct crash *crash,
                                 enum event_kind kind, uint64_t addr)
{
    uint64_t index = crash->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index)))
        if (event->kind == kind && is_at(event, addr))
            return event;
    return NULL;
}

const struct event *past_find_seq(const struct crash *crash, uint64_t seq)
{
    uint64_t index = crash->index + 1; /* numbers only grow from that on */
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index)) && event->seq > seq)
        ;
    return event && event->seq == seq ? event : NULL;
}

/* --- calls that failed --------------------------------------------------- */

/* Whether an mprotect, in the words of strace, names the page of addr and would
 * have allowed that. A protection that has no name may be anything. */
static bool would_allow(const char *call, const char *access, uint64_t addr)
{
    const char *wanted = word_is(access, "execute") ? "PROT_EXEC"
                         : word_is(access, "write") ? "PROT_WRITE"
                                                    : "PROT_READ";
    uint64_t start, length;

    if (!call || !strstr(call, "mprotect(") ||
        sscanf(strchr(call, '('), "(%" SCNi64 ", %" SCNu64, &start, &length) !=
            2)
        return false;
    addr -= addr % ARCH_PAGE_SIZE;
    start -= start % ARCH_PAGE_SIZE;
    return addr >= start && addr - start < length + ARCH_PAGE_SIZE &&
           (strstr(call, wanted) || !strstr(call, "PROT_"));
}

const struct event *past_find_refused(const struct crash *crash,
                                      const char *access, uint64_t addr)
{
    uint64_t index = crash->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index))) {
        if (event->kind == EVENT_REFUSED &&
            would_allow(event->refused.call, access, addr))
            return event;
        if (event->kind != EVENT_WRITE && is_at(event, addr))
            return NULL;
    }
    return NULL;
}

const struct event *past_find_failed_map(const struct crash *crash)
{
    uint64_t index = crash->index;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index)))
        if (event->kind == EVENT_REFUSED && event->refused.call &&
            (!strncmp(event->refused.call, "mmap(", 5) ||
             !strncmp(event->refused.call, "mremap(", 7)))
            return event;
    return NULL;
}

/* --- values -------------------------------------------------------------- */

/* The value that a register last had, as far as events before `index` say. */
static bool known_value(const struct crash *crash, enum reg reg, uint64_t index,
                        uint64_t *value)
{
    const struct event *event;

    while ((event = past_find(crash, PAST(STEP) | PAST(ENTER), &index))) {
        if (event->kind == EVENT_ENTER) {
            *value = event->enter.regs.value[reg];
            return true;
        }
        for (size_t i = 0; i < event->step.regs.count; i++)
            if (event->step.regs.list[i].reg == reg) {
                *value = event->step.regs.list[i].new_value;
                return true;
            }
    }
    return false;
}

/*
 * From an enter by a return back to the leave that it is the return of, which
 * *index becomes the number of. What was called in between came and went: an
 * enter that is none, and a leave by a return. Returns NULL if there is none.
 */
static const struct event *find_leave(const struct crash *crash,
                                      uint64_t *index)
{
    const struct event *event;
    unsigned inner = 0;

    while ((event = past_find(crash, PAST(ENTER) | PAST(LEAVE), index))) {
        bool returned = event->kind == EVENT_ENTER
                            ? word_is(event->enter.how, "return")
                            : word_is(event->leave.how, "return");

        if (event->kind == EVENT_LEAVE && returned)
            inner++;
        else if (event->kind == EVENT_LEAVE && inner == 0)
            return event;
        else if (event->kind == EVENT_ENTER && !returned && inner-- == 0)
            return NULL;
    }
    return NULL;
}

static bool is_saved(enum reg reg)
{
    for (unsigned i = 0; i < CALLING_SAVED; i++)
        if (calling_saved[i] == reg)
            return true;
    return reg == REG_STACK;
}

/* Whether a value is the same behind an unwatched call or handler that led to
 * the enter event `*index`, for that must not change it; *index becomes the
 * number of the leave. If not, *out says what came between. */
static bool is_kept(const struct crash *crash, enum reg reg, uint64_t value,
                    uint64_t *index, struct value_from *out)
{
    const struct event *event = find_leave(crash, index);
    bool handler = event && word_is(event->leave.how, "signal");
    uint64_t old, at = *index;

    if (!event)
        return false;
    if (handler || is_saved(reg)) {
        if (known_value(crash, reg, *index, &old) && old == value)
            return true;
    }
    event = past_find(crash, PAST_MOVES, &at);
    out->kind = handler ? FROM_HANDLER : FROM_CALL;
    if (event && event->kind == EVENT_STEP)
        seen_from(event, at, &out->step);
    return false;
}

void past_find_value(const struct crash *crash, enum reg reg, uint64_t value,
                     uint64_t index, struct value_from *out)
{
    const struct event *event;
    uint64_t old;

    *out = (struct value_from){0};
    while ((event = past_find(crash, PAST_MOVES, &index))) {
        if (event->kind == EVENT_STEP) {
            seen_from(event, index, &out->step);
            for (size_t i = 0; i < event->step.regs.count; i++) {
                const struct reg_change *change = &event->step.regs.list[i];

                if (change->reg != reg)
                    continue;
                out->seq = event->seq;
                out->kind =
                    change->new_value == value ? FROM_STEP : FROM_UNKNOWN;
                return;
            }
            if (!insn_sets(&out->step.insn, reg))
                continue;
            out->seq = out->step.seq;
            out->kind = known_value(crash, reg, index, &old) && old != value
                            ? FROM_UNKNOWN
                            : FROM_STEP;
            return;
        }
        if (event->kind == EVENT_LEAVE || event->enter.regs.value[reg] != value)
            return;
        out->seq = event->seq;
        if (!word_is(event->enter.how, "return")) {
            out->kind = FROM_ENTRY;
            out->place = event->source;
            return;
        }
        if (!is_kept(crash, reg, value, &index, out))
            return;
    }
}

/* --- where nobody watched ------------------------------------------------- */

#define READ (1u << 20) /* bytes of code, at most */

/* The nearest address at or below pc in its region that was called, or that of
 * the first byte that was written there. */
static bool find_beginning(const struct crash *crash, uint64_t *start)
{
    const struct region *region = crash->code;
    uint64_t index = crash->index, last;
    const struct event *event;

    if (!pages_extent(&crash->view->pages, region->addr,
                      crash->pc - region->addr + 1, start, &last))
        return false;
    while ((event = past_earlier(crash, 0, &index)))
        if (event->kind == EVENT_ENTER && event->enter.addr > *start &&
            event->enter.addr <= crash->pc && word_is(event->enter.how, "call"))
            *start = event->enter.addr;
    return crash->pc - *start <= READ;
}

bool past_read_change(const struct crash *crash, enum reg reg, struct insn *out)
{
    const struct view *view = crash->view;
    bool goes_on = true;
    struct insn insn;
    uint64_t at;
    uint8_t byte;

    out->length = 0;
    if (!crash->code || !find_beginning(crash, &at))
        return false;
    while (at < crash->pc) {
        /* Between functions there may be zeros, or traps. */
        pages_read(&view->pages, at, 1, &byte);
        if (!goes_on && (byte == 0 || byte == trap_insn)) {
            at++;
            continue;
        }
        if (!view_decode(view, at, &insn))
            return false;
        goes_on = insn_goes_on(&insn) && insn.kind != INSN_RETURN &&
                  insn.kind != INSN_JUMP;
        if (!goes_on || insn.kind == INSN_CALL || insn.kind == INSN_SYSCALL)
            out->length = 0;
        else if (insn_writes(&insn, reg))
            *out = insn;
        at += insn.length;
    }
    return at == crash->pc && out->length &&
           insn_may_give(out, reg, crash->regs.value[reg]);
}

bool past_find_broken(const struct crash *crash, enum reg reg,
                      struct seen *step, const struct event **enter)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    uint64_t index = crash->index;
    const struct event *event = past_find(crash, PAST_MOVES, &index);
    unsigned inner = 0;

    *step = (struct seen){0};
    if (!is_saved(reg) || !thread || !thread->regs_known || !event ||
        event->kind != EVENT_LEAVE || !word_is(event->leave.how, "return"))
        return false;
    while ((event = past_find(crash, PAST_MOVES, &index))) {
        bool returned = event->kind == EVENT_LEAVE
                            ? word_is(event->leave.how, "return")
                            : word_is(event->enter.how, "return");

        for (size_t i = 0; event->kind == EVENT_STEP && !step->known &&
                           i < event->step.regs.count;
             i++)
            if (event->step.regs.list[i].reg == reg) {
                seen_from(event, index, step);
                break;
            }
        if (event->kind == EVENT_LEAVE && returned)
            inner++;
        if (event->kind != EVENT_ENTER || returned || inner-- > 0)
            continue;
        *enter = event;
        return step->known &&
               event->enter.regs.value[reg] != thread->regs.value[reg];
    }
    return false;
}

void seen_from(const struct event *event, uint64_t index, struct seen *out)
{
    const struct event_step *step = &event->step;

    *out = (struct seen){.known = true,
                         .index = index,
                         .seq = event->seq,
                         .next = step->next,
                         .insn = {.addr = step->addr}};
    if (step->bytes.data)
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &out->insn);
}
