/* SPDX-License-Identifier: MIT */
/*
 * Signals: whose are they? A fault at a guard and the trap behind a step are
 * ours. All others are the program's, and are delivered with the siginfo that
 * they came with. That cannot always be done at once: to lift or arm a guard
 * takes the thread out of the stop that the signal came with. So a signal is
 * held first, and taken again by whoever resumes the thread.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/calling.h"
#include "cpu/trap.h"
#include "observe/fault.h"
#include "observe/state.h"
#include "target/proc.h"
#include "trace/signal_name.h"

/* What the kernel writes below the stack pointer for a handler: the red zone,
 * the frame and the vector registers (AVX-512 and AMX need 11 KiB). */
#define SIGNAL_FRAME 16384

static bool is_executable(pid_t pid, uint64_t addr)
{
    struct maps_line line;

    return proc_maps_find(pid, addr, &line) && line.start <= addr &&
           (line.prot & PROT_EXEC);
}

static const char *failed_access(const struct thread *thread, uint64_t addr)
{
    struct accesses accesses;
    struct insn insn;
    struct regs regs;

    access_decode(thread, tracee_pc(&thread->tracee), &insn);
    if (addr - insn.addr < (insn.length ? insn.length : INSN_MAX_LENGTH) &&
        !is_executable(thread->tracee.pid, addr))
        return "execute";
    tracee_regs(&thread->tracee, &regs);
    access_prepare(&accesses, thread->tracee.pid, &insn, &regs);
    for (size_t i = 0; i < accesses.count; i++) {
        const struct insn_access *what = &accesses.list[i].what;

        if (addr - what->addr < what->size)
            return what->written ? "write" : "read";
    }
    return NULL;
}

/* What the texts and bytes of a signal event are kept in. */
struct fault_texts {
    struct insn insn;
    uint8_t bytes[INSN_MAX_LENGTH];
    struct maps_line line;
};

/* The instruction at pc, or the bytes there that are none. */
static void find_insn(const struct thread *thread, struct fault_texts *texts,
                      struct event_signal *signal)
{
    uint64_t pc = signal->pc.value;
    size_t len;

    access_decode(thread, pc, &texts->insn);
    len = proc_read(thread->tracee.tid, pc, texts->bytes,
                    texts->insn.length ? texts->insn.length : INSN_MAX_LENGTH);
    if (len > 0)
        signal->bytes = (struct bytes){texts->bytes, len};
    if (texts->insn.length)
        signal->text = texts->insn.text;
}

/* The line of maps, with the protection that the program asked for. */
static void find_mapping(const struct thread *thread, struct fault_texts *texts,
                         struct event_signal *signal)
{
    const struct region *region =
        regions_at(&thread->space->regions, signal->addr.value);
    struct maps_line *line = &texts->line;
    char *perms, prot[4];

    if (!proc_maps_nearest(thread->tracee.tid, signal->addr.value, line))
        return;
    perms = strchr(line->text, ' ');
    if (region && perms) {
        prot_text(region->prot, prot);
        memcpy(perms + 1, prot, 3);
    }
    if (line->start <= signal->addr.value && signal->addr.value < line->end)
        signal->maps = line->text;
    else
        signal->nearest = line->text;
}

/* The source line; that of the call, where one led to what is no code. */
static void find_place(const struct thread *thread, struct event *event)
{
    struct event_signal *signal = &event->signal;
    const struct regs *regs = &signal->regs.value;
    pid_t tid = thread->tracee.tid;
    struct call_frame frame;

    if (!signal->access || strcmp(signal->access, "execute") != 0) {
        if (!regions_at(&thread->space->regions, signal->pc.value))
            lines_find_caller(thread->run->lines, regs, &event->source);
    } else if (calling_frame(tid, proc_read, regs, &frame) &&
               arrive_follows_call(tid, frame.return_to)) {
        signal->return_to = (struct opt_u64){true, frame.return_to};
        lines_find(thread->run->lines, frame.return_to - 1, &event->source);
    }
}

static void describe_fault(struct thread *thread, struct fault_texts *texts,
                           struct event *event)
{
    struct event_signal *signal = &event->signal;

    if (signal->number == SIGSEGV || signal->number == SIGBUS)
        signal->access = failed_access(thread, signal->addr.value);
    signal->regs.known = true;
    tracee_regs(&thread->tracee, &signal->regs.value);
    find_insn(thread, texts, signal);
    find_mapping(thread, texts, signal);
    find_place(thread, event);
}

static void emit_signal(struct thread *thread, const siginfo_t *info)
{
    struct event event = {.kind = EVENT_SIGNAL, .tid = thread->tracee.tid};
    bool is_fault = info->si_code > 0 &&
                    (info->si_signo == SIGSEGV || info->si_signo == SIGBUS ||
                     info->si_signo == SIGFPE || info->si_signo == SIGILL);
    struct fault_texts texts;
    const char *name = signal_name(info->si_signo);

    event.signal.number = info->si_signo;
    event.signal.name = name ? name : "SIGRT";
    event.signal.code = info->si_code;
    if (is_fault)
        event.signal.addr =
            (struct opt_u64){true, (uint64_t)(uintptr_t)info->si_addr};
    if (tracee_fetch(&thread->tracee) == 0) {
        event.signal.pc = (struct opt_u64){true, tracee_pc(&thread->tracee)};
        if (is_fault)
            describe_fault(thread, &texts, &event);
    }
    report_event(thread->run, &event);
}

/* Whether a system call has just returned to pc. */
static bool follows_syscall(pid_t pid, uint64_t pc)
{
    uint8_t before[SYSCALL_LENGTH];

    return proc_read(pid, pc - sizeof before, before, sizeof before) ==
               sizeof before &&
           memcmp(before, syscall_bytes, sizeof before) == 0;
}

/* Whether the same happens if the instruction at pc is executed again: not if
 * the kernel has forced the signal for a call, as for a bad sigreturn. */
static bool comes_again(const struct thread *thread, const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGSEGV:
        if (info->si_code == SI_KERNEL)
            return !follows_syscall(thread->tracee.tid,
                                    tracee_pc(&thread->tracee));
        return info->si_code > 0;
    case SIGBUS:
        return info->si_code == BUS_ADRERR || info->si_code == BUS_ADRALN;
    case SIGILL:
    case SIGFPE:
        return info->si_code > 0;
    default:
        return false;
    }
}

/* Puts a thread that a breakpoint instruction has stopped in front of it. */
static bool go_before_trap(struct tracee *tracee)
{
    uint64_t pc = tracee_pc(tracee);
    uint8_t before[TRAP_LOOK_BACK];
    size_t length;

    if (proc_read(tracee->tid, pc - sizeof before, before, sizeof before) !=
        sizeof before)
        return false;
    length = trap_length(before);
    return length > 0 && tracee_go_to(tracee, pc - length) == 0;
}

/*
 * What the handler is told of a fault (trapno, err and cr2 in struct
 * sigcontext) is what the CPU said last, and a call of ours is a fault as well:
 * its step is. So the fault is raised again, if it can be, with no call of ours
 * behind it. Returns whether that is to be.
 */
static bool raise_again(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    const siginfo_t *info = &tracee->held[0];

    if (!tracee->injected || thread->raised_again || tracee_fetch(tracee) < 0)
        return false;
    if (info->si_signo == SIGTRAP && info->si_code == SI_KERNEL &&
        !thread->inside)
        return go_before_trap(tracee);
    return comes_again(thread, info);
}

int signal_take(struct thread *thread, bool step)
{
    struct tracee *tracee = &thread->tracee;
    siginfo_t info;
    bool blocked;

    if (tracee->held_count == 0)
        return 0;
    thread->raised_again = raise_again(thread);
    if (thread->raised_again) {
        tracee_take(tracee, &info);
        return 0;
    }
    blocked = tracee_blocks(tracee, tracee->held[0].si_signo);
    if ((blocked && step) || !tracee_take(tracee, &info))
        return 0;
    if (blocked)
        return info.si_signo;
    emit_signal(thread, &info);
    actions_delivered(thread, info.si_signo, info.si_code > 0);
    return info.si_signo;
}

/*
 * Begins the handler while no other thread runs. One that blocks the signal
 * could fault at a guard and undo the handler just before the kernel looks.
 */
static void deliver_alone(struct thread *thread, int signal, bool forced)
{
    store_stop_others(thread);
    if (!forced)
        actions_restore(thread, signal);
    observer_resume(thread);
    if (thread->due && thread->due_signal == signal) {
        thread->due = false;
        thread->beginning = !thread->inside;
        observer_go(thread, RESUME_HANDLER, signal);
        if (tracee_wait(&thread->tracee, &thread->stop) == 0)
            thread->has_stop = true;
    }
    store_let_others(thread->run, thread->space);
}

/* A signal that is the program's own: it goes with the next resume. */
static void deliver(struct thread *thread, const siginfo_t *info)
{
    if (info->si_code <= 0 && actions_ignore(thread, info->si_signo)) {
        observer_resume(thread);
        return;
    }
    thread->from_terminal = info->si_code == SI_KERNEL;
    tracee_hold(&thread->tracee, info);
    run_on_look(thread);
    if (thread->storing) /* it will fault again, behind the handler */
        store_abort(thread);
    if (tracee_fetch(&thread->tracee) == 0) {
        guard_drop_stack(thread, tracee_stack(&thread->tracee) - SIGNAL_FRAME,
                         SIGNAL_FRAME);
        /* Behind a system call, which it has interrupted, it may go back. */
        if (thread->inside && thread->insn.kind != INSN_SYSCALL &&
            tracee_pc(&thread->tracee) != thread->insn.addr)
            stay_moved(thread); /* an int3 */
    }
    robust_before_signal(thread, info->si_signo);
    if (actions_endangered(thread, info->si_signo))
        deliver_alone(thread, info->si_signo, info->si_code > 0);
    else
        observer_resume(thread);
}

/*
 * How often an access may fault while the guards are as they were when it was
 * let go: the second time should be impossible, for its own guard was lifted.
 */
#define MAX_REPEATS 3
/* How often an access is repeated because they have changed, by what another
 * thread did, before that thread and all others have to stand still. */
#define MAX_RETRIES 16

/* Whether guards or mappings have changed since the thread was let go: then a
 * fault of it says nothing of how they are now. */
static bool has_turned(const struct thread *thread)
{
    return !thread->settled && thread->seen != thread->space->turns;
}

/* Counts the faults of one access that come one behind the other. */
static void count_fault(struct thread *thread, const struct fault *fault)
{
    struct fault_place *last = &thread->last_fault;

    if (last->pc != fault->pc || last->addr != fault->addr ||
        last->stop + 1 != thread->stops)
        *last = (struct fault_place){.pc = fault->pc, .addr = fault->addr};
    last->stop = thread->stops;
    /* Another thread may have set it again before this one was let go. */
    if (has_turned(thread) || thread->seen != last->turns) {
        last->retries++;
        last->repeats = 0;
    } else {
        last->repeats++;
    }
}

/*
 * Makes the access once more, while no other thread runs that could change a
 * guard. If it succeeds, the thread goes on behind it.
 */
static void settle(struct thread *thread)
{
    struct stop stop;

    store_stop_others(thread);
    observer_go(thread, RESUME_STEP, 0);
    if (tracee_wait(&thread->tracee, &stop) < 0)
        return;
    if (stop.kind == STOP_SIGNAL && stop.signal == SIGTRAP &&
        !thread->storing && !thread->inside &&
        tracee_fetch(&thread->tracee) == 0) {
        tracee_hide_step(&thread->tracee, thread->store_insn.kind);
        tracee_restore_mask(&thread->tracee);
        actions_forced(thread, SIGTRAP);
        observer_resume(thread);
    } else {
        thread->settled = true;
        thread->has_stop = true;
        thread->stop = stop;
    }
    store_let_others(thread->run, thread->space);
}

/* An access faults under a guard that was lifted for it: gives its region up. */
static void give_up(struct thread *thread, struct region *region,
                    enum fault_class class)
{
    report_limit(thread, "progress", region->addr,
                 "the instruction at 0x%" PRIx64
                 " faults again and again under the guard, so its region is "
                 "not watched any more",
                 thread->last_fault.pc);
    guard_drop(thread, region, class == FAULT_STORE ? PROT_WRITE : PROT_EXEC);
    observer_resume(thread);
}

void signal_own_traps(struct thread *thread)
{
    thread->inside = false;
    guard_drop_all(thread, "trap-flag",
                   "the program has set the trap flag to step itself; from "
                   "here on nothing is watched any more");
    observer_run(thread);
}

/* A fault that may be due to what other threads did since. */
static void repeat_fault(struct thread *thread)
{
    if (thread->last_fault.retries % MAX_RETRIES == 0)
        settle(thread);
    else
        observer_resume(thread);
}

/* No guard is in the way: it is the program's own, unless one was. */
static void on_own_fault(struct thread *thread, const siginfo_t *info)
{
    if (thread->space->watched && has_turned(thread) &&
        comes_again(thread, info)) {
        repeat_fault(thread);
        return;
    }
    if (actions_endangered(thread, info->si_signo))
        store_stop_others(thread);
    /* If it is another thread's stop that gives it back, that is read first,
     * and then this fault comes again. */
    if (actions_lack(thread, info->si_signo) &&
        thread->last_fault.repeats + thread->last_fault.retries <=
            MAX_REPEATS &&
        comes_again(thread, info))
        observer_resume(thread);
    else
        deliver(thread, info);
}

/* Whether the instruction that has faulted stores to addr. */
static bool stores_to(const struct thread *thread, uint64_t addr)
{
    struct insn_access what[MAX_ACCESSES];
    struct regs regs;
    size_t count;

    tracee_regs(&thread->tracee, &regs);
    count = insn_accesses(&thread->store_insn, &regs, what, MAX_ACCESSES);
    for (size_t i = 0; i < count; i++)
        if (what[i].written && addr - what[i].addr < what[i].size)
            return true;
    return false;
}

static void on_fault(struct thread *thread, const siginfo_t *info)
{
    struct fault fault = {.signal = info->si_signo,
                          .code = info->si_code,
                          .addr = (uint64_t)(uintptr_t)info->si_addr};
    enum fault_class class = FAULT_PROGRAM;
    struct region *region;

    if (tracee_fetch(&thread->tracee) < 0)
        return;
    fault.pc = tracee_pc(&thread->tracee);
    if (thread->space->watched && fault.code == SEGV_ACCERR)
        maps_grown(thread, fault.addr);
    access_decode(thread, fault.pc, &thread->store_insn);
    fault.length =
        thread->store_insn.length ? thread->store_insn.length : INSN_MAX_LENGTH;
    fault.stores = stores_to(thread, fault.addr);
    if (thread->space->watched)
        class = fault_classify(&thread->space->regions, &fault);
    region = regions_at(&thread->space->regions, fault.addr);
    if (class != FAULT_PROGRAM)
        actions_forced(thread, info->si_signo);
    if (class != FAULT_PROGRAM && thread->space->frozen)
        class = FAULT_STALE; /* by that, perhaps */
    if ((class == FAULT_STORE && store_must_wait(thread)) ||
        (comes_again(thread, info) &&
         order_in_doubt(thread->run, thread->space, fault.addr, 1))) {
        thread->waiting = true;
        return;
    }
    count_fault(thread, &fault);
    if (class != FAULT_PROGRAM && tracee_traps_itself(&thread->tracee)) {
        signal_own_traps(thread);
        return;
    }
    if (class != FAULT_PROGRAM && (region->guard.taken & region->guard.lost))
        class = FAULT_PROGRAM; /* there is no way back: to end is better */
    if (class == FAULT_STALE && !has_turned(thread))
        class = FAULT_PROGRAM; /* no guard that was lifted since explains it */
    if (class != FAULT_PROGRAM && thread->last_fault.repeats > MAX_REPEATS) {
        give_up(thread, region, class);
        return;
    }
    switch (class) {
    case FAULT_STORE:
        store_begin(thread, fault.addr);
        break;
    case FAULT_FETCH:
        stay_enter(thread, region);
        break;
    case FAULT_STALE:
        repeat_fault(thread);
        break;
    case FAULT_PROGRAM:
        on_own_fault(thread, info);
        break;
    }
    thread->last_fault.turns = thread->space->turns;
}

/* si_code of the stop at a handler's first instruction, when the signal was
 * delivered with a step (ptrace_notify in the kernel). */
#define TRAP_HANDLER SIGTRAP

static bool is_our_step(const struct thread *thread, const siginfo_t *info)
{
    if (thread->inside && thread->insn.kind == INSN_TRAP &&
        info->si_code == TRAP_BRKPT)
        return false;
    return (thread->storing || thread->inside) &&
           (info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT ||
            info->si_code == TRAP_HANDLER);
}

/* It came only because a step has unblocked it: it stays pending. */
static void keep(struct thread *thread, const siginfo_t *info)
{
    tracee_hold(&thread->tracee, info);
    observer_resume(thread);
}

/* Whether the instruction that comes next is about to fault at a guard. */
static bool faults_at_guard(struct thread *thread, int signal)
{
    struct regions *regions = &thread->space->regions;
    const struct region *region;
    struct accesses accesses;
    struct insn insn;
    struct regs regs;

    if (tracee_fetch(&thread->tracee) < 0)
        return false;
    region = regions_at(regions, tracee_pc(&thread->tracee));
    if (signal == SIGSEGV && region &&
        fault_is_held(region, tracee_pc(&thread->tracee), PROT_EXEC))
        return true;
    access_decode(thread, tracee_pc(&thread->tracee), &insn);
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

/*
 * A signal of faults was sent to this thread and pending when it faulted at a
 * guard. The kernel has unblocked it for the fault, and as it does not queue
 * (signal(7)), only the one that was sent has come. It waits; the fault comes
 * again.
 */
static void fault_again(struct thread *thread, const siginfo_t *info)
{
    actions_forced(thread, info->si_signo);
    tracee_hold(&thread->tracee, info);
    if (thread->storing || thread->inside)
        observer_step(thread);
    else
        observer_let(thread, RESUME_RUN, 0);
}

/*
 * The program blocks SIGTRAP, which is blocked while it is stepped, and raises
 * it itself: what it does about that ends it, but only with its own mask. So it
 * does it again, and the kernel does what it must.
 */
static void trap_again(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;

    if (tracee_go_to(tracee, thread->insn.addr) == 0)
        observer_let(thread, RESUME_RUN, 0);
}

void signal_stopped(struct thread *thread, const siginfo_t *info)
{
    if (info->si_signo == SIGTRAP && is_our_step(thread, info)) {
        if (thread->storing) /* what it has stored is looked at next */
            tracee_hide_step(&thread->tracee, thread->store_insn.kind);
        if (thread->storing)
            store_end(thread);
        if (thread->inside)
            stay_stepped(thread);
        else
            observer_run(thread);
        return;
    }
    tracee_restore_mask(&thread->tracee);
    if (thread->beginning && info->si_signo == SIGTRAP &&
        info->si_code == TRAP_HANDLER) {
        thread->beginning = false;
        observer_run(thread);
        return;
    }
    thread->beginning = false;
    if (thread->inside && tracee_pc(&thread->tracee) == thread->insn.addr)
        tracee_hide_stepping(&thread->tracee, thread->insn.kind);
    if (info->si_signo == SIGTRAP && run_on_is_trap(thread, info))
        run_on_trapped(thread);
    else if ((info->si_signo == SIGSEGV || info->si_signo == SIGBUS) &&
             info->si_code > 0)
        on_fault(thread, info);
    else if (info->si_signo == SIGTRAP && info->si_code > 0 && thread->inside &&
             tracee_blocks(&thread->tracee, SIGTRAP))
        trap_again(thread);
    else if ((info->si_signo == SIGSEGV || info->si_signo == SIGBUS) &&
             thread->space->watched && faults_at_guard(thread, info->si_signo))
        fault_again(thread, info);
    else if (tracee_blocks(&thread->tracee, info->si_signo))
        keep(thread, info);
    else
        deliver(thread, info);
}
