/* SPDX-License-Identifier: MIT */
#include "observe/fault.h"

#include "observe/guard.h"
#include "observe/maps.h"
#include "observe/signals.h"
#include "observe/stay.h"
#include "observe/store.h"
#include "target/registers.h"

/* What the kernel writes below the stack pointer for a handler: the red zone,
 * the frame and the vector registers (AVX-512 and AMX need 11 KiB). */
#define SIGNAL_FRAME 16384

/* It goes with the next resume. Where a handler is in danger it begins while no
 * other thread runs: one that blocks the signal could fault at a guard and undo
 * the handler just before the kernel looks. */
static enum go deliver(struct thread *thread, const siginfo_t *info)
{
    const struct stay *stay = &thread->stay;
    int signal = info->si_signo;
    bool was_sent = info->si_code <= 0;

    if (was_sent && signals_ignored(thread, signal))
        return GO_ON;
    thread->from_terminal = info->si_code == SI_KERNEL;
    tracee_hold(&thread->tracee, info);
    stay_look(thread);
    if (thread->mode == MODE_STORING) /* faults again, behind the handler */
        store_abort(thread);
    if (tracee_fetch(&thread->tracee) == 0) {
        guard_drop_stack(thread, tracee_stack(&thread->tracee) - SIGNAL_FRAME,
                         SIGNAL_FRAME);
        /* Behind a system call, which it has interrupted, it may go back. */
        if (thread->inside && stay->insn.kind != INSN_SYSCALL &&
            tracee_pc(&thread->tracee) != stay->insn.addr)
            stay_prepare(thread); /* an int3 */
    }
    store_before_signal(thread, signal);
    if (!signals_endangered(thread, signal))
        return GO_ON;
    store_stop_others(thread);
    if (was_sent)
        signals_restore(thread, signal);
    thread->alone = signal;
    return GO_ALONE;
}

/* --- faults --------------------------------------------------------------- */

/* An access that needs prot: is it held back, allowed by now, or neither? */
static enum fault_class judge(const struct region *region, uint64_t addr,
                              unsigned prot, enum fault_class ours)
{
    if (guard_holds(region, addr, prot))
        return ours;
    return region->prot & prot ? FAULT_STALE : FAULT_PROGRAM;
}

enum fault_class fault_classify(const struct regions *regions,
                                const struct fault *fault)
{
    const struct region *region = regions_at(regions, fault->addr);

    if (!region)
        return FAULT_PROGRAM;
    if (fault->signal == SIGBUS && fault->code == BUS_ADRERR &&
        region->guard.writes == WRITE_GUARD_UFFD)
        return judge(region, fault->addr, PROT_WRITE, FAULT_STORE);
    if (fault->signal != SIGSEGV || fault->code != SEGV_ACCERR)
        return FAULT_PROGRAM;
    if (fault->addr - fault->pc < fault->length &&
        (!fault->stores || guard_holds(region, fault->addr, PROT_EXEC)))
        return judge(region, fault->addr, PROT_EXEC, FAULT_FETCH);
    return judge(region, fault->addr, PROT_WRITE, FAULT_STORE);
}

/*
 * How often an access may fault while the guards are as they were when it was
 * let go: the second time should be impossible, for its own guard was lifted.
 */
#define MAX_REPEATS 3
/* How often an access is repeated because they have changed, by what another
 * thread did, before that thread and all others have to stand still. */
#define MAX_RETRIES 16

/* Whether guards or mappings have changed since the thread was resumed: then a
 * fault of it says nothing of how they are now. */
static bool has_turned(const struct thread *thread)
{
    return !thread->settled && thread->seen != thread->space->turns;
}

enum go fault_repeated(struct thread *thread, const struct stop *stop)
{
    siginfo_t info;

    if (stop->kind == STOP_SIGNAL && stop->signal == SIGTRAP &&
        thread->mode != MODE_STORING && !thread->inside &&
        tracee_siginfo(&thread->tracee, &info) == 0 &&
        tracee_fetch(&thread->tracee) == 0) {
        if (info.si_code <= 0) { /* it was pending: a step unblocks it */
            tracee_hold(&thread->tracee, &info);
            return GO_AGAIN;
        }
        tracee_hide_step(&thread->tracee, thread->store.insn.kind);
        tracee_restore_mask(&thread->tracee);
        signals_forced(thread, SIGTRAP);
        return GO_ON;
    }
    thread->settled = true;
    thread->has_stop = true;
    thread->stop = *stop;
    return GO_NOT;
}

/* A fault that may be due to what other threads did since. */
static enum go repeat_fault(struct thread *thread)
{
    if (thread->last_fault.retries % MAX_RETRIES != 0)
        return GO_ON;
    store_stop_others(thread);
    return GO_AGAIN;
}

/* Whether it may be a fault of another thread that has undone the handler of
 * the signal: its stop was taken and is yet to be read. */
static bool has_undone(const struct thread *thread, int signal)
{
    for_each_thread (other, thread->run)
        if (other->space == thread->space && other->has_stop &&
            other->stop.kind == STOP_SIGNAL && other->stop.signal == signal)
            return true;
    return false;
}

/* No guard is in the way: it is the program's own, unless one was. */
static enum go on_own_fault(struct thread *thread, const siginfo_t *info)
{
    bool again = signals_come_again(thread, info);

    if (thread->space->watched && has_turned(thread) && again)
        return repeat_fault(thread);
    if (signals_endangered(thread, info->si_signo))
        store_stop_others(thread);
    /* Another thread's stop gives it back: that is read first, and then this
     * fault comes again. */
    if (signals_lack(thread, info->si_signo) && again &&
        has_undone(thread, info->si_signo))
        return GO_ON;
    return deliver(thread, info);
}

/* Whether a call may be at work where the access goes to; and for a guard to be
 * lifted, which is done as a whole, in its region. */
static bool is_in_doubt(const struct thread *thread, uint64_t addr,
                        enum fault_class class)
{
    const struct region *region = regions_at(&thread->space->regions, addr);

    return class == FAULT_STORE || class == FAULT_FETCH
               ? guard_in_doubt(thread, region->addr, region->length)
               : guard_in_doubt(thread, addr, 1);
}

static enum go on_fault(struct thread *thread, const siginfo_t *info)
{
    struct fault fault = {.signal = info->si_signo,
                          .code = info->si_code,
                          .addr = (uint64_t)(uintptr_t)info->si_addr};
    enum fault_class class = FAULT_PROGRAM;
    struct last_fault *last = &thread->last_fault;
    struct insn *insn = &thread->store.insn;
    struct space *space = thread->space;
    struct insn_access what[MAX_ACCESSES];
    struct region *region;
    enum go go = GO_ON;
    struct regs regs;
    size_t count;

    if (tracee_fetch(&thread->tracee) < 0)
        return GO_NOT;
    fault.pc = tracee_pc(&thread->tracee);
    if (space->watched && fault.code == SEGV_ACCERR)
        maps_grown(thread, fault.addr);
    /* Where a fetch is held back, nothing has been executed: many calls come
     * this way. */
    region = regions_at(&space->regions, fault.pc);
    if (space->watched && fault.signal == SIGSEGV && fault.addr == fault.pc &&
        region && guard_holds(region, fault.pc, PROT_EXEC))
        insn->length = 0, insn->operand_count = 0;
    else
        access_decode(thread->tracee.tid, fault.pc, insn);
    fault.length = insn->length ? insn->length : INSN_MAX_LENGTH;
    tracee_regs(&thread->tracee, &regs);
    count = insn_accesses(insn, &regs, what, MAX_ACCESSES);
    for (size_t i = 0; i < count; i++)
        fault.stores |=
            what[i].written && fault.addr - what[i].addr < what[i].size;
    if (space->watched)
        class = fault_classify(&space->regions, &fault);
    region = regions_at(&space->regions, fault.addr);
    if (class != FAULT_PROGRAM)
        signals_forced(thread, fault.signal);
    if (class != FAULT_PROGRAM && space->frozen)
        class = FAULT_STALE; /* by that, perhaps */
    if ((class == FAULT_STORE && store_must_wait(thread)) ||
        (signals_come_again(thread, info) &&
         is_in_doubt(thread, fault.addr, class))) {
        if (thread->mode == MODE_STORING) /* it would keep the call waiting */
            store_abort(thread);
        thread->waits_for_store = true;
        return GO_NOT;
    }
    /* Counts the faults of one access that come one behind the other. Another
     * thread may have set its guard again before this one was resumed. */
    if (last->pc != fault.pc || last->addr != fault.addr ||
        last->stop + 1 != thread->stops)
        *last = (struct last_fault){.pc = fault.pc, .addr = fault.addr};
    last->stop = thread->stops;
    if (has_turned(thread) || thread->seen != last->turns) {
        last->retries++;
        last->repeats = 0;
    } else {
        last->repeats++;
    }
    if (class != FAULT_PROGRAM && tracee_traps_itself(&thread->tracee))
        return stay_traps_itself(thread);
    if (class != FAULT_PROGRAM && (region->guard.taken & region->guard.lost))
        class = FAULT_PROGRAM; /* there is no way back: to end is better */
    if (class == FAULT_STALE && !has_turned(thread))
        class = FAULT_PROGRAM; /* no guard that was lifted since explains it */
    if (class != FAULT_PROGRAM && last->repeats > MAX_REPEATS) {
        thread_limit(thread, "progress", region->addr,
                     "the instruction at 0x%" PRIx64
                     " faults again and again under the guard, so its region "
                     "is not watched any more",
                     fault.pc);
        guard_drop(thread, region,
                   class == FAULT_STORE ? PROT_WRITE : PROT_EXEC);
        return GO_ON;
    }
    if (class == FAULT_STORE)
        store_begin(thread, fault.addr); /* and makes it, in one step */
    else if (class == FAULT_FETCH)
        go = stay_enter(thread, region);
    else
        go = class == FAULT_STALE ? repeat_fault(thread)
                                  : on_own_fault(thread, info);
    last->turns = space->turns;
    return go;
}

/* Whether the instruction that comes next is about to fault at a guard. */
static bool faults_at_guard(struct thread *thread, int signal)
{
    const struct regions *regions = &thread->space->regions;
    uint64_t pc = tracee_pc(&thread->tracee);
    const struct region *region = regions_at(regions, pc);
    struct accesses accesses;
    struct insn insn;
    struct regs regs;

    if (signal == SIGSEGV && region && guard_holds(region, pc, PROT_EXEC))
        return true;
    access_decode(thread->tracee.tid, pc, &insn);
    tracee_regs(&thread->tracee, &regs);
    access_prepare(&accesses, thread->tracee.tid, &insn, &regs);
    for (size_t i = 0; i < accesses.count; i++) {
        region = regions_at(regions, accesses.list[i].what.addr);
        if (accesses.list[i].what.written && region &&
            (region->guard.taken & PROT_WRITE))
            return true;
    }
    return false;
}

/* --- all of them ---------------------------------------------------------- */

/* si_code of the stop at a handler's first instruction, when the signal was
 * delivered with a step (ptrace_notify in the kernel). */
#define TRAP_HANDLER SIGTRAP

enum go fault_stopped(struct thread *thread, const siginfo_t *info)
{
    struct tracee *tracee = &thread->tracee;
    int signal = info->si_signo, code = info->si_code;
    bool is_fault = signal == SIGSEGV || signal == SIGBUS;
    bool is_trap = signal == SIGTRAP, begun = thread->beginning;
    bool inside = thread->inside, storing = thread->mode == MODE_STORING;

    if (is_trap && (storing || inside) &&
        (code == TRAP_TRACE || code == TRAP_HANDLER ||
         (code == TRAP_BRKPT &&
          !(inside && thread->stay.insn.kind == INSN_TRAP)))) {
        if (storing) { /* what it has stored is looked at next */
            tracee_hide_step(tracee, thread->store.insn.kind);
            store_end(thread);
        }
        return inside ? stay_stepped(thread) : GO_RUN;
    }
    tracee_restore_mask(tracee);
    thread->beginning = false;
    if (begun && is_trap && code == TRAP_HANDLER)
        return GO_RUN;
    if (inside && tracee_pc(tracee) == thread->stay.insn.addr)
        tracee_hide_stepping(tracee, thread->stay.insn.kind);
    if (is_trap && breakpoint_is_hit(&thread->run_on.stop, tracee, info))
        return stay_trapped(thread);
    if (is_trap && code == TRAP_TRACE && tracee->stepped_lent)
        return GO_ON;
    if (is_fault && code == SI_KERNEL && tracee_lacks_stack(tracee)) {
        signals_forced(thread, signal);
        return GO_ON;
    }
    if (is_fault && code > 0)
        return on_fault(thread, info);

    /* The program blocks SIGTRAP, which is blocked while it is stepped, and
     * raises it itself: what it does about that ends it, but only with its own
     * mask. So it does it again, and the kernel does what it must. */
    if (is_trap && code > 0 && inside && tracee_blocks(tracee, SIGTRAP))
        return tracee_go_to(tracee, thread->stay.insn.addr) == 0 ? GO_PLAIN
                                                                 : GO_NOT;
    /* A signal of faults was sent to this thread and pending when it faulted at
     * a guard. The kernel has unblocked it for the fault, and as it does not
     * queue (signal(7)), only the one that was sent has come. It waits; the
     * fault comes again. One that the only thread has sent itself would have
     * come at once, were it not blocked. */
    if (is_fault && thread->space->watched && tracee_fetch(tracee) == 0 &&
        faults_at_guard(thread, signal)) {
        signals_forced(thread, signal);
        tracee_hold(tracee, info);
        if (storing || inside)
            return GO_STEP;
        if (thread->space->users > 1 || info->si_pid != tracee->pid)
            return GO_PLAIN;
        tracee_block(tracee, signal, true);
        return GO_AGAIN;
    }
    if (tracee_blocks(tracee, signal)) {
        /* A step has unblocked it: it stays pending. */
        tracee_hold(tracee, info);
        return GO_ON;
    }
    return deliver(thread, info);
}
