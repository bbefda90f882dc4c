/* SPDX-License-Identifier: MIT */
/*
 * Inside generated code: a region that the program may execute is kept
 * non-executable, so the first fetch from it faults. Then the guard is lifted
 * and the CPU executes one instruction after the other, each an event, until
 * the program counter is outside; the guard is armed again and the program
 * runs on. A call out of generated code is a leave, its return an enter.
 *
 *          fetch fault                   pc inside
 *      free ---------> stay_enter --> prepare <---- stay_stepped
 *        ^                               |  step       |  pc outside
 *        +-------------------------------|-------------+
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "cpu/trap.h"
#include "observe/state.h"
#include "target/proc.h"

/* --- the bytes ----------------------------------------------------------- */

/* Whether only what is seen can change the bytes of the region. */
static bool is_steady(const struct region *region)
{
    return !region->guard.shared &&
           !(region->prot & ~region->guard.taken & PROT_WRITE);
}

/* Whether the program can store to the region without being seen. */
static bool is_open(const struct space *space, const struct region *region)
{
    return (region->prot & ~region->guard.wanted & PROT_WRITE) ||
           object_is_open(space, region);
}

/* As what a change is to be told that is found in the region. */
static const char *changed_by(const struct space *space,
                              const struct region *region)
{
    return region->guard.blind || is_open(space, region) ? NULL
                                                         : WRITTEN_ELSEWHERE;
}

void bytes_refresh(struct thread *thread, struct region *region, uint64_t addr,
                   const char *by)
{
    uint8_t now[PAGES_SIZE], known[PAGES_SIZE];
    struct pages *pages = &thread->space->pages;
    size_t len = proc_read(thread->tracee.tid, addr, now, PAGES_SIZE);
    size_t first = 0;

    pages_read(pages, addr, len, known);
    if (memcmp(now, known, len) == 0)
        return;
    while (now[first] == known[first])
        first++;
    while (now[len - 1] == known[len - 1])
        len--;
    if (by) {
        store_tell(thread, region, addr + first,
                   (struct bytes){known + first, len - first},
                   (struct bytes){now + first, len - first}, by);
        return;
    }
    for (size_t i = first, start; i < len; i++) {
        for (start = i; i < len && now[i] != known[i];)
            i++;
        if (i == start)
            continue;
        pages_write(pages, addr + start,
                    (struct bytes){now + start, i - start});
        bytes_changed(region, addr + start, i - start);
    }
}

/* Reads [from, to) of the region, whole pages. */
static void refresh(struct thread *thread, struct region *region, uint64_t from,
                    uint64_t to)
{
    const struct space *space = thread->space;
    const char *by = changed_by(space, region);

    if (region->guard.read_at == space->calls && is_steady(region))
        return;
    for (uint64_t addr = from; addr < to; addr += PAGES_SIZE)
        bytes_refresh(thread, region, addr, by);
    if (from != region->addr || to != region->addr + region->length)
        return;
    region->guard.read_at = space->calls;
    region->guard.blind = is_open(space, region);
}

void bytes_know(struct thread *thread, struct region *region)
{
    if (region->guard.blind)
        refresh(thread, region, region->addr, region->addr + region->length);
}

/* Bytes of a region that are all read at an entry, although they may change
 * without being seen: of a larger one the pages that are entered are. */
#define READ_WHOLE 65536

/* The part of a region that is read for an entry at pc. */
static void refresh_for(struct thread *thread, struct region *region,
                        uint64_t pc)
{
    uint64_t from = region->addr, end = from + region->length, to = end;

    if (region->length > thread->run->budget.length ||
        (pc && region->length > READ_WHOLE && !is_steady(region))) {
        from = pc ? pc - pc % PAGES_SIZE : end;
        to = from + 2 * PAGES_SIZE; /* code may go on in the next page */
    }
    refresh(thread, region, from, to < end ? to : end);
}

void bytes_changed(struct region *region, uint64_t addr, size_t size)
{
    struct region_guard *guard = &region->guard;

    if (guard->fresh == guard->fresh_end) {
        guard->fresh = addr;
        guard->fresh_end = addr + size;
    }
    if (addr < guard->fresh)
        guard->fresh = addr;
    if (addr + size > guard->fresh_end)
        guard->fresh_end = addr + size;
}

bool bytes_of_code(struct thread *thread, struct region *region, uint64_t pc,
                   struct buf *out, uint64_t *offset)
{
    struct region_guard *guard = &region->guard;
    uint64_t first, last;
    uint8_t *bytes;

    refresh_for(thread, region, pc);
    if (!pages_extent(&thread->space->pages, region->addr, region->length,
                      &first, &last))
        return false;
    if (last - first >= (pc ? PAGES_SIZE : READ_WHOLE)) {
        if (guard->fresh > first)
            first = guard->fresh;
        if (guard->fresh_end <= last)
            last = guard->fresh_end - 1;
        if (guard->fresh == guard->fresh_end || first > last)
            return false;
    }
    guard->fresh = guard->fresh_end = 0;
    bytes = mem_alloc(last - first + 1);
    pages_read(&thread->space->pages, first, last - first + 1, bytes);
    buf_append(out, bytes, last - first + 1);
    free(bytes);
    *offset = first - region->addr;
    return true;
}

/* --- stepping ------------------------------------------------------------ */

/*
 * The CPU is about to execute what nobody has seen being stored. That is found
 * here, for a way around every guard is always open (/proc/PID/mem), and to
 * read all there is at each entry takes longer than the entry.
 */
static void check_bytes(struct thread *thread, struct region *region,
                        const struct insn *insn)
{
    struct bytes bytes = {insn->bytes, insn->length};
    uint64_t page = insn->addr - insn->addr % PAGES_SIZE;

    if (!region || pages_hold(&thread->space->pages, insn->addr, bytes))
        return;
    for (; page < insn->addr + insn->length; page += PAGES_SIZE) {
        region = regions_at(&thread->space->regions, page);
        if (region)
            bytes_refresh(thread, region, page,
                          changed_by(thread->space, region));
    }
}

/* As access_decode, from what was decoded before if that still holds. */
static void decode_again(struct thread *thread, uint64_t pc, struct insn *out)
{
    struct decoded *decoded = &thread->decoded;
    struct insn *known = &decoded->list[pc % DECODED];
    struct region *region = regions_at(&thread->space->regions, pc);

    if (decoded->changes != thread->space->changes) {
        for (size_t i = 0; i < DECODED; i++)
            decoded->list[i].length = 0;
        decoded->changes = thread->space->changes;
    }
    if (known->length == 0 || known->addr != pc || !region ||
        !is_steady(region)) {
        access_decode(thread, pc, known);
        check_bytes(thread, region, known);
    }
    *out = *known;
}

/* Notes everything about the instruction that the next step executes. */
static void prepare(struct thread *thread)
{
    tracee_regs(&thread->tracee, &thread->before);
    decode_again(thread, thread->before.value[REG_PC], &thread->insn);
    access_prepare(&thread->accesses, thread->tracee.tid, &thread->insn,
                   &thread->before);
}

void stay_moved(struct thread *thread)
{
    prepare(thread);
}

/* What the instruction loads from memory as flags; 0 if it loads none. */
static uint64_t flags_loaded(const struct thread *thread)
{
    const struct accesses *accesses = &thread->accesses;
    uint64_t flags = 0;

    for (size_t i = 0; i < accesses->count && !flags; i++)
        if (accesses->list[i].what.read)
            flags =
                trap_flags_loaded(&thread->insn, accesses->list[i].old_bytes,
                                  accesses->list[i].known);
    return flags;
}

/* No stop leaves that flag set for sure, and none can set it again. */
static void run_unstepped(struct thread *thread)
{
    struct region *region =
        regions_at(&thread->space->regions, thread->insn.addr);

    report_limit(thread, "nt-flag", thread->insn.addr,
                 "the instruction at 0x%" PRIx64
                 " sets the flag NT, which would not outlast a step; the "
                 "rest of this call runs at full speed",
                 thread->insn.addr);
    run_on_begin(thread, region);
}

/*
 * A system call is seen at its entry and exit, as anywhere else. Not if a
 * signal goes with the step: then the next thing to be seen is its handler.
 */
void stay_step(struct thread *thread)
{
    bool is_call = thread->insn.kind == INSN_SYSCALL;
    int signal;

    if (trap_loses_flags(flags_loaded(thread))) {
        run_unstepped(thread);
        return;
    }
    if (is_call)
        actions_restore_trap(thread);
    signal = signal_take(thread, !is_call);
    thread->delivering = signal && !tracee_blocks(&thread->tracee, signal) &&
                                 proc_catches(thread->tracee.tid, signal)
                             ? signal
                             : 0;
    if (!signal && !is_call)
        observer_step(thread);
    else
        observer_let(thread,
                     thread->delivering ? RESUME_HANDLER
                     : is_call          ? RESUME_CALL
                                        : RESUME_STEP,
                     signal);
}

/* Tells of the entry. */
static void emit_enter(struct thread *thread, struct region *region)
{
    struct event event = {.kind = EVENT_ENTER, .tid = thread->tracee.tid};
    const struct regs *regs = &thread->before;
    uint64_t pc = regs->value[REG_PC];
    struct buf code = {0};

    names_tell(thread, region->addr, region->length);
    event.enter.addr = pc;
    event.enter.offset = pc - region->start;
    event.enter.how = arrive_how(thread, regs);
    event.enter.regs = *regs;
    if (strcmp(event.enter.how, "call") == 0) {
        event.enter.return_to = (struct opt_u64){true, thread->back.pc};
        lines_find(thread->run->lines, thread->back.pc - 1, &event.source);
    }
    if (bytes_of_code(thread, region, pc, &code, &event.enter.code_offset))
        event.enter.code = (struct bytes){code.data, code.len};
    event.enter.code_offset += region->addr - region->start;
    report_event(thread->run, &event);
    buf_release(&code);
}

/* A new stay begins: tells of it and pays for it. */
static void begin_stay(struct thread *thread, struct region *region)
{
    emit_enter(thread, region);
    thread->steps = 0;
    thread->inside_start = region->start;
    if (budget_pay_call(&thread->run->budget, &thread->run->spent) ==
        BUDGET_calls)
        report_limit(thread, budget_word(BUDGET_calls), 0,
                     "this was entry number %" PRIu64
                     " into generated code; later ones are not seen",
                     thread->run->spent.calls);
}

void stay_enter(struct thread *thread, struct region *region)
{
    bool again = thread->inside && thread->inside_start == region->start;
    bool rests;

    run_on_returned(thread);
    rests = !again && run_on_covers(thread, region);
    thread->space->changes++; /* nobody watched while it was outside */
    if (!again && !rests) {
        if (!budget_has_calls(&thread->run->budget, &thread->run->spent)) {
            guard_close_all(thread); /* by another thread's entry */
            observer_run(thread);
            return;
        }
        tracee_pin(&thread->tracee);
    }
    if (!rests)
        prepare(thread);
    if (!again && !rests)
        begin_stay(thread, region);
    thread->inside = !rests;
    if ((rests ? guard_set(thread, region,
                           region->guard.taken & ~(unsigned)PROT_EXEC)
               : guard_let_execute(thread, region,
                                   tracee_pc(&thread->tracee))) < 0)
        thread->inside = false;
    if (!thread->inside) {
        observer_run(thread);
    } else if (budget_has_steps(&thread->run->budget, &thread->run->spent)) {
        observer_insist(thread, thread->insn.addr);
        stay_step(thread);
    } else {
        run_on_begin(thread, region);
    }
}

/*
 * Goes on behind a popf. The kernel takes the trap flag for the program's own
 * from then on, and would save it in a signal frame, until the program has run
 * without being stepped. So it runs: into the guard, which is armed again, and
 * on whose fault stay_enter goes on. No instruction is executed meanwhile.
 */
static void step_anew(struct thread *thread, struct region *region)
{
    prepare(thread); /* a signal may come before anything else */
    if (guard_arm(thread, region) < 0)
        thread->inside = false;
    else
        tracee_store(&thread->tracee);
    observer_run(thread);
}

/* What an executed instruction read and wrote, as two lists. */
struct touched {
    struct mem_access reads[MAX_ACCESSES];
    struct mem_access writes[MAX_ACCESSES];
    uint8_t now[MAX_ACCESSES][ACCESS_BYTES];
    size_t read_count;
    size_t write_count;
};

static void collect(const struct thread *thread, struct touched *out)
{
    out->read_count = out->write_count = 0;
    for (size_t i = 0; i < thread->accesses.count; i++) {
        const struct access *access = &thread->accesses.list[i];
        struct bytes old = {access->old_bytes, access->known};
        uint8_t *now = out->now[i];

        if (access->what.read && access->known)
            out->reads[out->read_count++] =
                (struct mem_access){access->what.addr, old, {NULL, 0}};
        if (!access->what.written || !access->known ||
            proc_read(thread->tracee.tid, access->what.addr, now,
                      access->known) != access->known)
            continue;
        out->writes[out->write_count++] =
            (struct mem_access){access->what.addr, old, {now, access->known}};
    }
}

static void emit_step(struct thread *thread, const struct regs *after)
{
    struct event event = {.kind = EVENT_STEP, .tid = thread->tracee.tid};
    const struct region *region =
        regions_at(&thread->space->regions, thread->insn.addr);
    struct reg_change changes[REG_COUNT];
    struct touched touched;

    collect(thread, &touched);
    event.step = (struct event_step){
        .addr = thread->insn.addr,
        .offset = region ? thread->insn.addr - region->start : 0,
        .bytes = {thread->insn.bytes, thread->insn.length},
        .text = thread->insn.length ? thread->insn.text : NULL,
        .regs = {changes, regs_diff(&thread->before, after, changes)},
        .reads = {touched.reads, touched.read_count},
        .writes = {touched.writes, touched.write_count},
        .next = after->value[REG_PC],
    };
    report_event(thread->run, &event);
}

void guard_close_all(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    bool ends = !budget_has_calls(&thread->run->budget, &thread->run->spent);

    thread->space->left_open = false;
    /* All of them: what was one region at the enter may have been cut. */
    for (size_t i = 0; i < regions->count; i++) {
        struct region *region = &regions->list[i];

        if (ends)
            guard_drop(thread, region, PROT_EXEC);
        else if (guard_lacks_execution(region))
            guard_set(thread, region, region->guard.taken | PROT_EXEC);
        else
            guard_close_window(thread, region);
    }
}

void arrive_tell_leave(struct thread *thread, const char *how,
                       const struct regs *now)
{
    struct event event = {.kind = EVENT_LEAVE, .tid = thread->tracee.tid};

    event.leave.how = how;
    event.leave.to = now->value[REG_PC];
    if (strcmp(how, "return") == 0)
        event.leave.value = (struct opt_u64){true, now->value[REG_RESULT]};
    lines_find(thread->run->lines, event.leave.to, &event.source);
    report_event(thread->run, &event);
    thread->left_by = how;
    thread->left_to = (struct place){now->value[REG_PC], now->value[REG_STACK]};
}

/* Control is outside: tells how it left and lets the program run on. */
static void leave(struct thread *thread, const char *how,
                  const struct regs *now)
{
    arrive_tell_leave(thread, how, now);
    thread->inside = false;
    guard_close_all(thread);
    observer_run(thread);
}

/*
 * Keeps book of the returns to come. A call within generated code counts too:
 * what it calls may leave by a jump, and another function return for it.
 */
static void follow_calls(struct thread *thread, const struct regs *now)
{
    struct place here = {now->value[REG_PC], now->value[REG_STACK]};
    uint64_t after = thread->insn.addr + thread->insn.length;

    if (thread->insn.kind == INSN_CALL)
        arrive_await(thread,
                     (struct place){after, thread->before.value[REG_STACK]});
    else if (thread->insn.kind == INSN_RETURN)
        arrive_awaited(thread, here, &thread->back);
}

/* The last step executed thread->insn and control is somewhere else. */
static void leave_by_insn(struct thread *thread, const struct regs *now)
{
    switch (thread->insn.kind) {
    case INSN_RETURN:
        leave(thread, "return", now);
        break;
    case INSN_CALL:
        leave(thread, "call", now);
        break;
    default:
        leave(thread, "jump", now);
        break;
    }
}

/* Says that no more is stepped, for now or at all. */
static void tell_no_steps(struct thread *thread, enum budget which)
{
    uint64_t addr = thread->inside_start;

    if (which == BUDGET_steps)
        report_limit(thread, budget_word(which), 0,
                     "%" PRIu64 " instructions of generated code were "
                     "stepped, as many as may be in one run; from here on it "
                     "runs at full speed",
                     thread->run->spent.steps);
    else
        report_limit(thread, budget_word(which), addr,
                     "%" PRIu64 " instructions were stepped since this "
                     "entry, as many as may be in one call; the rest of it "
                     "runs at full speed",
                     thread->steps);
}

/* A signal went with the step. Returns whether its handler has begun. */
static bool handler_began(struct thread *thread, const struct regs *now)
{
    int signal = thread->delivering;

    thread->delivering = 0;
    return signal && now->value[REG_PC] != thread->insn.addr &&
           now->value[reg_argument[0]] == (uint64_t)signal;
}

/*
 * A handler has begun. The frame says where it will return to: behind a system
 * call that it has interrupted, or in front of one that will be made again.
 */
static void leave_for_handler(struct thread *thread, const struct regs *now)
{
    uint64_t after = thread->insn.addr + thread->insn.length;
    struct regs saved = thread->before;

    tracee_interrupted(&thread->tracee, &saved);
    if (thread->insn.kind == INSN_SYSCALL && saved.value[REG_PC] == after) {
        emit_step(thread, &saved);
        budget_pay_step(&thread->run->budget, &thread->run->spent,
                        &thread->steps);
    }
    arrive_await(thread,
                 (struct place){saved.value[REG_PC], saved.value[REG_STACK]});
    leave(thread, "signal", now);
}

/* What a system call returns that a signal has interrupted, before the kernel
 * decides whether it is made again (include/linux/errno.h of the kernel). */
static bool is_interrupted(const struct thread *thread)
{
    int64_t result = thread->call.result;

    return result <= -512 && result >= -516 && result != -515;
}

void stay_called(struct thread *thread)
{
    if (thread->insn.kind == INSN_SYSCALL && is_interrupted(thread))
        stay_step(thread); /* it is not over */
    else
        stay_stepped(thread);
}

/* Tells that the instruction which loads ss was executed; the next one is what
 * thread->insn is then. It has changed no register but the program counter. */
static void step_shadow(struct thread *thread)
{
    struct regs between = thread->before;
    uint64_t next = thread->insn.addr + thread->insn.length;

    between.value[REG_PC] = next;
    emit_step(thread, &between);
    budget_pay_step(&thread->run->budget, &thread->run->spent, &thread->steps);
    thread->before = between;
    thread->accesses.count = 0;
    access_decode(thread, next, &thread->insn);
}

/* Whether a handler that has begun returns behind it, to what has faulted. */
static bool shadow_is_over(const struct thread *thread)
{
    struct regs saved;

    return thread->insn.kind == INSN_SHADOW &&
           tracee_interrupted(&thread->tracee, &saved) == 0 &&
           saved.value[REG_PC] == thread->insn.addr + thread->insn.length;
}

/*
 * The step over an instruction that loads ss went over the next one as well.
 * What the second has read and written is not known. If it is a popf that has
 * set the trap flag, the kernel did not see that, and takes the flag for ours.
 */
static void step_over_shadow(struct thread *thread, const struct regs *now)
{
    if (thread->insn.kind != INSN_SHADOW ||
        now->value[REG_PC] == thread->insn.addr + thread->insn.length)
        return;
    step_shadow(thread);
    access_prepare(&thread->accesses, thread->tracee.tid, &thread->insn,
                   &thread->before);
    if (trap_is_set(flags_loaded(thread)))
        tracee_keep_trap(&thread->tracee);
    thread->accesses.count = 0;
}

void stay_stepped(struct thread *thread)
{
    struct regs now;
    struct region *region;
    enum budget spent;

    if (tracee_fetch(&thread->tracee) < 0)
        return;
    tracee_regs(&thread->tracee, &now);
    if (handler_began(thread, &now)) {
        if (shadow_is_over(thread))
            step_shadow(thread);
        tracee_hide_in_frame(&thread->tracee, thread->insn.kind);
        thread->put_off = thread->insn.addr;
        leave_for_handler(thread, &now);
        return;
    }
    step_over_shadow(thread, &now);
    if (tracee_traps_itself(&thread->tracee)) { /* by a popf */
        emit_step(thread, &now);
        signal_own_traps(thread);
        return;
    }
    tracee_hide_step(&thread->tracee, thread->insn.kind);
    if (thread->insn.kind == INSN_SYSCALL)
        thread->space->changes++; /* the kernel may have written code */
    tracee_regs(&thread->tracee, &now);
    emit_step(thread, &now);
    spent = budget_pay_step(&thread->run->budget, &thread->run->spent,
                            &thread->steps);
    follow_calls(thread, &now);
    region = regions_at(&thread->space->regions, now.value[REG_PC]);
    if (!region || region->start != thread->inside_start) {
        leave_by_insn(thread, &now);
        if (spent == BUDGET_steps)
            tell_no_steps(thread, spent);
    } else if (spent != BUDGETS ||
               !budget_has_steps(&thread->run->budget, &thread->run->spent)) {
        if (spent != BUDGETS)
            tell_no_steps(thread, spent);
        run_on_begin(thread, region);
    } else if (thread->insn.kind == INSN_LOADS_FLAGS) {
        step_anew(thread, region);
    } else {
        prepare(thread);
        stay_step(thread);
    }
}
