/* SPDX-License-Identifier: MIT */
#include "observe/stay.h"

#include "base/mem.h"
#include "cpu/calling.h"
#include "cpu/touch.h"
#include "observe/around.h"
#include "observe/arrive.h"
#include "observe/asked.h"
#include "observe/bytes.h"
#include "observe/guard.h"
#include "observe/alter.h"
#include "observe/names.h"
#include "observe/place.h"
#include "observe/run_on.h"
#include "observe/signals.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* Tells how control left, with these registers behind it. */
static void tell_leave(struct thread *thread, const char *how,
                       const struct regs *now)
{
    struct event event = {.kind = EVENT_LEAVE, .tid = thread->tracee.tid};
    struct lines *lines = thread->space->lines;
    const bool returns = strcmp(how, "return") == 0;
    struct vreg_change vregs[VREG_COUNT];
    struct opt_u64 fp_control = {0};
    uint64_t stack[2 * AROUND_WORDS];
    struct buf place = {0};
    uint8_t code[64]; /* some instructions of who called */

    event.leave.how = how;
    event.leave.to = now->value[REG_PC];
    event.leave.stack = around_stack(thread, now->value[REG_STACK], stack,
                                     &event.leave.stack_at);
    event.leave.regs = (struct opt_regs){true, *now};
    event.leave.vregs =
        around_vregs(thread, returns ? CALLING_VECTOR_RESULTS : CALLING_VECTORS,
                     vregs, &fp_control);
    if (returns) {
        size_t len = proc_read(event.tid, event.leave.to, code, sizeof code);

        event.leave.value = (struct opt_u64){true, now->value[REG_RESULT]};
        event.leave.fp_control = fp_control;
        event.leave.taken =
            calling_taken((struct bytes){code, len}, event.leave.to);
    }
    lines_find(lines, event.leave.to, &event.source);
    event.leave.to_symbol = place_symbol(thread, event.leave.to, &place);
    if (strcmp(how, "call") == 0 || strcmp(how, "jump") == 0)
        lines_find_callee(lines, event.leave.to, &event.leave.callee);
    run_tell(thread->run, &event);
    buf_release(&place);
}

/* Control is outside. */
static enum go leave(struct thread *thread, const char *how,
                     const struct regs *now)
{
    if (thread->asked.shown)
        tell_leave(thread, how, now);
    thread->asked.shown = false;
    asked_left(thread, how, now);
    thread->left_by = how;
    thread->left_to = (struct place){now->value[REG_PC], now->value[REG_STACK]};
    thread->inside = false;
    guard_close_all(thread);
    return GO_RUN;
}

/* --- running on ----------------------------------------------------------- */

/* Control arrives at a region, or at the breakpoint: if it is where the rest of
 * a stay in another one returns to, that has ended. */
static void look_for_return(struct thread *thread)
{
    struct regs now;

    if (run_on_returned(thread, &now))
        leave(thread, "return", &now);
}

enum go stay_trapped(struct thread *thread)
{
    signals_forced(thread, SIGTRAP);
    tracee_fetch(&thread->tracee);
    tracee_go_to(&thread->tracee, thread->run_on.back.pc);
    look_for_return(thread);
    return !thread->run_on.pending || run_on_passed(thread) ? GO_RUN : GO_NOT;
}

void stay_before_call(struct thread *thread)
{
    const struct call *call = &thread->call;
    struct breakpoint *stop = &thread->run_on.stop;
    enum call_kind kind = call_kind(call);

    if (stop->kind == BREAKPOINT_INSN &&
        (kind == CALL_CPUS || (kind >= CALL_MMAP && kind <= CALL_MREMAP &&
                               stop->addr - call->args[0] < call->args[1])))
        breakpoint_remove(stop, &thread->tracee);
}

void stay_look(struct thread *thread)
{
    const struct region *region;

    if (!thread->run_on.pending || tracee_fetch(&thread->tracee) < 0)
        return;
    region = regions_at(&thread->space->regions, tracee_pc(&thread->tracee));
    if ((region && region->start == thread->run_on.start) ||
        (thread->run_on.stop.kind != BREAKPOINT_NONE &&
         !run_on_is_unwound(thread)))
        return;
    run_on_end(thread);
    guard_close_all(thread);
}

/* --- before a step -------------------------------------------------------- */

/* What was decoded before is taken if it still holds. */
void stay_prepare(struct thread *thread)
{
    struct stay *stay = &thread->stay;
    const struct region *region;
    struct insn *known;
    uint64_t pc;

    tracee_regs(&thread->tracee, &stay->before);
    pc = stay->before.value[REG_PC];
    region = regions_at(&thread->space->regions, pc);
    if (stay->decoded_at != thread->space->changes) {
        for (size_t i = 0; i < DECODED; i++)
            if (stay->decoded[i])
                stay->decoded[i]->length = 0;
        stay->decoded_at = thread->space->changes;
    }
    if (!stay->decoded[pc % DECODED])
        stay->decoded[pc % DECODED] = mem_alloc(sizeof *known);
    known = stay->decoded[pc % DECODED];
    if (known->length == 0 || known->addr != pc || !region ||
        !bytes_are_steady(region)) {
        access_decode(thread->tracee.tid, pc, known);
        bytes_check(thread, known);
    }
    stay->insn = *known;
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

/* A system call is seen at its entry and exit, as anywhere else. Not if a
 * signal goes with the step: then the next thing to be seen is its handler. */
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
        signals_restore_trap(thread);
    *signal = signals_take(thread, !is_call);
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

/* Tells that control came in with these registers, and pays for it. back: where
 * a call returns to. */
static void begin(struct thread *thread, struct region *region, const char *how,
                  const struct regs *regs, uint64_t back)
{
    struct event event = {.kind = EVENT_ENTER, .tid = thread->tracee.tid};
    struct run *run = thread->run;
    uint64_t pc = regs->value[REG_PC];
    struct vreg_change vregs[VREG_COUNT];
    struct opt_u64 fp_control = {0};
    uint64_t stack[2 * AROUND_WORDS];
    struct buf code = {0};

    names_tell(thread, region->addr, region->length);
    event.enter.addr = pc;
    event.enter.offset = pc - region->start;
    event.enter.how = how;
    event.enter.regs = *regs;
    event.enter.stack = around_stack(thread, regs->value[REG_STACK], stack,
                                     &event.enter.stack_at);
    event.enter.vregs =
        around_vregs(thread, CALLING_VECTORS, vregs, &fp_control);
    if (thread->asked.begun)
        event.enter.number = asked_number(thread);
    event.enter.mapping.value = asked_code(thread->space, region);
    event.enter.mapping.known = thread->space->codes > 1;
    if (strcmp(how, "call") == 0) {
        event.enter.return_to = (struct opt_u64){true, back};
        event.enter.fp_control = fp_control;
        lines_find(thread->space->lines, back - 1, &event.source);
    }
    if (bytes_of_code(thread, region, pc, &code, &event.enter.code_offset))
        event.enter.code = (struct bytes){code.data, code.len};
    event.enter.code_offset += region->addr - region->start;
    run_tell(run, &event);
    buf_release(&code);
    thread->asked.shown = true;
    thread->stay.steps = 0;
    if (budget_pay_call(&run->spent) == BUDGET_calls)
        thread_limit(thread, budget_word(BUDGET_calls), 0,
                     "this was entry number %" PRIu64
                     " into generated code; later ones are not seen",
                     run->spent.calls);
}

/* The rest of the stay needs no steps; or nothing will need any. */
static enum go at_full_speed(struct thread *thread, struct region *region)
{
    thread->inside = false;
    if (thread->run->spent.enough)
        guard_close_all(thread);
    else
        run_on_begin(thread, region);
    return GO_RUN;
}

/* Whether control, which has just come in, is to be followed. */
static bool arrive(struct thread *thread, struct region *region)
{
    const struct regs *regs = &thread->stay.before;
    bool may_show = budget_has_calls(&thread->run->spent);
    const char *how = arrive_how(thread, regs);
    enum asked_for asked = asked_enter(thread, region, regs, how);

    alter_enter(thread, region, how, &thread->stay.before);
    tracee_pin(&thread->tracee);
    thread->stay.start = region->start;
    thread->asked.shown = asked == ASKED_SHOW && may_show;
    if (asked == ASKED_NOT || (asked == ASKED_SHOW && !may_show))
        return false;
    stay_prepare(thread);
    if (thread->asked.shown)
        begin(thread, region, how, regs, thread->back.pc);
    return true;
}

enum go stay_enter(struct thread *thread, struct region *region)
{
    const struct spending *spent = &thread->run->spent;
    const struct run_on *on = &thread->run_on;
    bool again = thread->inside && thread->stay.start == region->start;

    look_for_return(thread);
    thread->space->changes++; /* nobody watched while it was outside */
    if (!again && on->pending && on->start == region->start &&
        (on->stop.kind == BREAKPOINT_NONE || !run_on_is_unwound(thread))) {
        thread->inside = false; /* it is no entry: it goes on with that */
        guard_lift(thread, region, PROT_EXEC);
        return GO_RUN;
    }
    if (!again && !budget_counts_calls(spent)) {
        guard_close_all(thread); /* by another thread's entry */
        return GO_RUN;
    }
    tracee_regs(&thread->tracee, &thread->stay.before);
    if (again)
        stay_prepare(thread);
    else if (!arrive(thread, region))
        return at_full_speed(thread, region);
    thread->inside = true;
    if (guard_allow_execution(thread, region, tracee_pc(&thread->tracee)) < 0) {
        thread->inside = false;
        return GO_RUN;
    }
    if (thread->asked.shown && !budget_has_steps(spent))
        return at_full_speed(thread, region);
    thread_defer_signals(thread, thread->stay.insn.addr);
    return GO_ON;
}

/* --- a step --------------------------------------------------------------- */

/* Behind the instruction. */
static uint64_t end_of(const struct insn *insn)
{
    return insn->addr + insn->length;
}

/* Tells of an executed instruction, and pays for it: what it read and wrote, as
 * two lists, and the registers that it changed. Those beside the general ones
 * are read only where it may have changed them, and so are known before it;
 * they_are: the tracee still has those that it left. */
static enum budget pay_step(struct thread *thread, const struct regs *after,
                            bool they_are)
{
    struct event event = {.kind = EVENT_STEP, .tid = thread->tracee.tid};
    struct stay *stay = &thread->stay;
    const struct insn *insn = &stay->insn;
    const struct region *region =
        regions_at(&thread->space->regions, insn->addr);
    struct reg_change changes[REG_COUNT];
    struct vreg_change vector_changes[VREG_COUNT];
    struct vregs vregs;
    bool vregs_known = they_are && thread->asked.shown && stay->vregs.known &&
                       (insn->changes_vregs || insn->kind == INSN_SYSCALL) &&
                       around_read_vregs(thread, &vregs);
    struct mem_access reads[MAX_ACCESSES], writes[MAX_ACCESSES];
    uint8_t after_bytes[MAX_ACCESSES][ACCESS_BYTES];
    size_t read_count = 0, write_count = 0;
    uint64_t stack[2 * AROUND_WORDS];

    if (!thread->asked.shown)
        return BUDGETS;
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
    names_line(thread, insn->addr, &event.source);
    if (they_are &&
        around_touches_stack(stay, after, thread->run->spent.max.stack))
        event.step.stack = around_stack(thread, after->value[REG_STACK], stack,
                                        &event.step.stack_at);
    if (vregs_known)
        event.step.vregs = (struct vreg_changes){
            vector_changes,
            vregs_diff(&stay->vregs, &vregs, insn, vector_changes)};
    run_tell(thread->run, &event);
    if (vregs_known)
        stay->vregs = vregs;
    return budget_pay_step(&thread->run->spent, &thread->stay.steps);
}

/* Says that no more is stepped, for now or at all. */
static void tell_no_steps(const struct thread *thread, enum budget which)
{
    if (which == BUDGET_steps)
        thread_limit(thread, budget_word(which), 0,
                     "%" PRIu64 " instructions of generated code were "
                     "stepped, as many as may be in one run; from here on it "
                     "runs at full speed",
                     thread->run->spent.steps);
    else
        thread_limit(thread, budget_word(which), thread->stay.start,
                     "%" PRIu64 " instructions were stepped since this "
                     "entry, as many as may be in one call; the rest of it "
                     "runs at full speed",
                     thread->stay.steps);
}

/* Tells that the first of two instructions was executed which were stepped at
 * once; the next one is what stay.insn is then. What the first has set is what
 * is there now, but for what the second one sets, too: that stays as it was,
 * as nobody saw it between. */
static void step_shadow(struct thread *thread, const struct regs *now)
{
    struct stay *stay = &thread->stay;
    struct regs between = stay->before;
    uint64_t next = end_of(&stay->insn);
    struct insn_touch first, second;
    struct insn insn;

    access_decode(thread->tracee.tid, next, &insn);
    insn_touches(&stay->insn, &first);
    insn_touches(&insn, &second);
    for (int reg = 0; reg < REG_GENERAL; reg++)
        if (first.written & ~second.written & UINT32_C(1) << reg)
            between.value[reg] = now->value[reg];
    between.value[REG_PC] = next;
    pay_step(thread, &between, false);
    stay->before = between;
    stay->accesses.count = 0;
    stay->insn = insn;
}

/* A handler has begun. The frame says where it will return to: behind a system
 * call that it has interrupted, or in front of one that will be made again; or
 * behind an instruction that loads ss, to what has faulted. */
static enum go leave_for_handler(struct thread *thread, const struct regs *now)
{
    struct stay *stay = &thread->stay;
    struct regs saved;

    if (stay->insn.kind == INSN_SHADOW &&
        tracee_interrupted(&thread->tracee, &saved) == 0 &&
        saved.value[REG_PC] == end_of(&stay->insn))
        step_shadow(thread, &saved);
    tracee_hide_in_frame(&thread->tracee, stay->insn.kind);
    thread->interrupted = stay->insn.addr;
    saved = stay->before;
    tracee_interrupted(&thread->tracee, &saved);
    if (stay->insn.kind == INSN_SYSCALL &&
        saved.value[REG_PC] == end_of(&stay->insn))
        pay_step(thread, &saved, false);
    arrive_await(thread,
                 (struct place){saved.value[REG_PC], saved.value[REG_STACK]});
    return leave(thread, "signal", now);
}

enum go stay_traps_itself(struct thread *thread)
{
    thread->inside = false;
    guard_drop_all(thread, GUARDS, "trap-flag",
                   "the program has set the trap flag to step itself; from "
                   "here on nothing is watched any more");
    return GO_RUN;
}

enum go stay_stepped(struct thread *thread)
{
    struct stay *stay = &thread->stay;
    const struct insn *insn = &stay->insn;
    int delivering = stay->delivering;
    enum insn_kind kind;
    struct regs now;
    struct region *region;
    enum budget spent;
    enum asked_for asked;
    const char *how;

    if (tracee_fetch(&thread->tracee) < 0)
        return GO_NOT;
    tracee_regs(&thread->tracee, &now);
    stay->delivering = 0;
    if (delivering && now.value[REG_PC] != insn->addr &&
        now.value[reg_argument[0]] == (uint64_t)delivering)
        return leave_for_handler(thread, &now);

    /* The step went over the next instruction as well (cpu/insn.h). What the
     * second has read and written is not known. If it is a popf that has set
     * the trap flag, the kernel did not see that, and takes the flag for ours.
     */
    if (insn->kind == INSN_SHADOW && now.value[REG_PC] != end_of(insn)) {
        step_shadow(thread, &now);
        access_prepare(&stay->accesses, thread->tracee.tid, insn,
                       &stay->before);
        if (trap_is_set(flags_loaded(stay)))
            tracee_keep_trap(&thread->tracee);
        stay->accesses.count = 0;
    }
    if (tracee_traps_itself(&thread->tracee)) { /* by a popf */
        pay_step(thread, &now, true);
        return stay_traps_itself(thread);
    }
    kind = insn->kind;
    tracee_hide_step(&thread->tracee, kind);
    if (kind == INSN_SYSCALL)
        thread->space->changes++; /* the kernel may have written code */
    tracee_regs(&thread->tracee, &now);
    spent = pay_step(thread, &now, true);

    /* A call within generated code is to return, too: what it calls may leave
     * by a jump, and another function return for it. */
    if (kind == INSN_CALL)
        arrive_await(thread, (struct place){end_of(insn),
                                            stay->before.value[REG_STACK]});
    else if (kind == INSN_RETURN)
        arrive_awaited(thread,
                       (struct place){now.value[REG_PC], now.value[REG_STACK]},
                       &thread->back);
    how = kind == INSN_RETURN ? "return" : kind == INSN_CALL ? "call" : "jump";
    asked = asked_step(thread, kind, &stay->before, &now);
    region = regions_at(&thread->space->regions, now.value[REG_PC]);
    if (!region || region->start != stay->start) {
        leave(thread, how, &now);
        if (spent == BUDGET_steps)
            tell_no_steps(thread, spent);
        return GO_RUN;
    }
    if (spent != BUDGETS)
        tell_no_steps(thread, spent);
    if (spent != BUDGETS ||
        (thread->asked.shown && !budget_has_steps(&thread->run->spent)))
        return at_full_speed(thread, region);
    /* What was asked for begins or ends here, within generated code. */
    if (thread->asked.shown && asked != ASKED_SHOW) {
        tell_leave(thread, how, &now);
        thread->asked.shown = false;
    } else if (!thread->asked.shown && asked == ASKED_SHOW &&
               budget_has_calls(&thread->run->spent)) {
        begin(thread, region, how, &now, end_of(insn));
    }
    if (asked == ASKED_NOT)
        return at_full_speed(thread, region);
    stay_prepare(thread);
    if (kind != INSN_LOADS_FLAGS)
        return GO_ON;

    /* Goes on behind a popf. The kernel takes the trap flag for the program's
     * own from then on, and would save it in a signal frame, until the program
     * has run without being stepped. So it runs: into the guard, which is armed
     * again, and on whose fault stay_enter goes on. No instruction is executed
     * meanwhile; a signal may come before anything else. */
    if (guard_arm(thread, region, GUARDS) < 0)
        thread->inside = false;
    else
        tracee_store(&thread->tracee);
    return GO_RUN;
}
