/* SPDX-License-Identifier: MIT */
#include "observe/stay.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/trap.h"
#include "observe/actions.h"
#include "observe/arrive.h"
#include "observe/bytes.h"
#include "observe/delivery.h"
#include "observe/guard.h"
#include "observe/names.h"
#include "observe/run_on.h"
#include "target/proc.h"
#include "target/registers.h"

/* --- before a step -------------------------------------------------------- */

/* As access_decode, from what was decoded before if that still holds. */
static void decode(struct thread *thread, uint64_t pc, struct insn *out)
{
    struct stay *stay = &thread->stay;
    struct insn *known = &stay->decoded[pc % DECODED];
    const struct region *region = regions_at(&thread->space->regions, pc);

    if (stay->decoded_at != thread->space->changes) {
        for (size_t i = 0; i < DECODED; i++)
            stay->decoded[i].length = 0;
        stay->decoded_at = thread->space->changes;
    }
    if (known->length == 0 || known->addr != pc || !region ||
        !bytes_are_steady(region)) {
        access_decode(thread->tracee.tid, pc, known);
        bytes_check(thread, known);
    }
    *out = *known;
}

void stay_prepare(struct thread *thread)
{
    struct stay *stay = &thread->stay;

    tracee_regs(&thread->tracee, &stay->before);
    decode(thread, stay->before.value[REG_PC], &stay->insn);
    access_prepare(&stay->accesses, thread->tracee.tid, &stay->insn,
                   &stay->before);
}

/* What the instruction loads from memory as flags; 0 if it loads none. */
static uint64_t flags_loaded(const struct stay *stay)
{
    uint64_t flags = 0;

    for (size_t i = 0; i < stay->accesses.count && flags == 0; i++)
        if (stay->accesses.list[i].what.read)
            flags =
                trap_flags_loaded(&stay->insn, stay->accesses.list[i].old_bytes,
                                  stay->accesses.list[i].known);
    return flags;
}

/*
 * A system call is seen at its entry and exit, as anywhere else. Not if a
 * signal goes with the step: then the next thing to be seen is its handler.
 */
bool stay_step(struct thread *thread, enum resume *how, int *signal)
{
    struct stay *stay = &thread->stay;
    bool is_call = stay->insn.kind == INSN_SYSCALL;

    /* No stop leaves that flag set for sure, and none can set it again. */
    if (trap_loses_flags(flags_loaded(stay))) {
        thread_limit(thread, "nt-flag", stay->insn.addr,
                     "the instruction at 0x%" PRIx64
                     " sets the flag NT, which would not outlast a step; the "
                     "rest of this call runs at full speed",
                     stay->insn.addr);
        run_on_begin(thread,
                     regions_at(&thread->space->regions, stay->insn.addr));
        return false;
    }
    if (is_call)
        actions_restore_trap(thread);
    *signal = delivery_take(thread, !is_call);
    stay->delivering = *signal && !tracee_blocks(&thread->tracee, *signal) &&
                               proc_catches(thread->tracee.tid, *signal)
                           ? *signal
                           : 0;
    *how = stay->delivering ? RESUME_HANDLER
           : is_call        ? RESUME_CALL
                            : RESUME_STEP;
    return true;
}

/* --- entering ------------------------------------------------------------- */

/* A new stay begins: tells of it and pays for it. */
static void begin(struct thread *thread, struct region *region)
{
    struct event event = {.kind = EVENT_ENTER, .tid = thread->tracee.tid};
    struct report *report = thread->report;
    const struct regs *regs = &thread->stay.before;
    uint64_t pc = regs->value[REG_PC];
    struct buf code = {0};

    names_tell(thread, region->addr, region->length);
    event.enter.addr = pc;
    event.enter.offset = pc - region->start;
    event.enter.how = arrive_how(thread, regs);
    event.enter.regs = *regs;
    if (strcmp(event.enter.how, "call") == 0) {
        event.enter.return_to = (struct opt_u64){true, thread->back.pc};
        lines_find(report->lines, thread->back.pc - 1, &event.source);
    }
    if (bytes_of_code(thread, region, pc, &code, &event.enter.code_offset))
        event.enter.code = (struct bytes){code.data, code.len};
    event.enter.code_offset += region->addr - region->start;
    report_event(report, &event);
    buf_release(&code);
    thread->stay.steps = 0;
    thread->stay.start = region->start;
    if (budget_pay_call(&report->spent) == BUDGET_calls)
        thread_limit(thread, budget_word(BUDGET_calls), 0,
                     "this was entry number %" PRIu64
                     " into generated code; later ones are not seen",
                     report->spent.calls);
}

enum go stay_enter(struct thread *thread, struct region *region)
{
    const struct report *report = thread->report;
    bool again = thread->inside && thread->stay.start == region->start;

    run_on_returned(thread);
    thread->space->changes++; /* nobody watched while it was outside */
    if (!again && run_on_covers(thread, region)) {
        thread->inside = false;
        guard_lift(thread, region, PROT_EXEC);
        return GO_RUN;
    }
    if (!again) {
        if (!budget_has_calls(&report->spent)) {
            guard_close_all(thread); /* by another thread's entry */
            return GO_RUN;
        }
        tracee_pin(&thread->tracee);
    }
    stay_prepare(thread);
    if (!again)
        begin(thread, region);
    thread->inside = true;
    if (guard_allow_execution(thread, region, tracee_pc(&thread->tracee)) < 0) {
        thread->inside = false;
        return GO_RUN;
    }
    if (!budget_has_steps(&report->spent))
        return run_on_begin(thread, region);
    thread_defer_signals(thread, thread->stay.insn.addr);
    return GO_ON;
}

/* --- a step --------------------------------------------------------------- */

/* Behind the instruction. */
static uint64_t end_of(const struct insn *insn)
{
    return insn->addr + insn->length;
}

/* Tells of an executed instruction: what it read and wrote, as two lists, and
 * the registers that it changed. */
static void emit_step(struct thread *thread, const struct regs *after)
{
    struct event event = {.kind = EVENT_STEP, .tid = thread->tracee.tid};
    const struct stay *stay = &thread->stay;
    const struct insn *insn = &stay->insn;
    const struct region *region =
        regions_at(&thread->space->regions, insn->addr);
    struct reg_change changes[REG_COUNT];
    struct mem_access reads[MAX_ACCESSES], writes[MAX_ACCESSES];
    uint8_t after_bytes[MAX_ACCESSES][ACCESS_BYTES];
    size_t read_count = 0, write_count = 0;

    for (size_t i = 0; i < stay->accesses.count; i++) {
        const struct access *access = &stay->accesses.list[i];
        struct bytes old = {access->old_bytes, access->known};
        struct bytes now = {after_bytes[i], access->known};

        if (access->what.read && access->known)
            reads[read_count++] =
                (struct mem_access){access->what.addr, old, {NULL, 0}};
        if (access->what.written && access->known &&
            proc_read(thread->tracee.tid, access->what.addr, after_bytes[i],
                      access->known) == access->known)
            writes[write_count++] =
                (struct mem_access){access->what.addr, old, now};
    }
    event.step = (struct event_step){
        .addr = insn->addr,
        .offset = region ? insn->addr - region->start : 0,
        .bytes = {insn->bytes, insn->length},
        .text = insn->length ? insn->text : NULL,
        .regs = {changes, regs_diff(&stay->before, after, changes)},
        .reads = {reads, read_count},
        .writes = {writes, write_count},
        .next = after->value[REG_PC],
    };
    report_event(thread->report, &event);
}

/* The same, and pays for it. */
static enum budget pay_step(struct thread *thread, const struct regs *after)
{
    struct report *report = thread->report;

    emit_step(thread, after);
    return budget_pay_step(&report->spent, &thread->stay.steps);
}

/* Control is outside: tells how it left. */
static enum go leave(struct thread *thread, const char *how,
                     const struct regs *now)
{
    arrive_tell_leave(thread, how, now);
    thread->inside = false;
    guard_close_all(thread);
    return GO_RUN;
}

/* Says that no more is stepped, for now or at all. */
static void tell_no_steps(const struct thread *thread, enum budget which)
{
    if (which == BUDGET_steps)
        thread_limit(thread, budget_word(which), 0,
                     "%" PRIu64 " instructions of generated code were "
                     "stepped, as many as may be in one run; from here on it "
                     "runs at full speed",
                     thread->report->spent.steps);
    else
        thread_limit(thread, budget_word(which), thread->stay.start,
                     "%" PRIu64 " instructions were stepped since this "
                     "entry, as many as may be in one call; the rest of it "
                     "runs at full speed",
                     thread->stay.steps);
}

/* --- instructions that are stepped otherwise ------------------------------ */

/*
 * Goes on behind a popf. The kernel takes the trap flag for the program's own
 * from then on, and would save it in a signal frame, until the program has run
 * without being stepped. So it runs: into the guard, which is armed again, and
 * on whose fault stay_enter goes on. No instruction is executed meanwhile.
 */
static enum go step_anew(struct thread *thread, struct region *region)
{
    stay_prepare(thread); /* a signal may come before anything else */
    if (guard_arm(thread, region) < 0)
        thread->inside = false;
    else
        tracee_store(&thread->tracee);
    return GO_RUN;
}

/* Tells that the instruction which loads ss was executed; the next one is what
 * stay.insn is then. It has changed no register but the program counter. */
static void step_shadow(struct thread *thread)
{
    struct stay *stay = &thread->stay;
    struct regs between = stay->before;
    uint64_t next = end_of(&stay->insn);

    between.value[REG_PC] = next;
    pay_step(thread, &between);
    stay->before = between;
    stay->accesses.count = 0;
    access_decode(thread->tracee.tid, next, &stay->insn);
}

/*
 * The step over an instruction that loads ss went over the next one as well.
 * What the second has read and written is not known. If it is a popf that has
 * set the trap flag, the kernel did not see that, and takes the flag for ours.
 */
static void step_over_shadow(struct thread *thread, const struct regs *now)
{
    struct stay *stay = &thread->stay;

    if (stay->insn.kind != INSN_SHADOW ||
        now->value[REG_PC] == end_of(&stay->insn))
        return;
    step_shadow(thread);
    access_prepare(&stay->accesses, thread->tracee.tid, &stay->insn,
                   &stay->before);
    if (trap_is_set(flags_loaded(stay)))
        tracee_keep_trap(&thread->tracee);
    stay->accesses.count = 0;
}

/*
 * A handler has begun. The frame says where it will return to: behind a system
 * call that it has interrupted, or in front of one that will be made again; or
 * behind an instruction that loads ss, to what has faulted.
 */
static enum go leave_for_handler(struct thread *thread, const struct regs *now)
{
    struct stay *stay = &thread->stay;
    struct regs saved;

    if (stay->insn.kind == INSN_SHADOW &&
        tracee_interrupted(&thread->tracee, &saved) == 0 &&
        saved.value[REG_PC] == end_of(&stay->insn))
        step_shadow(thread);
    tracee_hide_in_frame(&thread->tracee, stay->insn.kind);
    thread->interrupted = stay->insn.addr;
    saved = stay->before;
    tracee_interrupted(&thread->tracee, &saved);
    if (stay->insn.kind == INSN_SYSCALL &&
        saved.value[REG_PC] == end_of(&stay->insn))
        pay_step(thread, &saved);
    arrive_await(thread,
                 (struct place){saved.value[REG_PC], saved.value[REG_STACK]});
    return leave(thread, "signal", now);
}

enum go stay_traps_itself(struct thread *thread)
{
    thread->inside = false;
    guard_drop_all(thread, "trap-flag",
                   "the program has set the trap flag to step itself; from "
                   "here on nothing is watched any more");
    return GO_RUN;
}

/* --- behind a step -------------------------------------------------------- */

enum go stay_called(struct thread *thread)
{
    int64_t result = thread->call.result;

    /* What a call returns that a signal has interrupted, before the kernel
     * decides whether it is made again (include/linux/errno.h of the kernel). */
    if (thread->stay.insn.kind == INSN_SYSCALL && result <= -512 &&
        result >= -516 && result != -515)
        return GO_ON; /* it is not over */
    return stay_stepped(thread);
}

/*
 * Keeps book of the returns to come. A call within generated code counts too:
 * what it calls may leave by a jump, and another function return for it.
 */
static void follow_calls(struct thread *thread, const struct regs *now)
{
    const struct stay *stay = &thread->stay;

    if (stay->insn.kind == INSN_CALL)
        arrive_await(thread, (struct place){end_of(&stay->insn),
                                            stay->before.value[REG_STACK]});
    else if (stay->insn.kind == INSN_RETURN)
        arrive_awaited(
            thread, (struct place){now->value[REG_PC], now->value[REG_STACK]},
            &thread->back);
}

enum go stay_stepped(struct thread *thread)
{
    struct stay *stay = &thread->stay;
    struct report *report = thread->report;
    enum insn_kind kind;
    int delivering = stay->delivering;
    struct regs now;
    struct region *region;
    enum budget spent;

    if (tracee_fetch(&thread->tracee) < 0)
        return GO_NOT;
    tracee_regs(&thread->tracee, &now);
    stay->delivering = 0;
    if (delivering && now.value[REG_PC] != stay->insn.addr &&
        now.value[reg_argument[0]] == (uint64_t)delivering)
        return leave_for_handler(thread, &now);
    step_over_shadow(thread, &now);
    if (tracee_traps_itself(&thread->tracee)) { /* by a popf */
        emit_step(thread, &now);
        return stay_traps_itself(thread);
    }
    kind = stay->insn.kind;
    tracee_hide_step(&thread->tracee, kind);
    if (kind == INSN_SYSCALL)
        thread->space->changes++; /* the kernel may have written code */
    tracee_regs(&thread->tracee, &now);
    spent = pay_step(thread, &now);
    follow_calls(thread, &now);
    region = regions_at(&thread->space->regions, now.value[REG_PC]);
    if (!region || region->start != stay->start) {
        leave(thread,
              kind == INSN_RETURN ? "return"
              : kind == INSN_CALL ? "call"
                                  : "jump",
              &now);
        if (spent == BUDGET_steps)
            tell_no_steps(thread, spent);
        return GO_RUN;
    }
    if (spent != BUDGETS)
        tell_no_steps(thread, spent);
    if (spent != BUDGETS || !budget_has_steps(&report->spent))
        return run_on_begin(thread, region);
    if (kind == INSN_LOADS_FLAGS)
        return step_anew(thread, region);
    stay_prepare(thread);
    return GO_ON;
}
