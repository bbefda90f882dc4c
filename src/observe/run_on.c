/* SPDX-License-Identifier: MIT */
#include "observe/run_on.h"

#include "cpu/calling.h"
#include "observe/guard.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* Returns of recursive calls that are stopped at for one end; each costs as
 * much as a step. */
#define MAX_MISSES 1000

void run_on_end(struct thread *thread)
{
    breakpoint_remove(&thread->run_on.stop, &thread->tracee);
    thread->run_on = (struct run_on){0};
}

/* The end will not be seen. Then the guard is armed again at the next chance;
 * but if nothing is stepped, all that would bring is an entry now and then. */
static void give_up(struct thread *thread, struct region *region)
{
    if (budget_has_steps(&thread->run->spent))
        return;
    run_on_end(thread);
    thread_limit(thread, budget_word(BUDGET_steps), region->addr,
                 "where the code at 0x%" PRIx64
                 " returns to is not known, or is returned to too often; as "
                 "nothing is stepped, entries into it are not seen any more",
                 region->addr);
    guard_drop(thread, region, PROT_EXEC);
}

/* Whether addr is in the code of a file that is mapped for this process alone,
 * so that nobody stores there. A loop asks for the same place again and again,
 * and only calls that change mappings change the answer. */
static bool is_private_code(struct thread *thread, uint64_t addr)
{
    const uint64_t calls = thread->space->calls;
    struct maps_line line;

    if (thread->space->private_code == addr &&
        thread->space->private_at == calls)
        return true;
    if (!proc_maps_find(thread->tracee.tid, addr, &line) || line.start > addr ||
        line.shared || line.inode == 0 || !(line.prot & PROT_EXEC) ||
        (line.prot & PROT_WRITE))
        return false;
    thread->space->private_code = addr;
    thread->space->private_at = calls;
    return true;
}

/* Whether the return to addr will be seen. */
static bool set_breakpoint(struct thread *thread, uint64_t addr)
{
    struct breakpoint *stop = &thread->run_on.stop;
    struct region *there = regions_at(&thread->space->regions, addr);
    struct run *run = thread->run;

    /* Tried when the first one is needed, for that costs a call of ours. */
    if (run->registers == REGISTERS_UNTRIED)
        run->registers = tracee_proves_break(&thread->tracee)
                             ? REGISTERS_STOP
                             : REGISTERS_NEVER_STOP;
    if (run->registers == REGISTERS_STOP &&
        breakpoint_set(stop, BREAKPOINT_REGISTER, &thread->tracee, addr) == 0)
        return true;
    /* The fetch from another region is seen at its guard. */
    if (there)
        return there->start != thread->run_on.start &&
               (there->guard.wanted & there->prot & PROT_EXEC) &&
               guard_set(thread, there, there->guard.taken | PROT_EXEC) == 0;
    /* Only this thread may come by, and nobody store there. */
    return thread->space->users == 1 && is_private_code(thread, addr) &&
           breakpoint_set(stop, BREAKPOINT_INSN, &thread->tracee, addr) == 0;
}

/* Lets the rest of this stay run at full speed. */
void run_on_begin(struct thread *thread, struct region *region)
{
    uint64_t addr = thread->back.pc;
    bool seen;

    run_on_end(thread);
    thread->run_on = (struct run_on){
        .pending = true, .start = region->start, .back = thread->back};
    thread->inside = false;
    guard_lift(thread, region, PROT_EXEC);
    seen = addr != 0 && set_breakpoint(thread, addr);
    thread->run->spent.uncounted |= !seen;
    if (addr != 0 && !seen && !thread->run->told_returns) {
        thread->run->told_returns = true;
        thread_limit(
            thread, "returns", region->start,
            "debug registers do not work on this machine, and the "
            "program has several threads or returns to code that could "
            "change; the ends of calls that run at full speed are not "
            "seen where that is so");
    }
    if (thread->run_on.stop.kind == BREAKPOINT_NONE)
        give_up(thread, region);
}

bool run_on_is_unwound(const struct thread *thread)
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

bool run_on_returned(struct thread *thread, struct regs *now)
{
    const struct place *back = &thread->run_on.back;

    if (!thread->run_on.pending || tracee_pc(&thread->tracee) != back->pc ||
        tracee_stack(&thread->tracee) < back->sp)
        return false;
    tracee_regs(&thread->tracee, now);
    run_on_end(thread);
    return true;
}

bool run_on_passed(struct thread *thread)
{
    struct run_on *on = &thread->run_on;
    struct region *region;

    if (++on->misses < MAX_MISSES) {
        bool passed =
            breakpoint_pass(&on->stop, &thread->tracee, &thread->stop);

        thread->has_stop = thread->stop.kind != STOP_NONE;
        if (passed)
            return !thread->has_stop;
    }
    breakpoint_remove(&on->stop, &thread->tracee);
    region = regions_at(&thread->space->regions, on->start);
    if (region && !thread->has_stop)
        give_up(thread, region);
    return !thread->has_stop;
}
