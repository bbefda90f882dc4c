/* SPDX-License-Identifier: MIT */
#include "observe/signals.h"

#include <sys/syscall.h>

#include "cpu/calling.h"
#include "observe/asked.h"
#include "observe/arrive.h"
#include "observe/guard.h"
#include "observe/place.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* --- what the program has set --------------------------------------------- */

static const int signals[ACTIONS] = {SIGSEGV, SIGBUS, [ACTION_TRAP] = SIGTRAP};

/* What is set for the signal; NULL if it is not known. */
static struct signal_action *action_of(const struct thread *thread, int signal)
{
    if (thread->space && thread->space->actions_of == thread->tracee.pid)
        for (size_t i = 0; i < ACTIONS; i++)
            if (signals[i] == signal)
                return &thread->space->actions[i];
    return NULL;
}

/* What happens at the signal as the program has set it, if that is known. */
static enum disposition disposition(const struct signal_action *action)
{
    if (!action || action->handler == (uintptr_t)SIG_DFL)
        return DISPOSITION_DEFAULT;
    return action->handler == (uintptr_t)SIG_IGN ? DISPOSITION_IGNORED
                                                 : DISPOSITION_HANDLED;
}

/* The same as the kernel says. */
static enum disposition disposition_now(const struct thread *thread, int signal)
{
    struct proc_signals now;

    proc_signals(thread->tracee.tid, &now);
    if (now.caught & SIGNAL_BIT(signal))
        return DISPOSITION_HANDLED;
    return now.ignored & SIGNAL_BIT(signal) ? DISPOSITION_IGNORED
                                            : DISPOSITION_DEFAULT;
}

static bool is_handled(const struct thread *thread, int signal)
{
    return disposition(action_of(thread, signal)) == DISPOSITION_HANDLED;
}

void signals_inherited(struct thread *thread)
{
    struct space *space = thread->space;

    if (space->watched || thread->tracee.pid == thread->run->root)
        space->actions_of = thread->tracee.pid;
    if (space->actions_of != thread->tracee.pid)
        return;
    for (size_t i = 0; i < ACTIONS; i++)
        space->actions[i] = (struct signal_action){
            .handler =
                disposition_now(thread, signals[i]) == DISPOSITION_IGNORED
                    ? (uintptr_t)SIG_IGN
                    : 0};
}

/* The kernel sets it as it reads it, or refuses the size (rt_sigaction). */
void signals_set(struct thread *thread)
{
    const uint64_t *args = thread->call.args;
    struct signal_action *action, given;

    if (call_kind(&thread->call) != CALL_ACTION)
        return;
    action = action_of(thread, (int)args[0]);
    if (action && args[1] && args[3] == sizeof given.mask &&
        proc_read(thread->tracee.tid, args[1], &given, sizeof given) ==
            sizeof given)
        *action = given;
}

/* --- what a forced signal has undone -------------------------------------- */

/* The signals that faults raise (signal(7)). */
#define OF_FAULTS                                                     \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGTRAP) | \
     SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE))

struct reset reset_find(enum disposition set, enum disposition now, int signal,
                        uint64_t mask, bool alone)
{
    bool lacks_only_it =
        (mask & OF_FAULTS) == (OF_FAULTS & ~SIGNAL_BIT(signal));

    if (now != DISPOSITION_DEFAULT) /* not undone, or put back since */
        return (struct reset){.mask = lacks_only_it && !alone};
    return (struct reset){.action = set != DISPOSITION_DEFAULT,
                          .mask = set == DISPOSITION_HANDLED && alone
                                      ? !(mask & SIGNAL_BIT(signal))
                                      : lacks_only_it};
}

void signals_forced(struct thread *thread, int signal)
{
    const struct signal_action *action = action_of(thread, signal);
    enum disposition set = disposition(action), now = DISPOSITION_DEFAULT;
    bool alone = thread->space->users == 1;
    struct reset reset;
    uint64_t mask;

    if (set != DISPOSITION_DEFAULT)
        now = disposition_now(thread, signal);
    if (tracee_mask(&thread->tracee, &mask) < 0)
        return;
    reset = reset_find(set, now, signal, mask, alone);
    if (thread->mask_kept)
        reset.mask = thread->mask & ~mask & SIGNAL_BIT(signal);
    if (reset.mask) /* first, so that one that is pending stays so */
        tracee_block(&thread->tracee, signal, true);
    if (reset.action)
        tracee_set_action(&thread->tracee, signal, action);
    if (reset.action && set == DISPOSITION_HANDLED && thread->space->users > 1)
        guard_drop_all(thread, GUARDS, "handlers",
                       "a thread blocks a signal that others handle; its "
                       "faults at a guard would undo that for them, so "
                       "nothing is watched any more");
}

void signals_restore_trap(struct thread *thread)
{
    if (signals_ignored(thread, SIGTRAP) &&
        thread->tracee.held_count == 0 && /* else it is done the next time */
        disposition_now(thread, SIGTRAP) == DISPOSITION_DEFAULT)
        tracee_set_action(&thread->tracee, SIGTRAP, action_of(thread, SIGTRAP));
}

bool signals_endangered(const struct thread *thread, int signal)
{
    return is_handled(thread, signal) && thread->space->users > 1 &&
           !thread->space->frozen;
}

bool signals_lack(const struct thread *thread, int signal)
{
    return is_handled(thread, signal) &&
           disposition_now(thread, signal) == DISPOSITION_DEFAULT;
}

/* A signal can be delivered from the stop that another call ends in. */
void signals_restore(struct thread *thread, int signal)
{
    if (signals_lack(thread, signal) &&
        tracee_set_action(&thread->tracee, signal, action_of(thread, signal)) ==
            0)
        tracee_inject(&thread->tracee, SYS_getpid, 0, 0, 0);
}

bool signals_ignored(const struct thread *thread, int signal)
{
    return disposition(action_of(thread, signal)) == DISPOSITION_IGNORED;
}

/* --- the event ------------------------------------------------------------ */

/* What the texts and bytes of a signal event are kept in. */
struct fault_texts {
    struct insn insn;
    uint8_t bytes[INSN_MAX_LENGTH];
    struct maps_line line;
    struct buf symbol;
    struct line_callers callers;
    struct buf beyond;
    char mapped[16];
};

/* The address that the one of a fault, or the displacement that rip was added
 * to, is the lower half of. */
static void find_twin(const struct thread *thread, const struct insn *insn,
                      struct event_signal *signal)
{
    pid_t tid = thread->tracee.tid;
    uint64_t *twin = &signal->twin.value;
    struct maps_line line;
    bool found = proc_maps_twin(tid, signal->addr.value, twin, &line);

    for (uint8_t i = 0; i < insn->operand_count && !found; i++)
        found = insn->operands[i].kind == OPERAND_MEMORY &&
                insn->operands[i].base == REG_PC &&
                proc_maps_twin(tid, (uint64_t)insn->operands[i].displacement,
                               twin, &line);
    signal->twin.known = found;
    if (found)
        signal->twin_symbol = lines_symbol(thread->space->lines, *twin);
}

/* Which registers of an address that is the sum of two hold addresses
 * themselves: only then can it be told which of them is wrong. */
static void describe_pointers(pid_t tid, struct fault_texts *texts,
                              struct event_signal *signal)
{
    const struct insn *insn = &texts->insn;

    texts->mapped[0] = '\0';
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];
        const enum reg regs[] = {operand->base, operand->index};
        struct maps_line line;

        if (operand->kind != OPERAND_MEMORY || operand->base == REG_NONE ||
            operand->index == REG_NONE)
            continue;
        for (unsigned k = 0; k < 2; k++) {
            uint64_t value = signal->regs.value.value[regs[k]];

            if (!proc_maps_find(tid, value, &line) || line.start > value)
                continue;
            if (signal->mapped)
                strcat(texts->mapped, " ");
            signal->mapped = strcat(texts->mapped, reg_name(regs[k]));
        }
        return;
    }
}

/* A line of maps with the protection that the program asked for: a guard may
 * have taken some of that away. */
static void correct_protection(const struct regions *regions,
                               struct maps_line *line, uint64_t addr)
{
    uint64_t at = addr < line->start  ? line->start
                  : addr >= line->end ? line->end - 1
                                      : addr;
    const struct region *region = regions_at(regions, at);
    char *perms = strchr(line->text, ' '), prot[4];

    if (!region || !perms)
        return;
    prot_text(region->prot, prot);
    memcpy(perms + 1, prot, 3);
}

/* The instruction, or the bytes there that are none, what it wanted, and where
 * in the source it is; that of the call, where one led to what is no code. */
static void describe_fault(const struct thread *thread,
                           struct fault_texts *texts, struct event *event)
{
    struct event_signal *signal = &event->signal;
    const struct regions *regions = &thread->space->regions;
    uint64_t addr = signal->addr.value, pc = signal->pc.value;
    struct regs *regs = &signal->regs.value;
    const struct insn *insn = &texts->insn;
    struct maps_line *line = &texts->line;
    pid_t tid = thread->tracee.tid;
    struct call_frame top;
    bool is_access = signal->number == SIGSEGV || signal->number == SIGBUS;
    struct accesses accesses;
    size_t len, length;

    accesses.count = 0;
    signal->regs.known = true;
    tracee_regs(&thread->tracee, regs);
    access_decode(tid, pc, &texts->insn);
    length = insn->length ? insn->length : INSN_MAX_LENGTH;
    if (is_access && addr - pc < length &&
        !(proc_maps_find(tid, addr, line) && line->start <= addr &&
          (line->prot & PROT_EXEC)))
        signal->access = "execute";
    else if (is_access)
        access_prepare(&accesses, tid, insn, regs);
    for (size_t i = 0; i < accesses.count && !signal->access; i++)
        if (addr - accesses.list[i].what.addr < accesses.list[i].what.size)
            signal->access = accesses.list[i].what.written ? "write" : "read";
    len = proc_read(tid, pc, texts->bytes, length);
    if (len > 0)
        signal->bytes = (struct bytes){texts->bytes, len};
    if (insn->length)
        signal->text = insn->text;
    if (is_access)
        describe_pointers(tid, texts, signal);

    if (proc_maps_nearest(tid, addr, line)) {
        correct_protection(regions, line, addr);
        if (line->start <= addr && addr < line->end)
            signal->maps = line->text;
        else
            signal->nearest = line->text;
        if (signal->nearest && is_access)
            find_twin(thread, insn, signal);
    }
    if (!regions_at(regions, pc)) {
        signal->symbol = place_symbol(thread, pc, &texts->symbol);
        place_callers(thread, regs, &texts->callers, &texts->beyond);
        signal->via =
            (struct callers){texts->callers.list, texts->callers.count};
    }
    if (!word_is(signal->access, "execute")) {
        if (!regions_at(regions, pc))
            lines_find_caller(thread->space->lines, tid, regs, &event->source);
    } else if (calling_frame(tid, proc_read, regs, &top) &&
               arrive_follows_call(tid, top.return_to)) {
        signal->return_to = (struct opt_u64){true, top.return_to};
        lines_find(thread->space->lines, top.return_to - 1, &event->source);
    }
}

/* What is set for it, and which process it is for. */
static void describe_delivery(const struct thread *thread,
                              struct event_signal *signal)
{
    static const char *const actions[] = {
        [DISPOSITION_DEFAULT] = "default",
        [DISPOSITION_IGNORED] = "ignore",
        [DISPOSITION_HANDLED] = "handler",
    };
    const struct space *space = thread->space;
    const struct run *run = thread->run;
    int number = (int)signal->number;
    bool lacks = signals_lack(thread, number); /* until it is put back */

    signal->action =
        actions[lacks ? DISPOSITION_HANDLED : disposition_now(thread, number)];
    if (space && (space->watched || space->copied) &&
        thread->tracee.pid !=
            (run->choice.follow_forks ? space->pid : run->root))
        signal->process = (struct opt_u64){true, (uint64_t)thread->tracee.pid};
}

/* --- delivery ------------------------------------------------------------- */

bool signals_come_again(const struct thread *thread, const siginfo_t *info)
{
    uint64_t pc = tracee_pc(&thread->tracee);
    int signal = info->si_signo, code = info->si_code;
    uint8_t before[SYSCALL_LENGTH];

    if (signal == SIGSEGV && code == SI_KERNEL)
        return proc_read(thread->tracee.tid, pc - sizeof before, before,
                         sizeof before) != sizeof before ||
               memcmp(before, syscall_bytes, sizeof before) != 0;
    if (signal == SIGBUS)
        return code == BUS_ADRERR || code == BUS_ADRALN;
    return code > 0 &&
           (signal == SIGSEGV || signal == SIGILL || signal == SIGFPE);
}

/* What the handler is told of a fault (trapno, err and cr2 in struct
 * sigcontext) is what the CPU said last, and a call of ours is a fault as well:
 * its step is. So the fault is raised again, if it can be, with no call of ours
 * behind it: a breakpoint of the program's own from in front of it. Returns
 * whether that is to be. */
static bool raise_again(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    const siginfo_t *info = &tracee->held[0];
    uint8_t before[TRAP_LOOK_BACK];
    size_t length = 0;
    uint64_t pc;

    if (!tracee->injected || thread->raised_again || tracee_fetch(tracee) < 0)
        return false;
    if (info->si_signo != SIGTRAP || info->si_code != SI_KERNEL ||
        thread->inside)
        return signals_come_again(thread, info);
    pc = tracee_pc(tracee);
    if (proc_read(tracee->tid, pc - sizeof before, before, sizeof before) ==
        sizeof before)
        length = trap_length(before);
    return length > 0 && tracee_go_to(tracee, pc - length) == 0;
}

int signals_take(struct thread *thread, bool step)
{
    struct tracee *tracee = &thread->tracee;
    struct signal_action *action;
    struct fault_texts texts = {0};
    struct event event;
    siginfo_t info;
    bool blocked, is_fault;

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
    is_fault = info.si_code > 0 &&
               (info.si_signo == SIGSEGV || info.si_signo == SIGBUS ||
                info.si_signo == SIGFPE || info.si_signo == SIGILL);
    event = (struct event){.kind = EVENT_SIGNAL, .tid = tracee->tid};
    event.signal.number = info.si_signo;
    event.signal.name = signal_name(info.si_signo);
    if (!event.signal.name)
        event.signal.name = "SIGRT";
    event.signal.code = info.si_code;
    if (is_fault)
        event.signal.addr =
            (struct opt_u64){true, (uint64_t)(uintptr_t)info.si_addr};
    if (tracee_fetch(tracee) == 0) {
        event.signal.pc = (struct opt_u64){true, tracee_pc(tracee)};
        if (is_fault)
            event.signal.call = asked_number(thread);
        if (is_fault)
            describe_fault(thread, &texts, &event);
    }
    describe_delivery(thread, &event.signal);
    run_tell(thread->run, &event);
    buf_release(&texts.symbol);
    buf_release(&texts.beyond);
    /* A handler may be for one time. What is ignored and forced upon the
     * program all the same ends it, by the default action. */
    action = action_of(thread, info.si_signo);
    if (action && (disposition(action) == DISPOSITION_IGNORED
                       ? info.si_code > 0
                       : action->flags & (unsigned)SA_RESETHAND))
        action->handler = (uintptr_t)SIG_DFL;
    return info.si_signo;
}
