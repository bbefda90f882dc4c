/* SPDX-License-Identifier: MIT */
#include "observe/store.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "cpu/arch.h"
#include "observe/bytes.h"
#include "observe/guard.h"
#include "target/calls.h"
#include "target/proc.h"
#include "target/registers.h"

/* The part of what an access stores that lies in the region, if any does. */
static bool clip(const struct access *access, const struct region *region,
                 uint64_t *addr, size_t *size)
{
    uint64_t end = access->what.addr + access->known;

    *addr = access->what.addr;
    if (!access->what.written || !region_clip(region, addr, &end))
        return false;
    *size = end - *addr;
    return true;
}

/* Opens (or closes again) the pages that the stores go to. */
static void set_guards(struct thread *thread, bool open)
{
    const struct accesses *stores = &thread->store.accesses;
    uint64_t addr;
    size_t size;

    for_each_region (region, thread->space) {
        if (!((region->guard.wanted | region->guard.taken) & PROT_WRITE))
            continue;
        for (size_t i = 0; i < stores->count; i++) {
            if (!clip(&stores->list[i], region, &addr, &size))
                continue;
            if (open && thread->space->users > 1)
                bytes_know(thread, region);
            guard_open(thread, region, addr, size, open);
        }
    }
}

bool store_must_wait(const struct thread *thread)
{
    for_each_thread (other, thread->run)
        if (other != thread && other->mode == MODE_STORING &&
            other->space == thread->space)
            return true;
    return false;
}

/*
 * Those in a system call will stop behind it, where stores are watched; where
 * not, one that sleeps in a call goes on sleeping. None is interrupted in a
 * call, which could show.
 */
void store_stop_others(struct thread *thread)
{
    for_each_thread (other, thread->run) {
        if (other == thread || other->space != thread->space ||
            !other->running || other->mode == MODE_CALL || other->lifted)
            continue;
        if (guard_needs_calls(thread->space) || proc_runs(other->tracee.tid))
            thread_stop(other);
    }
}

void store_release_others(const struct run *run, const struct space *space)
{
    for_each_thread (thread, run) {
        if (thread->space != space || !thread->waits_for_store)
            continue;
        thread->waits_for_store = false;
        thread->go = GO_ON;
    }
}

void store_begin(struct thread *thread, uint64_t fault_addr)
{
    struct store_step *store = &thread->store;
    struct accesses *stores = &store->accesses;
    const struct region *region =
        regions_at(&thread->space->regions, fault_addr);
    bool touches = false;
    uint64_t addr;
    size_t size;

    tracee_pin(&thread->tracee);
    tracee_regs(&thread->tracee, &store->regs);
    access_prepare(stores, thread->tracee.tid, &store->insn, &store->regs);
    for (size_t i = 0; i < stores->count; i++)
        touches |= clip(&stores->list[i], region, &addr, &size);
    if (!touches) { /* the decoder does not know: the bytes at the fault */
        struct access *access = &stores->list[0];

        stores->count = 1;
        access->what = (struct insn_access){
            .addr = fault_addr, .size = 8, .written = true};
        access->known = (uint32_t)proc_read(thread->tracee.tid, fault_addr,
                                            access->old_bytes, 8);
    }
    thread->mode = MODE_STORING;
    if (!thread->inside)
        thread_defer_signals(thread, store->insn.addr);
    store_stop_others(thread);
    set_guards(thread, true);
}

/* Tells what one access stored into one region, and pays for it. */
static void tell_store(struct thread *thread, struct region *region,
                       const struct access *access,
                       const struct srcline *source)
{
    struct region_guard *guard = &region->guard;
    struct report *report = thread->report;
    uint8_t now[ACCESS_BYTES];
    enum budget spent;
    uint64_t addr;
    size_t size;

    if (!(guard->wanted & PROT_WRITE) || !clip(access, region, &addr, &size) ||
        proc_read(thread->tracee.tid, addr, now, size) != size)
        return;
    bytes_store(
        thread, region, addr,
        (struct bytes){access->old_bytes + (addr - access->what.addr), size},
        (struct bytes){now, size}, NULL, source);
    spent = budget_pay_store(&report->spent, &guard->stores, guard->code);
    if (spent != BUDGET_stores && spent != BUDGET_data_stores)
        return;
    guard->wanted &= ~(unsigned)PROT_WRITE;
    guard->as_data = spent == BUDGET_data_stores;
    thread_limit(thread, budget_word(spent), region->addr,
                 "%" PRIu64 " stores into the region at 0x%" PRIx64
                 " were watched%s; later ones are not, its bytes are read "
                 "when it is executed",
                 guard->stores, region->addr,
                 guard->as_data ? ", which was not executable so far" : "");
}

/* What other threads changed in the pages that were open for a store. */
static void tell_elsewhere(struct thread *thread)
{
    const struct accesses *stores = &thread->store.accesses;
    uint64_t addr;
    size_t size;

    for_each_region (region, thread->space) {
        if (!(region->guard.wanted & PROT_WRITE))
            continue;
        for (size_t i = 0; i < stores->count; i++) {
            if (!clip(&stores->list[i], region, &addr, &size))
                continue;
            addr -= addr % ARCH_PAGE_SIZE;
            bytes_compare(thread, region, addr, addr + ARCH_PAGE_SIZE,
                          WRITTEN_ELSEWHERE, false);
        }
    }
}

void store_end(struct thread *thread)
{
    const struct accesses *stores = &thread->store.accesses;
    struct report *report = thread->report;
    struct srcline source = {0};

    lines_find_caller(report->lines, &thread->store.regs, &source);
    for (size_t i = 0; i < stores->count; i++)
        for_each_region (region, thread->space)
            tell_store(thread, region, &stores->list[i], &source);
    if (!budget_has_stores(&report->spent) && !thread->space->stores_off)
        guard_drop_stores(thread, "all-stores",
                          "as many stores were watched as may be in one run; "
                          "later ones are not, code is read when it is "
                          "executed");
    store_abort(thread);
}

void store_abort(struct thread *thread)
{
    thread->mode = MODE_CODE;
    thread->interrupted = thread->store.insn.addr;
    set_guards(thread, false);
    if (thread->space->users > 1)
        tell_elsewhere(thread);
    store_release_others(thread->run, thread->space);
}

/* --- system calls -------------------------------------------------------- */

void store_before_call(struct thread *thread)
{
    int fd = call_written_fd(&thread->call);
    /* It is to write to a file that is somebody's memory. */
    bool all = guard_watches_stores(thread->space) && fd > 2 &&
               proc_fd_is_memory(thread->tracee.pid, fd);

    for_each_region (region, thread->space) {
        if (!(region->guard.taken & PROT_WRITE) ||
            (!all &&
             !call_may_write(&thread->call, region->addr, region->length)))
            continue;
        if (region->guard.writes == WRITE_GUARD_MPROTECT &&
            !thread_undo_call(thread))
            return;
        thread->lifted = true;
        bytes_know(thread, region);
        guard_lift(thread, region, PROT_WRITE);
    }
}

/* Tells what the call has written to the region, and what others have. Of some
 * calls it is known that they have written all of a range, changed or not. */
static void tell_call(struct thread *thread, struct region *region)
{
    const struct call *call = &thread->call;
    bool alone = thread->space->users == 1;
    bool receives = call->number == SYS_recvfrom;
    bool exact = call->number == SYS_getrandom || call->number == SYS_read ||
                 call->number == SYS_pread64 || receives;
    uint64_t addr = call->args[call->number == SYS_getrandom ? 0 : 1];
    uint64_t size = call->result > 0 ? (uint64_t)call->result : 0;
    struct buf name = {0};

    call_name(call, &name);
    /* How long the message was, or the bytes of a stream thrown away: recv(2) */
    if (receives && (call->args[3] & MSG_TRUNC)) {
        if (proc_socket_type(thread->tracee.pid, (int)call->args[0]) ==
            SOCK_STREAM)
            size = 0;
        else if (size > call->args[2])
            size = call->args[2];
    }
    if (exact)
        bytes_written(thread, region, addr, addr + size, buf_text(&name));
    if (!exact || !alone || (receives && call->args[4]))
        bytes_compare(thread, region, region->addr,
                      region->addr + region->length,
                      alone ? buf_text(&name) : WRITTEN_ELSEWHERE, false);
    buf_release(&name);
}

void store_after_call(struct thread *thread)
{
    if (!thread->lifted || tracee_fetch(&thread->tracee) < 0)
        return;
    thread->lifted = false;
    for_each_region (region, thread->space) {
        unsigned wanted = region->guard.wanted & region->prot & PROT_WRITE;

        if (!wanted || (region->guard.taken & PROT_WRITE))
            continue;
        tell_call(thread, region);
        guard_arm_behind_calls(thread, region, PROT_WRITE);
    }
}
