/* SPDX-License-Identifier: MIT */
#include "observe/stay.h"

#include "base/mem.h"
#include "cpu/calling.h"
#include "observe/arrive.h"
#include "observe/bytes.h"
#include "observe/guard.h"
#include "observe/names.h"
#include "observe/place.h"
#include "observe/signals.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

static struct opt_u64 fp_control(const struct thread *thread)
{
    struct opt_u64 state = {0};

    state.known = tracee_fp_control(&thread->tracee, &state.value) == 0;
    return state;
}

/* Control is outside: tells how it left, with these registers behind it. */
static enum go leave(struct thread *thread, const char *how,
                     const struct regs *now)
{
    struct event event = {.kind = EVENT_LEAVE, .tid = thread->tracee.tid};
    struct lines *lines = thread->run->lines;
    struct buf place = {0};
    uint8_t code[64]; /* some instructions of who called */

    event.leave.how = how;
    event.leave.to = now->value[REG_PC];
    if (strcmp(how, "return") == 0) {
        size_t len = proc_read(event.tid, event.leave.to, code, sizeof code);

        event.leave.value = (struct opt_u64){true, now->value[REG_RESULT]};
        event.leave.fp_control = fp_control(thread);
        event.leave.taken =
            calling_taken((struct bytes){code, len}, event.leave.to);
    }
    lines_find(lines, event.leave.to, &event.source);
    event.leave.to_symbol = place_symbol(thread, event.leave.to, &place);
    if (strcmp(how, "call") == 0 || strcmp(how, "jump") == 0)
        lines_find_callee(lines, event.leave.to, &event.leave.callee);
    run_tell(thread->run, &event);
    buf_release(&place);
    thread->left_by = how;
    thread->left_to = (struct place){now->value[REG_PC], now->value[REG_STACK]};
    thread->inside = false;
    guard_close_all(thread);
    return GO_RUN;
}

/* --- running on ----------------------------------------------------------- */

/* Returns of recursive calls that are stopped at for one end; each costs as
 * much as a step. */
#define MAX_MISSES 1000

static void end_run_on(struct thread *thread)
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
    end_run_on(thread);
    thread_limit(thread, budget_word(BUDGET_steps), region->addr,
                 "where the code at 0x%" PRIx64
                 " returns to is not known, or is returned to too often; as "
                 "nothing is stepped, entries into it are not seen any more",
                 region->addr);
    guard_drop(thread, region, PROT_EXEC);
}

/* Whether the return to addr will be seen. */
static bool set_breakpoint(struct thread *thread, uint64_t addr)
{
    struct breakpoint *stop = &thread->run_on.stop;
    struct region *there = regions_at(&thread->space->regions, addr);
    struct run *run = thread->run;
    struct maps_line line;

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
    /* Only this thread may come by, and nobody store there: in the code of a
     * file that is mapped for this process alone. */
    return thread->space->users == 1 &&
           proc_maps_find(thread->tracee.tid, addr, &line) &&
           line.start <= addr && !line.shared && line.inode != 0 &&
           (line.prot & PROT_EXEC) && !(line.prot & PROT_WRITE) &&
           breakpoint_set(stop, BREAKPOINT_INSN, &thread->tracee, addr) == 0;
}

/* Lets the rest of this stay run at full speed. */
static enum go run_on(struct thread *thread, struct region *region)
{
    uint64_t addr = thread->back.pc;

    end_run_on(thread);
    thread->run_on = (struct run_on){
        .pending = true, .start = region->start, .back = thread->back};
    thread->inside = false;
    guard_lift(thread, region, PROT_EXEC);
    if (addr != 0 && !set_breakpoint(thread, addr) &&
        !thread->run->told_returns) {
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
    return GO_RUN;
}

/* Whether it cannot return any more: its return address is overwritten, or the
 * stack is unwound beyond it. */
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

/* Control arrives at a region, or at the breakpoint: if it is where the rest of
 * a stay in another one returns to, that has ended. */
static void look_for_return(struct thread *thread)
{
    const struct place *back = &thread->run_on.back;
    struct regs now;

    if (!thread->run_on.pending || tracee_pc(&thread->tracee) != back->pc ||
        tracee_stack(&thread->tracee) < back->sp)
        return;
    tracee_regs(&thread->tracee, &now);
    end_run_on(thread);
    leave(thread, "return", &now);
}

enum go stay_trapped(struct thread *thread)
{
    struct run_on *on = &thread->run_on;
    struct region *region;

    signals_forced(thread, SIGTRAP);
    tracee_fetch(&thread->tracee);
    tracee_go_to(&thread->tracee, on->back.pc);
    look_for_return(thread);
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
        (thread->run_on.stop.kind != BREAKPOINT_NONE && !is_unwound(thread)))
        return;
    end_run_on(thread);
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
        run_on(thread, regions_at(&thread->space->regions, stay->insn.addr));
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

/* A new stay begins: tells of it and pays for it. */
static void begin(struct thread *thread, struct region *region)
{
    struct event event = {.kind = EVENT_ENTER, .tid = thread->tracee.tid};
    struct run *run = thread->run;
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
        event.enter.fp_control = fp_control(thread);
        lines_find(run->lines, thread->back.pc - 1, &event.source);
    }
    if (bytes_of_code(thread, region, pc, &code, &event.enter.code_offset))
        event.enter.code = (struct bytes){code.data, code.len};
    event.enter.code_offset += region->addr - region->start;
    run_tell(run, &event);
    buf_release(&code);
    thread->stay.steps = 0;
    thread->stay.start = region->start;
    if (budget_pay_call(&run->spent) == BUDGET_calls)
        thread_limit(thread, budget_word(BUDGET_calls), 0,
                     "this was entry number %" PRIu64
                     " into generated code; later ones are not seen",
                     run->spent.calls);
}

enum go stay_enter(struct thread *thread, struct region *region)
{
    const struct spending *spent = &thread->run->spent;
    const struct run_on *on = &thread->run_on;
    bool again = thread->inside && thread->stay.start == region->start;

    look_for_return(thread);
    thread->space->changes++; /* nobody watched while it was outside */
    if (!again && on->pending && on->start == region->start &&
        (on->stop.kind == BREAKPOINT_NONE || !is_unwound(thread))) {
        thread->inside = false; /* it is no entry: it goes on with that */
        guard_lift(thread, region, PROT_EXEC);
        return GO_RUN;
    }
    if (!again && !budget_has_calls(spent)) {
        guard_close_all(thread); /* by another thread's entry */
        return GO_RUN;
    }
    if (!again)
        tracee_pin(&thread->tracee);
    stay_prepare(thread);
    if (!again)
        begin(thread, region);
    thread->inside = true;
    if (guard_allow_execution(thread, region, tracee_pc(&thread->tracee)) < 0) {
        thread->inside = false;
        return GO_RUN;
    }
    if (!budget_has_steps(spent))
        return run_on(thread, region);
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
 * two lists, and the registers that it changed. */
static enum budget pay_step(struct thread *thread, const struct regs *after)
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
    names_line(thread, insn->addr, &event.source);
    run_tell(thread->run, &event);
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

    if (tracee_fetch(&thread->tracee) < 0)
        return GO_NOT;
    tracee_regs(&thread->tracee, &now);
    stay->delivering = 0;
    if (delivering && now.value[REG_PC] != insn->addr &&
        now.value[reg_argument[0]] == (uint64_t)delivering)
        return leave_for_handler(thread, &now);

    /* The step over an instruction that loads ss went over the next one as
     * well. What the second has read and written is not known. If it is a popf
     * that has set the trap flag, the kernel did not see that, and takes the
     * flag for ours. */
    if (insn->kind == INSN_SHADOW && now.value[REG_PC] != end_of(insn)) {
        step_shadow(thread);
        access_prepare(&stay->accesses, thread->tracee.tid, insn,
                       &stay->before);
        if (trap_is_set(flags_loaded(stay)))
            tracee_keep_trap(&thread->tracee);
        stay->accesses.count = 0;
    }
    if (tracee_traps_itself(&thread->tracee)) { /* by a popf */
        pay_step(thread, &now);
        return stay_traps_itself(thread);
    }
    kind = insn->kind;
    tracee_hide_step(&thread->tracee, kind);
    if (kind == INSN_SYSCALL)
        thread->space->changes++; /* the kernel may have written code */
    tracee_regs(&thread->tracee, &now);
    spent = pay_step(thread, &now);

    /* A call within generated code is to return, too: what it calls may leave
     * by a jump, and another function return for it. */
    if (kind == INSN_CALL)
        arrive_await(thread, (struct place){end_of(insn),
                                            stay->before.value[REG_STACK]});
    else if (kind == INSN_RETURN)
        arrive_awaited(thread,
                       (struct place){now.value[REG_PC], now.value[REG_STACK]},
                       &thread->back);
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
    if (spent != BUDGETS || !budget_has_steps(&thread->run->spent))
        return run_on(thread, region);
    stay_prepare(thread);
    if (kind != INSN_LOADS_FLAGS)
        return GO_ON;

    /* Goes on behind a popf. The kernel takes the trap flag for the program's
     * own from then on, and would save it in a signal frame, until the program
     * has run without being stepped. So it runs: into the guard, which is armed
     * again, and on whose fault stay_enter goes on. No instruction is executed
     * meanwhile; a signal may come before anything else. */
    if (guard_arm(thread, region) < 0)
        thread->inside = false;
    else
        tracee_store(&thread->tracee);
    return GO_RUN;
}
