/* SPDX-License-Identifier: MIT */
#include "observe/store.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cpu/regs.h"
#include "observe/bytes.h"
#include "observe/guard.h"
#include "observe/alter.h"
#include "observe/place.h"
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

/* Those in a system call will stop behind it, where stores are watched; where
 * not, one that sleeps in a call goes on sleeping. None is interrupted in a
 * call, which could show. */
void store_stop_others(struct thread *thread)
{
    for_each_thread (other, thread->run) {
        if (other == thread || other->space != thread->space ||
            !other->running || other->mode == MODE_CALL || other->lifted)
            continue;
        if (guard_needs_calls(thread->space) ||
            tracee_has_stopped(&other->tracee) || proc_runs(other->tracee.tid))
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

/* The region has spent its budget. */
static void stop_watching(struct thread *thread, struct region *region,
                          enum budget which)
{
    struct region_guard *guard = &region->guard;

    guard->wanted &= ~(unsigned)PROT_WRITE;
    guard->as_data = which == BUDGET_data_stores;
    thread_limit(thread, budget_word(which), region->addr,
                 "%" PRIu64 " stores into the region at 0x%" PRIx64
                 " were watched%s; later ones are not, its bytes are read when "
                 "it is executed",
                 guard->stores, region->addr,
                 guard->as_data ? ", which was not executable so far" : "");
}

/* Finds out who has made the store, and pays for it. */
static void find_storer(struct thread *thread, struct storer *storer,
                        struct buf *room)
{
    const struct regs *regs = &thread->store.regs;
    struct spending *spent = &thread->run->spent;

    lines_find_caller(thread->space->lines, thread->tracee.tid, regs,
                      &storer->source);
    if (!budget_has_callers(spent))
        return;
    place_callers(thread, regs, &storer->callers, room);
    if (budget_pay_callers(spent) == BUDGET_callers)
        thread_limit(thread, budget_word(BUDGET_callers), 0,
                     "the callers of %" PRIu64
                     " stores were found out; those of later ones are not",
                     spent->callers);
}

/* Tells what each access stored into each region, and pays for it. */
void store_end(struct thread *thread)
{
    const struct accesses *stores = &thread->store.accesses;
    struct spending *spent = &thread->run->spent;
    struct storer storer = {0};
    struct buf room = {0};
    uint8_t now[ACCESS_BYTES];
    uint64_t addr;
    size_t size;

    find_storer(thread, &storer, &room);
    for (size_t i = 0; i < stores->count; i++) {
        const struct access *access = &stores->list[i];

        for_each_region (region, thread->space) {
            enum budget which;

            if (!(region->guard.wanted & PROT_WRITE) ||
                !clip(access, region, &addr, &size) ||
                proc_read(thread->tracee.tid, addr, now, size) != size)
                continue;
            bytes_store(
                thread, region, addr,
                (struct bytes){access->old_bytes + (addr - access->what.addr),
                               size},
                (struct bytes){now, size}, &storer);
            alter_store(
                thread, region, addr,
                (struct bytes){access->old_bytes + (addr - access->what.addr),
                               size},
                (struct bytes){now, size});
            which = budget_pay_store(spent, &region->guard.stores,
                                     region->guard.code);
            if (which == BUDGET_stores || which == BUDGET_data_stores)
                stop_watching(thread, region, which);
        }
    }
    buf_release(&room);
    if (!budget_has_stores(spent) && !thread->space->stores_off)
        guard_drop_all(thread, PROT_WRITE, "all-stores",
                       "as many stores were watched as may be in one run; "
                       "later ones are not, code is read when it is executed");
    store_abort(thread);
}

void store_abort(struct thread *thread)
{
    const struct accesses *stores = &thread->store.accesses;
    uint64_t addr;
    size_t size;

    thread->mode = MODE_CODE;
    thread->interrupted = thread->store.insn.addr;
    set_guards(thread, false);
    for_each_region (region, thread->space) {
        /* What other threads changed in the pages that were open. */
        if (thread->space->users == 1 || !(region->guard.wanted & PROT_WRITE))
            continue;
        for (size_t i = 0; i < stores->count; i++) {
            if (!clip(&stores->list[i], region, &addr, &size))
                continue;
            addr -= addr % ARCH_PAGE_SIZE;
            bytes_compare(thread, region, addr, addr + ARCH_PAGE_SIZE,
                          WRITTEN_ELSEWHERE, COMPARE_EACH);
        }
    }
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
    /* A thread that the call has made may have stored, and ended by now. */
    bool alone = thread->space->users == 1 && call->number != SYS_clone &&
                 call->number != SYS_clone3;
    bool receives = call->number == SYS_recvfrom;
    bool exact = call->number == SYS_getrandom || call->number == SYS_read ||
                 call->number == SYS_pread64 || receives;
    uint64_t addr = call->args[call->number == SYS_getrandom ? 0 : 1];
    uint64_t size = call->result > 0 ? (uint64_t)call->result : 0, end;
    struct buf name = {0};

    call_name(call, &name);
    /* The length of the message, or of what was thrown away: recv(2) */
    if (receives && (call->args[3] & MSG_TRUNC)) {
        if (proc_socket_type(thread->tracee.pid, (int)call->args[0]) ==
            SOCK_STREAM)
            size = 0;
        else if (size > call->args[2])
            size = call->args[2];
    }
    end = addr + size;
    if (exact && region_clip(region, &addr, &end))
        bytes_compare(thread, region, addr, end, buf_text(&name), COMPARE_ALL);
    if (!exact || !alone || (receives && call->args[4]))
        bytes_compare(
            thread, region, region->addr, region->addr + region->length,
            alone ? buf_text(&name) : WRITTEN_ELSEWHERE, COMPARE_EACH);
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
        guard_arm(thread, region, PROT_WRITE);
    }
}

/* --- what the kernel stores by itself ------------------------------------- */

/* Gives up the region of a place that it writes to. False: it cannot be. */
static bool unguard(struct thread *thread, uint64_t addr, bool is_lock)
{
    struct region *region = regions_at(&thread->space->regions, addr);

    if (!region || !(region->guard.wanted & PROT_WRITE))
        return true;
    if (!thread_undo_call(thread))
        return false;
    if (!is_lock) {
        guard_drop_stack(thread, addr, 1);
        return true;
    }
    thread_limit(thread, "robust", region->addr,
                 "the region at 0x%" PRIx64
                 " holds a lock that the kernel opens when its owner dies; "
                 "from here on stores into it are not watched",
                 region->addr);
    return guard_drop(thread, region, PROT_WRITE) == 0;
}

/* For a thread that a call makes: the top of its stack (signal frames), its
 * thread area (rseq(2)), and its ID (clone(2)). */
void store_before_child(struct thread *thread)
{
    const struct call *call = &thread->call;
    struct clone_args args = {0};
    uint64_t places[5] = {0};

    if (call->number == SYS_clone) {
        places[0] = call->args[1] - 1;
        memcpy(&places[1], &call->args[2], 3 * sizeof *places);
    } else if (call->number == SYS_clone3) {
        proc_read(thread->tracee.tid, call->args[0], &args,
                  CLONE_ARGS_SIZE_VER0);
        places[0] = args.stack + args.stack_size - 1;
        places[1] = args.parent_tid;
        places[2] = args.child_tid;
        places[3] = args.tls;
        places[4] = args.pidfd;
    } else {
        return;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!unguard(thread, places[i], false))
            return;
}

/* Bit 0 of a pointer in the list says of what kind the lock is. */
#define KIND_OF_LOCK UINT64_C(1)

/* The locks that `owner` has, by calls that `thread` makes. */
static void unguard_locks(struct thread *thread, pid_t owner)
{
    struct robust_list_head head;
    uint64_t addr = 0, size = 0, entry;

    if (syscall(SYS_get_robust_list, owner, &addr, &size) < 0 ||
        proc_read(owner, addr, &head, sizeof head) != sizeof head)
        return;
    entry = (uint64_t)(uintptr_t)head.list_op_pending & ~KIND_OF_LOCK;
    if (entry && !unguard(thread, entry + (uint64_t)head.futex_offset, true))
        return;
    entry = (uint64_t)(uintptr_t)head.list.next;
    for (int i = 0; i < ROBUST_LIST_LIMIT; i++) { /* as far as the kernel */
        entry &= ~KIND_OF_LOCK;
        if (entry == addr ||
            !unguard(thread, entry + (uint64_t)head.futex_offset, true) ||
            proc_read(owner, entry, &entry, sizeof entry) != sizeof entry)
            return;
    }
}

/* All threads of the process end, or of all that share its memory: one that
 * does not is watched less than it could be. */
static void unguard_all(struct thread *thread)
{
    for_each_thread (other, thread->run)
        if (other->space == thread->space)
            unguard_locks(thread, other->tracee.tid);
}

void store_before_end(struct thread *thread)
{
    uint64_t number = thread->call.number;

    if (number == SYS_exit)
        unguard_locks(thread, thread->tracee.tid);
    else if (number == SYS_exit_group || number == SYS_execve ||
             number == SYS_execveat)
        unguard_all(thread);
}

/* What these do by default is not to end the process (signal(7)). */
#define HARMLESS                                                        \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) |   \
     SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | \
     SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

void store_before_signal(struct thread *thread, int signal)
{
    if (guard_watches_stores(thread->space) &&
        !(HARMLESS & SIGNAL_BIT(signal)) &&
        !proc_catches(thread->tracee.tid, signal))
        unguard_all(thread);
}
