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
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"

void access_decode(const struct thread *thread, uint64_t pc, struct insn *out)
{
    uint8_t code[INSN_MAX_LENGTH];
    size_t len = proc_read(thread->tracee.tid, pc, code, sizeof code);

    insn_decode_any(code, len, pc, out);
}

void access_prepare(struct accesses *accesses, pid_t pid,
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
static void set_guards(struct thread *thread, bool open)
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
            if (open && thread->space->users > 1)
                bytes_know(thread, region);
            if (open)
                guard_open(thread, region, addr, size);
            else
                guard_close(thread, region, addr, size);
        }
    }
}

bool store_must_wait(const struct thread *thread)
{
    for (size_t i = 0; i < thread->run->thread_count; i++) {
        const struct thread *other = thread->run->threads[i];

        if (other != thread && other->storing && other->space == thread->space)
            return true;
    }
    return false;
}

void store_stop(struct thread *thread)
{
    tracee_interrupt(&thread->tracee);
    if (tracee_wait(&thread->tracee, &thread->stop) == 0)
        thread->has_stop = true;
    thread->running = false;
}

/*
 * Those in a system call will stop behind it, where stores are watched; where
 * not, one that sleeps in a call goes on sleeping. None is interrupted in a
 * call, which could show.
 */
void store_stop_others(struct thread *thread)
{
    for (size_t i = 0; i < thread->run->thread_count; i++) {
        struct thread *other = thread->run->threads[i];

        if (other == thread || other->space != thread->space ||
            !other->running || other->in_call || other->lifted)
            continue;
        if (!guard_needs_calls(thread->space) && !proc_runs(other->tracee.tid))
            continue;
        store_stop(other);
    }
}

void store_let_others(struct run *run, const struct space *space)
{
    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];

        if (thread->space != space || !thread->waiting)
            continue;
        thread->waiting = false;
        observer_resume(thread);
    }
}

void store_begin(struct thread *thread, uint64_t fault_addr)
{
    struct region *region;

    tracee_pin(&thread->tracee);
    tracee_regs(&thread->tracee, &thread->store_regs);
    access_prepare(&thread->stores, thread->tracee.tid, &thread->store_insn,
                   &thread->store_regs);
    region = regions_at(&thread->space->regions, fault_addr);
    if (!touches(&thread->stores, region))
        assume_store(thread, fault_addr);
    thread->storing = true;
    if (!thread->inside)
        observer_insist(thread, thread->store_insn.addr);
    store_stop_others(thread);
    set_guards(thread, true);
    observer_step(thread);
}

static void emit_write(struct thread *thread, struct region *region,
                       uint64_t addr, struct bytes old, struct bytes new,
                       const char *by, const struct srcline *source)
{
    struct event event = {.kind = EVENT_WRITE, .tid = thread->tracee.tid};
    struct opt_u64 also = {0};
    struct region *twin = object_twin(thread, region, addr, new, &also.value);
    struct buf room = {0};

    also.known = twin != NULL;
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
        .also = also,
    };
    event.write.symbol = place_name(thread, event.write.pc, &room);
    report_event(thread->run, &event);
    buf_release(&room);
    pages_write(&thread->space->pages, addr, new);
    thread->space->changes++;
    bytes_changed(region, addr, new.len);
    if (!twin)
        return;
    pages_write(&thread->space->pages, also.value, new);
    bytes_changed(twin, also.value, new.len);
}

void store_tell(struct thread *thread, struct region *region, uint64_t addr,
                struct bytes old, struct bytes new, const char *by)
{
    struct srcline source = {0};
    struct regs regs;

    tracee_regs(&thread->tracee, &regs);
    if (strcmp(by, WRITTEN_ELSEWHERE) != 0)
        lines_find_caller(thread->run->lines, &regs, &source);
    emit_write(thread, region, addr, old, new, by, &source);
}

static void pay_for_store(struct thread *thread, struct region *region)
{
    struct region_guard *guard = &region->guard;
    enum budget spent = budget_pay_store(
        &thread->run->budget, &thread->run->spent, &guard->stores, guard->code);

    if (spent != BUDGET_stores && spent != BUDGET_data_stores)
        return;
    guard->wanted &= ~(unsigned)PROT_WRITE;
    guard->as_data = spent == BUDGET_data_stores;
    report_limit(thread, budget_word(spent), region->addr,
                 "%" PRIu64 " stores into the region at 0x%" PRIx64
                 " were watched%s; later ones are not, its bytes are read "
                 "when it is executed",
                 guard->stores, region->addr,
                 guard->as_data ? ", which was not executable so far" : "");
}

/* Emits what one access stored into one region, and pays for it. */
static void tell_store(struct thread *thread, struct region *region,
                       const struct access *access,
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
        thread, region, addr,
        (struct bytes){access->old_bytes + (addr - access->what.addr), size},
        (struct bytes){now, size}, NULL, source);
    pay_for_store(thread, region);
}

/* --- what changed -------------------------------------------------------- */

/* Emits what differs in [from, to) of the region from what is known of it. */
static void tell_differences(struct thread *thread, struct region *region,
                             uint64_t from, uint64_t to, const char *by)
{
    struct srcline source = {0};
    uint8_t *old = mem_alloc(to - from);
    uint8_t *now = mem_alloc(to - from);
    size_t len = proc_read(thread->tracee.tid, from, now, to - from);
    struct regs regs;
    size_t start;

    tracee_regs(&thread->tracee, &regs);
    if (strcmp(by, WRITTEN_ELSEWHERE) != 0)
        lines_find_caller(thread->run->lines, &regs, &source);
    pages_read(&thread->space->pages, from, to - from, old);
    for (size_t i = 0; i < len;) {
        while (i < len && old[i] == now[i])
            i++;
        for (start = i; i < len && old[i] != now[i];)
            i++;
        if (i > start)
            emit_write(thread, region, from + start,
                       (struct bytes){old + start, i - start},
                       (struct bytes){now + start, i - start}, by, &source);
    }
    free(old);
    free(now);
}

/* What other threads changed in the pages that were open for a store. */
static void tell_elsewhere(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    uint64_t addr;
    size_t size;

    for (size_t i = 0; i < regions->count; i++) {
        struct region *region = &regions->list[i];

        if (!(region->guard.wanted & PROT_WRITE))
            continue;
        for (size_t a = 0; a < thread->stores.count; a++) {
            if (!thread->stores.list[a].what.written ||
                !clip(&thread->stores.list[a], region, &addr, &size))
                continue;
            addr -= addr % PAGES_SIZE;
            tell_differences(thread, region, addr, addr + PAGES_SIZE,
                             WRITTEN_ELSEWHERE);
        }
    }
}

void store_end(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    struct srcline source = {0};

    lines_find_caller(thread->run->lines, &thread->store_regs, &source);
    for (size_t a = 0; a < thread->stores.count; a++)
        for (size_t i = 0; i < regions->count; i++)
            if (thread->stores.list[a].what.written)
                tell_store(thread, &regions->list[i], &thread->stores.list[a],
                           &source);
    if (!budget_has_stores(&thread->run->budget, &thread->run->spent) &&
        !thread->space->stores_off)
        guard_drop_stores(thread, "all-stores",
                          "as many stores were watched as may be in one run; "
                          "later ones are not, code is read when it is "
                          "executed");
    store_abort(thread);
}

void store_abort(struct thread *thread)
{
    thread->storing = false;
    thread->put_off = thread->store_insn.addr;
    set_guards(thread, false);
    if (thread->space->users > 1)
        tell_elsewhere(thread);
    store_let_others(thread->run, thread->space);
}

/* --- system calls -------------------------------------------------------- */

/* Whether a call is to write to a file that is somebody's memory. */
static bool writes_memory(const struct thread *thread)
{
    int fd = call_written_fd(&thread->call);

    return fd > 2 && proc_fd_is_memory(thread->tracee.pid, fd);
}

void stores_lift_for_call(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    bool all = guard_watches_stores(thread->space) && writes_memory(thread);

    for (size_t i = 0; i < regions->count; i++) {
        struct region *region = &regions->list[i];

        if (!(region->guard.taken & PROT_WRITE) ||
            (!all &&
             !call_may_write(&thread->call, region->addr, region->length)))
            continue;
        if (thread->in_call && region->guard.writes == WRITE_GUARD_MPROTECT) {
            /* From here on the call has not begun; it will begin again. */
            if (tracee_rewind(&thread->tracee) < 0)
                return;
            thread->in_call = false;
        }
        thread->lifted = true;
        bytes_know(thread, region);
        guard_set(thread, region, region->guard.taken & ~(unsigned)PROT_WRITE);
    }
}

/*
 * With MSG_TRUNC recv(2) returns how long a message was, or how many bytes of a
 * stream were thrown away. Returns how many it has written.
 */
static uint64_t received(const struct thread *thread)
{
    const struct call *call = &thread->call;
    uint64_t size = (uint64_t)call->result;

    if (!(call->args[3] & MSG_TRUNC))
        return size;
    if (proc_socket_type(thread->tracee.pid, (int)call->args[0]) == SOCK_STREAM)
        return 0;
    return size < call->args[2] ? size : call->args[2];
}

/* Whether all of [addr, addr + size) was written, changed or not. */
static bool exact_write(const struct thread *thread, uint64_t *addr,
                        uint64_t *size)
{
    const struct call *call = &thread->call;
    bool first = call->number == SYS_getrandom;

    if (!first && call->number != SYS_read && call->number != SYS_pread64 &&
        call->number != SYS_recvfrom)
        return false;
    *addr = call->args[first ? 0 : 1];
    *size = call->result > 0 ? (uint64_t)call->result : 0;
    if (call->number == SYS_recvfrom && call->result > 0)
        *size = received(thread);
    return true;
}

/* Emits [from, to), all of it, as written by the call. */
static void tell_exact(struct thread *thread, struct region *region,
                       uint64_t from, uint64_t to, const char *by)
{
    uint8_t *old, *now;

    if (from < region->addr)
        from = region->addr;
    if (to > region->addr + region->length)
        to = region->addr + region->length;
    if (from >= to)
        return;
    old = mem_alloc(to - from);
    now = mem_alloc(to - from);
    pages_read(&thread->space->pages, from, to - from, old);
    if (proc_read(thread->tracee.tid, from, now, to - from) == to - from)
        store_tell(thread, region, from, (struct bytes){old, to - from},
                   (struct bytes){now, to - from}, by);
    free(old);
    free(now);
}

/* Tells what the call has written to the region, and what others have. */
static void tell_call(struct thread *thread, struct region *region)
{
    bool alone = thread->space->users == 1;
    struct buf name = {0};
    uint64_t addr, size;
    bool exact = exact_write(thread, &addr, &size);
    bool more = thread->call.number == SYS_recvfrom && thread->call.args[4];

    call_name(&thread->call, &name);
    if (exact)
        tell_exact(thread, region, addr, addr + size, buf_text(&name));
    if (!exact || !alone || more)
        tell_differences(thread, region, region->addr,
                         region->addr + region->length,
                         alone ? buf_text(&name) : WRITTEN_ELSEWHERE);
    buf_release(&name);
}

void stores_after_call(struct thread *thread)
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
        tell_call(thread, region);
        guard_arm_writes(thread, region);
    }
}
