/* SPDX-License-Identifier: MIT */
#include "check/moment.h"

#include <sys/mman.h>

#include "base/mem.h"

void moment_release(struct moment *moment)
{
    ranges_release(&moment->gone);
    free(moment->awaited);
}

/* Appends "munmap(0x7f..., 4096) at jit.c:20". */
static void name_event(struct buf *out, const char *call,
                       const struct event *event)
{
    buf_append_text(out, call ? call : event_name(event->kind));
    if (event->source.file)
        buf_printf(out, " at %s:%d", event->source.file, event->source.line);
}

/* --- stale --------------------------------------------------------------- */

/* The calls that were made from [addr, end) and have not returned. */
static void await(struct moment *moment, const struct ledger *ledger,
                  uint64_t seq, uint64_t addr, uint64_t end)
{
    const struct threads *threads = &ledger->view.threads;

    for (size_t i = 0; i < threads->count; i++)
        for (const struct frame *frame = threads->list[i].frame; frame;
             frame = frame->caller) {
            if (frame->kind != FRAME_CALLED || !frame->return_to.known ||
                !frame->from.known || frame->return_to.value < addr ||
                frame->return_to.value >= end)
                continue;
            moment->awaited =
                mem_grow(moment->awaited, moment->count, &moment->capacity,
                         sizeof *moment->awaited);
            moment->awaited[moment->count++] = (struct awaited){
                frame->return_to.value,
                ledger_place_at(ledger, seq, frame->from.value)};
        }
}

static void take_unmap(struct moment *moment, const struct ledger *ledger,
                       const struct event *event)
{
    const struct event_unmap *unmap = &event->unmap;
    const struct regions *regions = &ledger->view.regions;
    uint64_t end = unmap->addr + unmap->length;
    struct buf how = {0};

    if (end <= unmap->addr)
        return;
    name_event(&how, unmap->call, event);
    for (size_t i = 0; i < regions->count; i++) {
        const struct region *region = &regions->list[i];
        uint64_t from = region->addr, to = region->addr + region->length;
        struct gone *gone;

        from = from < unmap->addr ? unmap->addr : from;
        to = to > end ? end : to;
        if (from >= to || !view_generation(&ledger->view, region).executable)
            continue;
        gone = range_value_new(sizeof *gone + how.len + 1);
        gone->seq = event->seq;
        gone->start = region->start;
        memcpy(gone->how, buf_text(&how), how.len + 1);
        ranges_set(&moment->gone, from, to, &gone->value);
        range_value_drop(&gone->value);
        await(moment, ledger, event->seq, from, to);
    }
    buf_release(&how);
}

static void take_write(struct moment *moment, uint64_t addr, uint64_t length)
{
    if (length > 0 && addr + length > addr)
        ranges_forget(&moment->gone, addr, addr + length);
}

/* Control came, or was to come, to addr: where code was, and none is now. */
static void judge_arrival(const struct moment *moment, struct ledger *ledger,
                          const struct event *event, uint64_t addr)
{
    const struct gone *gone = ranges_at(&moment->gone, addr);
    struct place place;

    if (!gone || pages_written(&ledger->view.pages, addr)) {
        if (event->kind == EVENT_ENTER)
            ledger_held(ledger, RULE_STALE);
        return;
    }
    for (size_t i = moment->count; i-- > 0;) {
        if (moment->awaited[i].return_to != addr)
            continue;
        place = moment->awaited[i].call;
        place.seq = event->seq;
        ledger_found(ledger, RULE_STALE, &place, addr,
                     "while what it called was running, its memory went away: "
                     "%s (event %" PRIu64 "); the return led to nothing",
                     gone->how, gone->seq);
        return;
    }
    place = (struct place){.known = true,
                           .seq = event->seq,
                           .addr = addr,
                           .offset = addr - gone->start};
    ledger_found(ledger, RULE_STALE, &place, 0,
                 "control came to where code was until %s (event %" PRIu64 ")",
                 gone->how, gone->seq);
}

void moment_entered_middle(struct ledger *ledger, const struct place *place,
                           const char *how)
{
    ledger_found(ledger, RULE_STALE, place, 1,
                 "%s; it came here before that was stored, too, when an "
                 "instruction began here",
                 how);
}

/* --- races --------------------------------------------------------------- */

/* The thread runs generated code in [addr, end) at this moment. */
static bool is_in(const struct view_thread *thread, uint64_t addr, uint64_t end)
{
    uint64_t pc = thread->regs.value[REG_PC];

    return thread->inside && thread->regs_known && addr <= pc && pc < end;
}

static void judge_range(struct ledger *ledger, const struct event *event,
                        uint64_t addr, uint64_t length, const char *call)
{
    const struct threads *threads = &ledger->view.threads;
    struct buf how = {0};

    name_event(&how, call, event);
    for (size_t i = 0; i < threads->count; i++) {
        const struct view_thread *thread = &threads->list[i];
        struct place place;

        if (thread->tid == event->tid)
            continue;
        ledger_held(ledger, RULE_RACES);
        if (!is_in(thread, addr, addr + length))
            continue;
        place = ledger_place_at(ledger, event->seq, thread->regs.value[REG_PC]);
        ledger_found(ledger, RULE_RACES, &place, 0,
                     "thread %d was here when thread %d took its memory away: "
                     "%s",
                     thread->tid, event->tid, buf_text(&how));
    }
    buf_release(&how);
}

/* Where the operands of an instruction begin that can be changed while it runs:
 * its displacement and its immediate. */
static unsigned operands_begin(const struct insn *insn)
{
    unsigned begin = insn->length;

    for (uint8_t i = 0; i < insn->field_count; i++)
        if ((insn->fields[i].kind == FIELD_DISPLACEMENT ||
             insn->fields[i].kind == FIELD_IMMEDIATE) &&
            insn->fields[i].offset < begin)
            begin = insn->fields[i].offset;
    return begin;
}

/* A store that changes what an instruction is that another thread has run since
 * it came in. How it can be done is left alone: the whole of it at once, or a
 * trap or a jump to itself first, over its first bytes. */
static bool changes_running(const struct ledger *ledger,
                            const struct layout *layout,
                            const struct event_write *write, size_t i,
                            const struct view_thread *thread)
{
    const struct spot *spot = layout_at(layout, write->addr + i);
    uint64_t begin = write->addr + i;
    struct insn insn, now;

    if (!spot || !spot->ran || spot->tid != thread->tid ||
        spot->ran - 1 < thread->entered)
        return false;
    begin -= spot->back;
    if (!view_decode(&ledger->view, begin, &insn) ||
        spot->back >= operands_begin(&insn) ||
        (write->addr <= begin &&
         begin + insn.length <= write->addr + write->new.len))
        return false;
    return write->addr != begin ||
           insn_decode(write->new.data, write->new.len, begin, &now) <= 0 ||
           insn_goes_on(&now);
}

/* A byte that was written before and is no part of what the thread has run,
 * though it runs in that mapping: whether it is about to is not known. */
static bool may_be_next(const struct ledger *ledger,
                        const struct layout *layout, uint64_t addr,
                        const struct view_thread *thread)
{
    const struct spot *spot = layout_at(layout, addr);
    const struct view *view = &ledger->view;
    const struct region *here = view_region_at(view, addr);
    const struct region *there =
        view_region_at(view, thread->regs.value[REG_PC]);

    return pages_written(&view->pages, addr) && thread->regs_known && here &&
           there && here->mapping == there->mapping &&
           (!spot || !spot->ran || spot->tid != thread->tid);
}

/* Whether the store changes the byte. */
static bool changes(const struct event_write *write, size_t i)
{
    return write->old.data[i] != write->new.data[i];
}

static void judge_write(struct ledger *ledger, const struct layout *layout,
                        const struct event *event)
{
    const struct event_write *write = &event->write;
    const struct threads *threads = &ledger->view.threads;
    struct place place;

    if (!write->old.data || event_is_elsewhere(write))
        return;
    for (size_t i = 0; i < threads->count; i++) {
        const struct view_thread *thread = &threads->list[i];
        size_t at = 0;

        if (thread->tid == event->tid)
            continue;
        ledger_held(ledger, RULE_RACES);
        if (!thread->inside)
            continue;
        for (at = 0; at < write->new.len; at++)
            if (changes(write, at) &&
                may_be_next(ledger, layout, write->addr + at, thread))
                ledger_missed(ledger, RULE_RACES,
                              "code was changed while a thread was in its "
                              "memory, which may have come to it just then");
        at = 0;
        while (at < write->new.len &&
               (!changes(write, at) ||
                !changes_running(ledger, layout, write, at, thread)))
            at++;
        if (at == write->new.len)
            continue;
        place = ledger_place_at(ledger, event->seq,
                                write->addr + at -
                                    layout_at(layout, write->addr + at)->back);
        ledger_found(ledger, RULE_RACES, &place, 1,
                     "thread %d changed a part of it while thread %d, which "
                     "has run it, was in this code",
                     event->tid, thread->tid);
    }
}

/* --- events -------------------------------------------------------------- */

void moment_before(struct moment *moment, struct ledger *ledger,
                   const struct layout *layout, const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    const struct event_signal *signal = &event->signal;

    switch (event->kind) {
    case EVENT_WRITE:
        judge_write(ledger, layout, event);
        take_write(moment, event->write.addr, event->write.new.len);
        if (event->write.also.known)
            take_write(moment, event->write.also.value, event->write.new.len);
        break;
    case EVENT_PROTECT:
        if (protect->old_prot & ~protect->prot & PROT_EXEC)
            judge_range(ledger, event, protect->addr, protect->length,
                        protect->call);
        break;
    case EVENT_UNMAP: /* before execve(2) all other threads are ended */
        if (!word_is(event->unmap.call, "execve"))
            judge_range(ledger, event, event->unmap.addr, event->unmap.length,
                        event->unmap.call);
        take_unmap(moment, ledger, event);
        break;
    case EVENT_ENTER:
        judge_arrival(moment, ledger, event, event->enter.addr);
        break;
    case EVENT_SIGNAL:
        if (signal->addr.known && word_is(signal->access, "execute"))
            judge_arrival(moment, ledger, event, signal->addr.value);
        break;
    default:
        break;
    }
}
