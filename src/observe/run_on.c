/* SPDX-License-Identifier: MIT */
#include "observe/run_on.h"

#include <inttypes.h>
#include <sys/mman.h>

#include "cpu/calling.h"
#include "observe/actions.h"
#include "observe/arrive.h"
#include "observe/guard.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* Returns of recursive calls that are stopped at for one end; each costs as
 * much as a step. */
#define MAX_MISSES 1000

static bool stops(const struct thread *thread)
{
    return thread->run_on.stop.kind != BREAKPOINT_NONE;
}

static void end(struct thread *thread)
{
    breakpoint_remove(&thread->run_on.stop, &thread->tracee);
    thread->run_on = (struct run_on){0};
}

/*
 * The end will not be seen. Then the guard is armed again at the next chance;
 * but if nothing is stepped, all that would bring is an entry now and then.
 */
static void give_up(struct thread *thread, struct region *region)
{
    if (budget_has_steps(&thread->report->spent))
        return;
    end(thread);
    thread_limit(thread, budget_word(BUDGET_steps), region->addr,
                 "where the code at 0x%" PRIx64
                 " returns to is not known, or is returned to too often; as "
                 "nothing is stepped, entries into it are not seen any more",
                 region->addr);
    guard_drop(thread, region, PROT_EXEC);
}

/* Whether only this thread can come by, and nobody store there: in the code of
 * a file that is mapped for this process alone. */
static bool takes_insn(const struct thread *thread, uint64_t addr)
{
    struct maps_line line;

    return thread->space->users == 1 &&
           !regions_at(&thread->space->regions, addr) &&
           proc_maps_find(thread->tracee.tid, addr, &line) &&
           line.start <= addr && !line.shared && line.inode != 0 &&
           (line.prot & PROT_EXEC) && !(line.prot & PROT_WRITE);
}

/* Returns into another region: the fetch from there is seen at its guard. */
static bool set_guard(struct thread *thread)
{
    const struct run_on *on = &thread->run_on;
    struct region *region = regions_at(&thread->space->regions, on->back.pc);

    return region && region->start != on->start &&
           (region->guard.wanted & region->prot & PROT_EXEC) &&
           guard_set(thread, region, region->guard.taken | PROT_EXEC) == 0;
}

static void set_breakpoint(struct thread *thread)
{
    struct run_on *on = &thread->run_on;
    struct run *run = thread->run;
    uint64_t addr = on->back.pc;

    /* Tried when the first one is needed, for that costs a call of ours. */
    if (addr != 0 && run->registers == REGISTERS_UNTRIED)
        run->registers = tracee_proves_break(&thread->tracee)
                             ? REGISTERS_STOP
                             : REGISTERS_NEVER_STOP;
    if (addr == 0 ||
        (run->registers == REGISTERS_STOP &&
         breakpoint_set(&on->stop, BREAKPOINT_REGISTER, &thread->tracee,
                        addr) == 0) ||
        set_guard(thread) ||
        (takes_insn(thread, addr) &&
         breakpoint_set(&on->stop, BREAKPOINT_INSN, &thread->tracee, addr) ==
             0) ||
        run->told_returns)
        return;
    run->told_returns = true;
    thread_limit(thread, "returns", on->start,
                 "debug registers do not work on this machine, and the "
                 "program has several threads or returns to code that could "
                 "change; the ends of calls that run at full speed are not "
                 "seen where that is so");
}

enum go run_on_begin(struct thread *thread, struct region *region)
{
    end(thread);
    thread->run_on = (struct run_on){
        .pending = true, .start = region->start, .back = thread->back};
    thread->inside = false;
    guard_lift(thread, region, PROT_EXEC);
    set_breakpoint(thread);
    if (!stops(thread))
        give_up(thread, region);
    return GO_RUN;
}

/* --- its end -------------------------------------------------------------- */

/*
 * Whether it cannot return any more: its return address is overwritten, or the
 * stack is unwound beyond it.
 */
static bool is_unwound(const struct thread *thread)
{
    const struct place *back = &thread->run_on.back;
    uint64_t sp = tracee_stack(&thread->tracee);
    struct maps_line line;

    if (!calling_frame_holds(thread->tracee.tid, proc_read,
                             &(struct call_frame){back->pc, back->sp}))
        return true;
    /* Another stack is that of a coroutine or a signal handler. */
    return sp > back->sp &&
           proc_maps_find(thread->tracee.tid, back->sp, &line) && sp < line.end;
}

bool run_on_covers(const struct thread *thread, const struct region *region)
{
    const struct run_on *on = &thread->run_on;

    return on->pending && on->start == region->start &&
           (!stops(thread) || !is_unwound(thread));
}

void run_on_returned(struct thread *thread)
{
    const struct place *back = &thread->run_on.back;
    struct regs now;

    if (!thread->run_on.pending || tracee_pc(&thread->tracee) != back->pc ||
        tracee_stack(&thread->tracee) < back->sp)
        return;
    tracee_regs(&thread->tracee, &now);
    end(thread);
    arrive_tell_leave(thread, "return", &now);
    guard_close_all(thread);
}

bool run_on_is_trap(const struct thread *thread, const siginfo_t *info)
{
    return breakpoint_is_hit(&thread->run_on.stop, &thread->tracee, info);
}

enum go run_on_trapped(struct thread *thread)
{
    struct run_on *on = &thread->run_on;
    struct region *region;

    actions_forced(thread, SIGTRAP);
    tracee_fetch(&thread->tracee);
    tracee_go_to(&thread->tracee, on->back.pc);
    run_on_returned(thread);
    if (!on->pending)
        return GO_RUN;

    /* Another call's return: goes on behind it, if that can be seen again. */
    if (++on->misses < MAX_MISSES) {
        bool passed =
            breakpoint_pass(&on->stop, &thread->tracee, &thread->stop);

        thread->has_stop = thread->stop.kind != STOP_NONE;
        if (passed)
            return thread->has_stop ? GO_NOT : GO_RUN;
    }
    breakpoint_remove(&on->stop, &thread->tracee);
    region = regions_at(&thread->space->regions, on->start);
    if (region && !thread->has_stop)
        give_up(thread, region);
    return thread->has_stop ? GO_NOT : GO_RUN;
}

void run_on_before_call(struct thread *thread)
{
    const struct call *call = &thread->call;
    struct breakpoint *stop = &thread->run_on.stop;
    enum call_kind kind = call_kind(call);

    if (stop->kind == BREAKPOINT_INSN &&
        (kind == CALL_CPUS || (kind >= CALL_MMAP && kind <= CALL_MREMAP &&
                               stop->addr - call->args[0] < call->args[1])))
        breakpoint_remove(stop, &thread->tracee);
}

void run_on_look(struct thread *thread)
{
    const struct region *region;

    if (!thread->run_on.pending || tracee_fetch(&thread->tracee) < 0)
        return;
    region = regions_at(&thread->space->regions, tracee_pc(&thread->tracee));
    if ((region && region->start == thread->run_on.start) ||
        (stops(thread) && !is_unwound(thread)))
        return;
    end(thread);
    guard_close_all(thread);
}
