/* SPDX-License-Identifier: MIT */
/*
 * The rest of a stay in generated code, once its steps are spent: it runs at
 * full speed, with the guard of its region lifted. What is still to be seen is
 * its end. Where it returns to is known if it was called; there a hardware
 * breakpoint waits, so that not a byte of the program is changed.
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

#include "observe/state.h"
#include "target/proc.h"

/* Returns of recursive calls that are stopped at for one rest; each costs as
 * much as a step. */
#define MAX_MISSES 1000

static void remove_breakpoint(struct thread *thread)
{
    if (thread->rest.stops)
        tracee_break(&thread->tracee, 0);
    thread->rest.stops = false;
}

static void end(struct thread *thread)
{
    remove_breakpoint(thread);
    thread->rest = (struct rest){0};
    thread->last_fault = (struct fault_place){0}; /* the next is another one */
}

/*
 * The end of a rest will not be seen. Then the guard is armed again at the next
 * chance; but if nothing is stepped, all that would bring is an entry now and
 * then.
 */
static void give_up(struct observer *observer, struct thread *thread,
                    struct region *region)
{
    if (budget_has_steps(&observer->budget, &observer->spent))
        return;
    end(thread);
    observer_limit(observer, thread, budget_word(BUDGET_steps), region->addr,
                   "where the code at 0x%" PRIx64
                   " returns to is not known, or is returned to too often; as "
                   "nothing is stepped, entries into it are not seen any more",
                   region->addr);
    guard_drop(observer, thread, region, PROT_EXEC);
}

void rest_begin(struct observer *observer, struct thread *thread,
                struct region *region)
{
    struct rest *rest = &thread->rest;

    end(thread);
    thread->inside = false;
    *rest = (struct rest){
        .active = true, .start = region->start, .back = thread->back};
    rest->stops =
        rest->back.pc != 0 && tracee_break(&thread->tracee, rest->back.pc) == 0;
    if (!rest->stops)
        give_up(observer, thread, region);
    observer_run(observer, thread);
}

/*
 * Whether the rest cannot return any more: its return address is overwritten,
 * or the stack is unwound beyond it.
 */
static bool is_unwound(const struct thread *thread, uint64_t sp)
{
    const struct rest *rest = &thread->rest;
    struct maps_line line;
    uint64_t pc;

    if (proc_read(thread->tracee.tid, rest->back.sp - sizeof pc, &pc,
                  sizeof pc) != sizeof pc ||
        pc != rest->back.pc)
        return true;
    /* Another stack is that of a coroutine or a signal handler. */
    return sp > rest->back.sp &&
           proc_maps_find(thread->tracee.tid, rest->back.sp, &line) &&
           sp < line.end;
}

bool rest_goes_on(const struct thread *thread, const struct region *region)
{
    const struct rest *rest = &thread->rest;

    if (!rest->active || rest->start != region->start)
        return false;
    return !rest->stops || !is_unwound(thread, tracee_stack(&thread->tracee));
}

/* TRAP_HWBKPT is also what a breakpoint of the program's own would give. */
bool rest_is_trap(const struct thread *thread, const siginfo_t *info)
{
    return thread->rest.stops && info->si_code == TRAP_HWBKPT &&
           tracee_pc(&thread->tracee) == thread->rest.back.pc;
}

void rest_trapped(struct observer *observer, struct thread *thread)
{
    struct region *region;
    struct regs now;

    actions_forced(observer, thread, SIGTRAP);
    if (tracee_stack(&thread->tracee) >= thread->rest.back.sp) {
        tracee_regs(&thread->tracee, &now);
        end(thread);
        code_emit_leave(observer, thread, "return", &now);
        code_close(observer, thread);
    } else if (++thread->rest.misses == MAX_MISSES) {
        remove_breakpoint(thread);
        region = regions_at(&thread->space->regions, thread->rest.start);
        if (region)
            give_up(observer, thread, region);
    }
    observer_run(observer, thread);
}

void rest_look(struct observer *observer, struct thread *thread)
{
    const struct region *region;
    uint64_t pc;

    if (!thread->rest.active || tracee_fetch(&thread->tracee) < 0)
        return;
    pc = tracee_pc(&thread->tracee);
    region = regions_at(&thread->space->regions, pc);
    if (region && region->start == thread->rest.start)
        return;
    if (thread->rest.stops &&
        !is_unwound(thread, tracee_stack(&thread->tracee)))
        return;
    end(thread);
    code_close(observer, thread);
}
