/* SPDX-License-Identifier: MIT */
#include "observe/maps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "cpu/regs.h"
#include "observe/bytes.h"
#include "observe/candidates.h"
#include "observe/guard.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/refusal.h"
#include "target/registers.h"

/* Guards what is still there of the range that a call was about: meanwhile
 * nobody else could. */
static void arm_range(struct thread *thread)
{
    uint64_t addr = thread->call.args[0];

    guard_arm_range(thread, addr, addr + page_end(thread->call.args[1]));
}

/* The same, and in what is left of a region that it has cut. */
static void arm_around(struct thread *thread)
{
    uint64_t addr, length;

    if (thread->space->users > 1 && call_range(&thread->call, &addr, &length))
        guard_arm_range(thread, addr - 1, addr + length + 1);
}

/* The range that a mprotect is about: a stack is meant down to its end. */
static bool protected_range(const struct thread *thread, uint64_t *addr,
                            uint64_t *end)
{
    const struct call *call = &thread->call;
    struct maps_line line;
    uint64_t length;

    if (!call_range(call, addr, &length))
        return false;
    *end = *addr + length;
    if ((call->args[2] & PROT_GROWSDOWN) &&
        proc_maps_find(thread->tracee.tid, *addr, &line) && line.start < *addr)
        *addr = line.start;
    return true;
}

/* A range this large is narrowed: the pages of a smaller one cost little. */
#define NARROWED (UINT64_C(1) << 20)

/* The kernel passes over the pages of a mprotect that have the protection
 * already. Where we hold execution back they have it not, and each would get it
 * and be deprived of it again: a program that asks for all of a large mapping
 * to be executable whenever it has changed one page (ruby --yjit) would take
 * minutes for a second. So the call is made for those regions alone whose
 * protection it changes, from the first to the last. Not where there is only
 * one region: it may be told though nothing changes, and is looked at then as
 * the program has it. */
static void narrow(struct thread *thread, uint64_t addr, uint64_t end)
{
    const struct call *call = &thread->call;
    const unsigned prot = call->args[2] & (PROT_READ | PROT_WRITE | PROT_EXEC);
    uint64_t from = end, to = addr, stop;

    if (call->number != SYS_mprotect || end - addr < NARROWED ||
        (call->args[2] & PROT_GROWSDOWN) || thread->space->implies_exec)
        return;
    for (uint64_t at = addr; at < end; at = stop) {
        const struct region *region = regions_at(&thread->space->regions, at);

        if (!region)
            return;
        stop = region->addr + region->length;
        if (stop > end)
            stop = end;
        if (at == addr && stop == end)
            return;
        if (region->prot == prot && !region->guard.lost)
            continue;
        if (from == end)
            from = at;
        to = stop;
    }
    if (to == addr) /* nothing changes: it succeeds with no page at all */
        from = addr;
    if ((from == addr && to == end) ||
        tracee_substitute(&thread->tracee, from, to - from) < 0)
        return;
    thread->narrowed = true;
    thread->narrowed_from = from;
    thread->narrowed_to = to;
}

/* A region of the range has the protection of that line now. Tells of it, even
 * of the same one if it is all that the call was about. */
static void protect(struct thread *thread, struct region *region,
                    const struct maps_line *line, bool is_all, const char *text)
{
    struct event event = {.kind = EVENT_PROTECT, .tid = thread->tracee.tid};
    struct region_guard *guard = &region->guard;
    unsigned old = region->prot;
    struct buf code = {0};

    if (bytes_are_open(thread->space, region))
        guard->blind = true;
    if (line->prot & ~old & PROT_EXEC) /* what it could do, a guard can undo */
        thread->space->given[PROT_READ | PROT_EXEC] = GIVEN_AGAIN;
    region->prot = line->prot;
    /* The call has given back what mprotect held back. */
    guard->window = guard->window_end = 0;
    guard->taken &= guard->writes == WRITE_GUARD_UFFD ? PROT_WRITE : 0;
    if ((region->prot & PROT_EXEC) && !guard->code) {
        guard->code = true; /* so was what was stored there */
        thread->run->spent.data_stores -= guard->stores;
        if (guard->as_data)
            guard->wanted |= candidate_wanted(thread, region, true);
    }
    if (region->prot == old && !is_all)
        return;
    thread_source(thread, &event.source);
    event.protect = (struct event_protect){
        .addr = region->addr,
        .length = region->length,
        .old_prot = old,
        .prot = region->prot,
        .call = text,
        .maps = line->text,
    };
    /* What is no code is not read: that would bring pages into being. */
    if (((old | region->prot) & PROT_EXEC) &&
        bytes_of_code(thread, region, 0, &code, &event.protect.code_offset))
        event.protect.code = (struct bytes){code.data, code.len};
    run_tell(thread->run, &event);
    buf_release(&code);
}

/* A call that failed may have changed the first of its pages nevertheless:
 * their protection is not the one that we have left there. */
static void after_protect(struct thread *thread, const char *text)
{
    bool failed = thread->call.result < 0, narrowed = thread->narrowed;
    struct regions *regions = &thread->space->regions;
    struct maps_line line, executed = {0};
    uint64_t addr, end;
    struct buf maps = {0};
    size_t i;

    if (!protected_range(thread, &addr, &end)) {
        arm_range(thread);
        return;
    }
    thread->narrowed = false;
    if (narrowed) {
        addr = thread->narrowed_from;
        end = thread->narrowed_to;
    }
    i = regions_cut(regions, addr, end - addr);
    if (i + 1 < regions->count && regions->list[i + 1].addr < end)
        proc_maps_text(thread->tracee.tid, &maps); /* once for all */
    for (; i < regions->count && regions->list[i].addr < end; i++) {
        struct region *region = &regions->list[i];
        bool found =
            maps.len ? maps_find(buf_text(&maps), region->addr, &line)
                     : proc_maps_find(thread->tracee.tid, region->addr, &line);

        if (!found || (failed && line.prot == guard_shown(region)))
            continue;
        if (line.prot & ~region->prot & PROT_EXEC)
            executed = line;
        protect(thread, region, &line,
                !narrowed && region->length == end - addr, text);
    }
    buf_release(&maps);
    guard_arm_range(thread, addr, end);
    candidate_find_writable(thread, &executed);
    if (failed)
        arm_range(thread);
}

/* Pages have lost what they held, and with it what guarded them; where the call
 * was refused, those in front of a hole. */
static void after_empty(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    uint64_t addr, length, end, first, last;

    if (!call_range(&thread->call, &addr, &length) ||
        tracee_fetch(&thread->tracee) < 0)
        return;
    end = addr + length;
    for (struct region *region = regions_from(regions, addr);
         region && region->addr < end;
         region = regions_from(regions, region->addr + region->length)) {
        uint64_t at = addr, stop = end;

        region_clip(region, &at, &stop);
        /* They may be lost later, when the kernel needs them. */
        if (thread->call.args[2] == MADV_FREE)
            region->guard.shared = true;
        for (; at < stop; at += ARCH_PAGE_SIZE)
            if (pages_extent(&thread->space->pages, at, ARCH_PAGE_SIZE, &first,
                             &last))
                bytes_refresh(thread, region, at, "madvise");
        guard_renew(thread, region);
    }
    arm_range(thread);
}

/* --- mremap --------------------------------------------------------------- */

/* The kernel may refuse to move what lies in mappings of several protections,
 * and it is our guards that make them several. */
static void before_mremap(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    uint64_t addr = thread->call.args[0];
    uint64_t end = addr + page_end(thread->call.args[1]);
    struct region *region = regions_at(regions, addr);

    if (!region || region->addr + region->length >= end)
        return;
    for (; region && region->addr < end;
         region = regions_from(regions, region->addr + region->length)) {
        if (!region->guard.taken)
            continue;
        if (!thread_undo_call(thread))
            return;
        guard_set(thread, region, 0);
    }
}

/* What was known of a region's pages is told of those that hold it now. */
static void tell_moved(struct thread *thread, struct region *region,
                       uint64_t from, const struct pages *known)
{
    uint64_t first, last;

    if (tracee_fetch(&thread->tracee) < 0)
        return;
    for (uint64_t at = 0; at < region->length; at += ARCH_PAGE_SIZE)
        if (pages_extent(known, from + at, ARCH_PAGE_SIZE, &first, &last))
            bytes_refresh(thread, region, region->addr + at, "mremap");
}

/* A region has come to addr, and may have grown on the way. */
static void arrive(struct thread *thread, const struct region *from,
                   const struct pages *known, uint64_t addr, uint64_t length,
                   const char *text)
{
    struct region *region =
        regions_map(&thread->space->regions, addr, length, from->prot);
    struct region_guard *guard = &region->guard;
    struct maps_line line = {0};

    *guard = from->guard;
    guard->offset += from->addr - from->start;
    guard->writes = WRITE_GUARD_UNTRIED;
    if (from->guard.writes == WRITE_GUARD_UFFD)
        guard->taken &= PROT_EXEC;
    guard->wanted =
        candidate_wanted(thread, region,
                         (from->guard.wanted & PROT_WRITE) ||
                             from->length > thread->run->spent.max.length);
    guard_set(thread, region, 0);
    proc_maps_find(thread->tracee.tid, addr, &line);
    candidate_tell(thread, region, &line, text);
    tell_moved(thread, region, from->addr, known);
    guard_arm(thread, region, GUARDS);
}

static void after_mremap(struct thread *thread, const char *text)
{
    const struct call *call = &thread->call;
    struct regions *regions = &thread->space->regions;
    uint64_t old = call->args[0], addr = (uint64_t)call->result;
    uint64_t old_length = page_end(call->args[1]);
    uint64_t length = page_end(call->args[2]);
    bool stays = addr == old && length <= old_length;
    struct pages known = {0}; /* and the regions there, as they were before */
    struct region *list, *region, from;
    size_t first, count = 0;

    if (old_length == 0) { /* shared memory is there twice now */
        candidate_forget(thread, addr, length, text);
        region = regions_at(regions, old);
        if (!region)
            return;
        from = *region; /* with guards if it had any */
        from.addr = old;
        from.guard.blind = true;
        arrive(thread, &from, &known, addr, length, text);
        return;
    }
    first = regions_cut(regions, old, old_length);
    while (first + count < regions->count &&
           regions->list[first + count].addr < old + old_length)
        count++;
    list = mem_copy(regions->list + first, count * sizeof *list);
    ranges_copy(&known.ranges, &thread->space->pages.ranges);
    if (length < old_length)
        candidate_forget(thread, old + length, old_length - length, text);
    if (call->args[3] & MREMAP_DONTUNMAP) {
        /* The old place is still there, but all zero. */
        for (size_t i = 0; i < count; i++) {
            region = regions_at(regions, list[i].addr);
            tell_moved(thread, region, region->addr, &known);
            guard_renew(thread, region);
        }
    } else if (!stays) {
        candidate_forget(thread, old, old_length, text);
    }
    if (addr != old)
        candidate_forget(thread, addr, length, text);
    for (size_t i = 0; i < count && !stays; i++) {
        uint64_t at = addr + (list[i].addr - old), stop = at + list[i].length;

        if (stop > addr + length ||
            (i + 1 == count && stop == addr + old_length))
            stop = addr + length;
        if (at < stop)
            arrive(thread, &list[i], &known, at, stop - at, text);
    }
    arm_range(thread);
    free(list);
    ranges_release(&known.ranges);
}

/* --- all of them ---------------------------------------------------------- */

/* Its execution domain (personality(2)) may tell that protections are not all
 * that counts. */
static void look_at_domain(struct thread *thread)
{
    bool had = thread->space->implies_exec;

    thread->space->implies_exec =
        proc_personality(thread->tracee.pid) & READ_IMPLIES_EXEC;
    if (!thread->space->implies_exec || had)
        return;
    candidate_follow_brk(thread);
    thread_limit(thread, "personality", 0,
                 "what the program maps readable can be executed, too "
                 "(READ_IMPLIES_EXEC); of that only memory that it may "
                 "write is watched");
}

void maps_refused(struct thread *thread, const char *because)
{
    struct event event = {.kind = EVENT_REFUSED, .tid = thread->tracee.tid};
    struct spending *spent = &thread->run->spent;
    const struct call *call = &thread->call;
    struct buf text = {0}, why = {0};

    if (spent->refusals >= spent->max.refusals)
        return;
    call_describe(call, &text);
    if (because)
        buf_append_text(&why, because);
    else
        refusal_explain(call, thread->tracee.tid, &why);
    event.refused = (struct event_refused){
        .addr = {call->args[0] != 0, call->args[0]},
        .call = buf_text(&text),
        .error = refusal_error(call),
        .why = buf_text(&why),
    };
    thread_source(thread, &event.source);
    run_tell(thread->run, &event);
    if (budget_pay_refusal(spent) == BUDGET_refusals)
        thread_limit(thread, budget_word(BUDGET_refusals), 0,
                     "%" PRIu64 " calls about memory that failed were told; "
                     "those from here on are not",
                     spent->max.refusals);
    buf_release(&text);
    buf_release(&why);
}

void maps_before(struct thread *thread)
{
    enum call_kind kind = call_kind(&thread->call);
    uint64_t addr, end;

    if (kind == CALL_PROTECT && protected_range(thread, &addr, &end)) {
        candidate_discover(thread, addr, end);
        narrow(thread, addr, end);
    } else if (kind == CALL_MREMAP)
        before_mremap(thread);
}

void maps_after(struct thread *thread, bool succeeded)
{
    const struct call *call = &thread->call;
    const uint64_t *args = call->args;
    uint64_t result = (uint64_t)call->result, addr, length;
    enum call_kind kind = call_kind(call);
    struct space *space = thread->space;
    const struct region *region;
    const char *text = NULL;
    struct buf described = {0};
    struct maps_line line;

    if (!succeeded && kind >= CALL_MMAP && kind <= CALL_EMPTY)
        maps_refused(thread, NULL);
    if (!succeeded && kind != CALL_MMAP && kind != CALL_PROTECT &&
        kind != CALL_MREMAP && kind != CALL_EMPTY)
        return;
    space->changes++; /* any call may have written code */
    space->calls++;
    space->turns++;
    space->counted = false;
    if (kind >= CALL_MMAP && kind <= CALL_DETACH) {
        call_describe(call, &described);
        text = buf_text(&described);
    }
    switch (kind) {
    case CALL_MMAP:
        if (succeeded) {
            candidate_appeared(thread, result, result + page_end(args[1]),
                               args[3] & (MAP_STACK | MAP_GROWSDOWN), text);
            arm_around(thread);
        } else if ((args[3] & MAP_FIXED) && call_range(call, &addr, &length)) {
            candidate_forget_missing(thread, addr, length, text);
        }
        break;
    case CALL_PROTECT:
        after_protect(thread, text);
        break;
    case CALL_MUNMAP:
        candidate_forget(thread, args[0], page_end(args[1]), text);
        arm_around(thread);
        break;
    case CALL_MREMAP:
        if (succeeded) {
            after_mremap(thread, text);
            break;
        }
        arm_range(thread);
        candidate_forget_missing(thread, args[0], page_end(args[1]), text);
        if (args[3] & MREMAP_FIXED)
            candidate_forget_missing(thread, args[4], page_end(args[2]), text);
        break;
    case CALL_BRK:
        if (!space->follows_brk)
            break;
        addr = space->brk;
        space->brk = page_end(result);
        if (space->brk < addr)
            candidate_forget(thread, space->brk, addr - space->brk, text);
        else if (addr && space->brk > addr && space->implies_exec)
            candidate_appeared(thread, addr, space->brk, true, text);
        break;
    case CALL_ATTACH:
        if (proc_maps_find(thread->tracee.tid, result, &line))
            candidate_appeared(thread, result, line.end, false, text);
        break;
    case CALL_DETACH: /* it is one mapping, which may have been cut since */
        for (addr = args[0];
             (region = regions_from(&space->regions, addr)) != NULL &&
             region->start == args[0];
             addr += length) {
            addr = region->addr;
            length = region->length;
            candidate_forget(thread, addr, length, text);
        }
        break;
    case CALL_EMPTY:
        after_empty(thread);
        break;
    case CALL_DOMAIN:
        look_at_domain(thread);
        break;
    default:
        break;
    }
    buf_release(&described);
}

void maps_begin(struct thread *thread)
{
    look_at_domain(thread);
    candidate_find_executable(thread);
}

void maps_grown(struct thread *thread, uint64_t addr)
{
    struct regions *regions = &thread->space->regions;
    struct region *above = regions_from(regions, addr), *region;
    struct maps_line line;

    if (!above || above->addr <= addr || !(above->guard.taken & PROT_EXEC) ||
        !proc_maps_find(thread->tracee.tid, addr, &line) || line.start > addr ||
        line.end <= above->addr || strncmp(line.name, "[stack", 6) != 0)
        return;
    /* All of it lacks what we hold back from the part that was known; once
     * that is given back, the kernel shows it as one again. */
    guard_set(thread, above, 0);
    region =
        regions_map(regions, line.start, above->addr - line.start, above->prot);
    region->guard.taken = region->guard.wanted = PROT_EXEC;
    region->guard.blind = true;
    guard_set(thread, region, 0);
    proc_maps_find(thread->tracee.tid, addr, &line);
    candidate_tell(thread, region, &line, NULL);
    guard_arm(thread, region, GUARDS);
    guard_arm(thread, regions_from(regions, region->addr + region->length),
              GUARDS);
}
