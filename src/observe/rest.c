/* SPDX-License-Identifier: MIT */
/*
 * The rest of a stay in generated code, once its steps are spent: it runs at
 * full speed, with the guard of its region lifted. What is still to be seen is
 * its end. Where it returns to is known if it was called; there a breakpoint
 * waits: a debug register, or where these do not work an int3, never in
 * generated code and only while nobody else could come by.
 *
 *          steps spent                    breakpoint, on its own stack frame
 *   inside ------------> rest, back known ------------> leave, guards armed
 *             |
 *             +--------> rest, back unknown: guards are armed again when the
 *                        thread stops outside for any other reason; if there
 *                        are no steps at all, the region's guard is dropped
 *
 * A rest that is left in another way (longjmp, an exception) is noticed at a
 * stop of the thread, when its return address is overwritten or its stack
 * unwound. Until then entries into that region are not seen: the limit event
 * has said so.
 *
 * A return to the same address further down the stack is that of a recursive
 * call. One breakpoint is used: a rest within a rest makes the outer one be
 * seen as an entry by return.
 */
#include <inttypes.h>
#include <sys/mman.h>

#include "cpu/calling.h"
#include "observe/state.h"
#include "target/proc.h"

/* Returns of recursive calls that are stopped at for one rest; each costs as
 * much as a step. */
#define MAX_MISSES 1000

static bool stops(const struct rest *rest)
{
    return rest->stop.kind != BREAKPOINT_NONE;
}

static void end(struct thread *thread)
{
    breakpoint_remove(&thread->rest.stop, &thread->tracee);
    thread->rest = (struct rest){0};
}

/*
 * The end of a rest will not be seen. Then the guard is armed again at the next
 * chance; but if nothing is stepped, all that would bring is an entry now and
 * then.
 */
static void give_up(struct thread *thread, struct region *region)
{
    if (budget_has_steps(&thread->run->budget, &thread->run->spent))
        return;
    end(thread);
    report_limit(thread, budget_word(BUDGET_steps), region->addr,
                 "where the code at 0x%" PRIx64
                 " returns to is not known, or is returned to too often; as "
                 "nothing is stepped, entries into it are not seen any more",
                 region->addr);
    guard_drop(thread, region, PROT_EXEC);
}

/* Tried when the first one is needed, for that costs a call of ours. */
static bool registers_stop(struct thread *thread)
{
    if (thread->run->registers == REGISTERS_UNTRIED)
        thread->run->registers = tracee_proves_break(&thread->tracee)
                                     ? REGISTERS_STOP
                                     : REGISTERS_NEVER_STOP;
    return thread->run->registers == REGISTERS_STOP;
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

/*
 * Returns into another region: its guard is the breakpoint, and the fetch from
 * there the hit (run_on_returned).
 */
static bool set_guard(struct thread *thread)
{
    const struct rest *rest = &thread->rest;
    struct region *region = regions_at(&thread->space->regions, rest->back.pc);

    return region && region->start != rest->start &&
           (region->guard.wanted & region->prot & PROT_EXEC) &&
           guard_set(thread, region, region->guard.taken | PROT_EXEC) == 0;
}

void run_on_returned(struct thread *thread)
{
    const struct place *back = &thread->rest.back;
    struct regs now;

    if (!thread->rest.active || tracee_pc(&thread->tracee) != back->pc ||
        tracee_stack(&thread->tracee) < back->sp)
        return;
    tracee_regs(&thread->tracee, &now);
    end(thread);
    arrive_tell_leave(thread, "return", &now);
    guard_close_all(thread);
}

static void set_breakpoint(struct thread *thread)
{
    struct rest *rest = &thread->rest;
    uint64_t addr = rest->back.pc;

    if (addr == 0 ||
        (registers_stop(thread) &&
         breakpoint_set_register(&rest->stop, &thread->tracee, addr) == 0) ||
        set_guard(thread) ||
        (takes_insn(thread, addr) &&
         breakpoint_set_insn(&rest->stop, &thread->tracee, addr) == 0) ||
        thread->run->told_returns)
        return;
    thread->run->told_returns = true;
    report_limit(thread, "returns", thread->rest.start,
                 "debug registers do not work on this machine, and the "
                 "program has several threads or returns to code that could "
                 "change; the ends of calls that run at full speed are not "
                 "seen where that is so");
}

void run_on_before_call(struct thread *thread)
{
    const struct call *call = &thread->call;
    struct breakpoint *stop = &thread->rest.stop;
    enum call_kind kind = call_kind(call);

    if (stop->kind != BREAKPOINT_INSN)
        return;
    if (kind == CALL_CPUS || (kind >= CALL_MMAP && kind <= CALL_MREMAP &&
                              stop->addr - call->args[0] < call->args[1]))
        breakpoint_remove(stop, &thread->tracee);
}

void run_on_begin(struct thread *thread, struct region *region)
{
    struct rest *rest = &thread->rest;

    end(thread);
    thread->inside = false;
    *rest = (struct rest){
        .active = true, .start = region->start, .back = thread->back};
    guard_set(thread, region, region->guard.taken & ~(unsigned)PROT_EXEC);
    set_breakpoint(thread);
    if (!stops(rest))
        give_up(thread, region);
    observer_run(thread);
}

/*
 * Whether the rest cannot return any more: its return address is overwritten,
 * or the stack is unwound beyond it.
 */
static bool is_unwound(const struct thread *thread, uint64_t sp)
{
    const struct rest *rest = &thread->rest;
    const struct call_frame frame = {rest->back.pc, rest->back.sp};
    struct maps_line line;

    if (!calling_frame_holds(thread->tracee.tid, proc_read, &frame))
        return true;
    /* Another stack is that of a coroutine or a signal handler. */
    return sp > rest->back.sp &&
           proc_maps_find(thread->tracee.tid, rest->back.sp, &line) &&
           sp < line.end;
}

bool run_on_covers(const struct thread *thread, const struct region *region)
{
    const struct rest *rest = &thread->rest;

    if (!rest->active || rest->start != region->start)
        return false;
    return !stops(rest) || !is_unwound(thread, tracee_stack(&thread->tracee));
}

bool run_on_is_trap(const struct thread *thread, const siginfo_t *info)
{
    return breakpoint_is_hit(&thread->rest.stop, &thread->tracee, info);
}

/* Another call's return: goes on behind it, if that can be seen again. */
static void miss(struct thread *thread)
{
    struct rest *rest = &thread->rest;
    struct region *region;
    bool passed = ++rest->misses < MAX_MISSES &&
                  breakpoint_pass(&rest->stop, &thread->tracee, &thread->stop);

    thread->has_stop = thread->stop.kind != STOP_NONE;
    if (passed)
        return;
    breakpoint_remove(&rest->stop, &thread->tracee);
    region = regions_at(&thread->space->regions, rest->start);
    if (region && !thread->has_stop)
        give_up(thread, region);
}

void run_on_trapped(struct thread *thread)
{
    actions_forced(thread, SIGTRAP);
    tracee_fetch(&thread->tracee);
    tracee_go_to(&thread->tracee, thread->rest.back.pc);
    run_on_returned(thread);
    if (thread->rest.active)
        miss(thread);
    if (!thread->has_stop)
        observer_run(thread);
}

void run_on_look(struct thread *thread)
{
    const struct region *region;
    uint64_t pc;

    if (!thread->rest.active || tracee_fetch(&thread->tracee) < 0)
        return;
    pc = tracee_pc(&thread->tracee);
    region = regions_at(&thread->space->regions, pc);
    if (region && region->start == thread->rest.start)
        return;
    if (stops(&thread->rest) &&
        !is_unwound(thread, tracee_stack(&thread->tracee)))
        return;
    end(thread);
    guard_close_all(thread);
}
