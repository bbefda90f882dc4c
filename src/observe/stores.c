/* SPDX-License-Identifier: MIT */
/*
 * Who stores what: a store into a region whose write permission is held back
 * faults. The instruction tells where it will store; the guard is lifted, the
 * CPU executes that one instruction, and what is there afterwards is what it
 * stored, even if no byte changed.
 *
 * The kernel does not fault when a system call is to write there: the call
 * fails with EFAULT. So before such a call the guards are lifted, and what it
 * changed is found by comparing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"

void decode_at(const struct thread *thread, uint64_t pc, struct insn *out)
{
    uint8_t code[INSN_MAX_LENGTH];
    size_t len = proc_read(thread->tracee.tid, pc, code, sizeof code);

    if (insn_decode(code, len, pc, out) != 1)
        *out = (struct insn){.addr = pc};
}

void accesses_prepare(struct accesses *accesses, pid_t pid,
                      const struct insn *insn, const struct regs *regs)
{
    struct insn_access what[MAX_ACCESSES];

    accesses->count = insn_accesses(insn, regs, what, MAX_ACCESSES);
    for (size_t i = 0; i < accesses->count; i++) {
        struct access *access = &accesses->list[i];
        size_t size = what[i].size;

        if (size > ACCESS_BYTES)
            size = ACCESS_BYTES;
        access->what = what[i];
        access->known =
            (uint32_t)proc_read(pid, what[i].addr, access->old_bytes, size);
    }
}

/* The part of an access that lies in the region; false if there is none. */
static bool clip(const struct access *access, const struct region *region,
                 uint64_t *addr, size_t *size)
{
    uint64_t first = access->what.addr;
    uint64_t end = first + access->known;

    if (first < region->addr)
        first = region->addr;
    if (end > region->addr + region->length)
        end = region->addr + region->length;
    *addr = first;
    *size = end > first ? end - first : 0;
    return end > first;
}

/* Stores whose extent the decoder does not know: the bytes at the fault. */
static void assume_store(struct thread *thread, uint64_t addr)
{
    struct access *access = &thread->stores.list[0];

    thread->stores.count = 1;
    access->what = (struct insn_access){.addr = addr, .size = 8};
    access->what.written = true;
    access->known = (uint32_t)proc_read(thread->tracee.tid, addr,
                                        access->old_bytes, access->what.size);
}

static bool touches(const struct accesses *accesses,
                    const struct region *region)
{
    uint64_t addr;
    size_t size;

    for (size_t i = 0; i < accesses->count; i++)
        if (accesses->list[i].what.written &&
            clip(&accesses->list[i], region, &addr, &size))
            return true;
    return false;
}

/* Opens (or closes again) the pages that the stores go to. */
static void set_guards(struct observer *observer, struct thread *thread,
                       bool open)
{
    const struct accesses *stores = &thread->stores;
    struct regions *regions = &thread->space->regions;
    uint64_t addr;
    size_t size;

    for (size_t i = 0; i < regions->count; i++) {
        struct region *region = &regions->list[i];

        if (!((region->guard.wanted | region->guard.taken) & PROT_WRITE))
            continue;
        for (size_t a = 0; a < stores->count; a++) {
            if (!stores->list[a].what.written ||
                !clip(&stores->list[a], region, &addr, &size))
                continue;
            if (open)
                guard_open(observer, thread, region, addr, size);
            else
                guard_close(observer, thread, region, addr, size);
        }
    }
}

void store_begin(struct observer *observer, struct thread *thread,
                 uint64_t fault_addr)
{
    struct region *region;

    tracee_pin(&thread->tracee);
    tracee_regs(&thread->tracee, &thread->store_regs);
    accesses_prepare(&thread->stores, thread->tracee.tid, &thread->store_insn,
                     &thread->store_regs);
    region = regions_at(&thread->space->regions, fault_addr);
    if (!touches(&thread->stores, region))
        assume_store(thread, fault_addr);
    thread->storing = true;
    set_guards(observer, thread, true);
    observer_let(thread, RESUME_STEP, 0);
}

static void emit_write(struct observer *observer, struct thread *thread,
                       struct region *region, uint64_t addr, struct bytes old,
                       struct bytes new, const char *by,
                       const struct srcline *source)
{
    struct event event = {.kind = EVENT_WRITE, .tid = thread->tracee.tid};

    event.source = *source;
    event.write = (struct event_write){
        .addr = addr,
        .offset = addr - region->start,
        .old = old,
        .new = new,
        .pc = by ? tracee_pc(&thread->tracee) : thread->store_insn.addr,
        .text =
            !by && thread->store_insn.length ? thread->store_insn.text : NULL,
        .by = by,
    };
    observer_emit(observer, &event);
    pages_write(&thread->space->pages, addr, new);
    thread->space->changes++;
    code_changed(region, addr, new.len);
}

/* Emits what one access stored into one region, and pays for it. */
static void tell_store(struct observer *observer, struct thread *thread,
                       struct region *region, const struct access *access,
                       const struct srcline *source)
{
    uint8_t now[ACCESS_BYTES];
    uint64_t addr;
    size_t size;

    if (!(region->guard.wanted & PROT_WRITE) ||
        !clip(access, region, &addr, &size) ||
        proc_read(thread->tracee.tid, addr, now, size) != size)
        return;
    emit_write(
        observer, thread, region, addr,
        (struct bytes){access->old_bytes + (addr - access->what.addr), size},
        (struct bytes){now, size}, NULL, source);
    observer->stores++;
    if (++region->guard.stores < observer->budget.stores)
        return;
    region->guard.wanted &= ~(unsigned)PROT_WRITE;
    observer_limit(observer, thread, "stores", region->addr,
                   "%" PRIu64 " stores into the region at 0x%" PRIx64
                   " were watched; later ones are not, its bytes are read "
                   "when it is executed",
                   region->guard.stores, region->addr);
}

void store_end(struct observer *observer, struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    struct srcline source = {0};

    thread->storing = false;
    lines_find_caller(observer->lines, &thread->store_regs, &source);
    for (size_t a = 0; a < thread->stores.count; a++)
        for (size_t i = 0; i < regions->count; i++)
            if (thread->stores.list[a].what.written)
                tell_store(observer, thread, &regions->list[i],
                           &thread->stores.list[a], &source);
    if (observer->stores >= observer->budget.all_stores)
        guard_drop_stores(observer, thread, "all-stores",
                          "as many stores were watched as may be in one run; "
                          "later ones are not, code is read when it is "
                          "executed");
    set_guards(observer, thread, false);
}

void store_abort(struct observer *observer, struct thread *thread)
{
    thread->storing = false;
    set_guards(observer, thread, false);
}

/* --- system calls -------------------------------------------------------- */

void stores_lift_for_call(struct observer *observer, struct thread *thread)
{
    struct regions *regions = &thread->space->regions;

    for (size_t i = 0; i < regions->count; i++) {
        struct region *region = &regions->list[i];

        if (!(region->guard.taken & PROT_WRITE) ||
            !call_may_write(&thread->call, region->addr, region->length))
            continue;
        if (!thread->lifted) {
            /* From here on the call has not begun; it will begin again. */
            if (tracee_rewind(&thread->tracee) < 0)
                return;
            thread->lifted = true;
            thread->in_call = false;
        }
        guard_set(observer, thread, region,
                  region->guard.taken & ~(unsigned)PROT_WRITE);
    }
}

/* Whether all of [addr, addr + size) was written, changed or not. */
static bool exact_write(const struct call *call, uint64_t *addr, uint64_t *size)
{
    bool first = call->number == SYS_getrandom;

    if (!first && call->number != SYS_read && call->number != SYS_pread64 &&
        call->number != SYS_recvfrom)
        return false;
    *addr = call->args[first ? 0 : 1];
    *size = call->result > 0 ? (uint64_t)call->result : 0;
    return true;
}

/* Emits [from, to) of the region as written by the call. */
static void tell_call_write(struct observer *observer, struct thread *thread,
                            struct region *region, const uint8_t *old,
                            const uint8_t *now, size_t from, size_t to)
{
    struct srcline source = {0};
    struct buf name = {0};
    struct regs regs;

    tracee_regs(&thread->tracee, &regs);
    lines_find_caller(observer->lines, &regs, &source);
    call_name(&thread->call, &name);
    emit_write(observer, thread, region, region->addr + from,
               (struct bytes){old + from, to - from},
               (struct bytes){now + from, to - from}, buf_text(&name), &source);
    buf_release(&name);
}

/* Compares a region with what is known of it and tells each difference. */
static void tell_differences(struct observer *observer, struct thread *thread,
                             struct region *region)
{
    uint8_t *old = mem_alloc(region->length);
    uint8_t *now = mem_alloc(region->length);
    uint64_t addr, size;
    size_t i = 0, from;

    pages_read(&thread->space->pages, region->addr, region->length, old);
    size_t len =
        proc_read(thread->tracee.tid, region->addr, now, region->length);
    if (exact_write(&thread->call, &addr, &size)) {
        uint64_t first = addr > region->addr ? addr : region->addr;
        uint64_t end = addr + size;

        if (end > region->addr + len)
            end = region->addr + len;
        if (first < end)
            tell_call_write(observer, thread, region, old, now,
                            first - region->addr, end - region->addr);
        i = len;
    }
    while (i < len) {
        while (i < len && old[i] == now[i])
            i++;
        for (from = i; i < len && old[i] != now[i];)
            i++;
        if (i > from)
            tell_call_write(observer, thread, region, old, now, from, i);
    }
    free(old);
    free(now);
}

void stores_after_call(struct observer *observer, struct thread *thread)
{
    struct regions *regions = &thread->space->regions;

    if (!thread->lifted || tracee_fetch(&thread->tracee) < 0)
        return;
    thread->lifted = false;
    for (size_t i = 0; i < regions->count; i++) {
        struct region *region = &regions->list[i];
        unsigned wanted = region->guard.wanted & region->prot & PROT_WRITE;

        if (!wanted || (region->guard.taken & PROT_WRITE))
            continue;
        tell_differences(observer, thread, region);
        guard_set(observer, thread, region, region->guard.taken | wanted);
    }
}
