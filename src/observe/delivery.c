/* SPDX-License-Identifier: MIT */
#include "observe/delivery.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/calling.h"
#include "cpu/trap.h"
#include "observe/actions.h"
#include "observe/arrive.h"
#include "target/proc.h"
#include "target/registers.h"
#include "trace/signal_name.h"

/* --- the event ------------------------------------------------------------ */

/* What the texts and bytes of a signal event are kept in. */
struct fault_texts {
    struct insn insn;
    uint8_t bytes[INSN_MAX_LENGTH];
    struct maps_line line;
};

/* What the instruction wanted of addr. */
static const char *failed_access(const struct thread *thread,
                                 const struct insn *insn,
                                 const struct regs *regs, uint64_t addr)
{
    unsigned length = insn->length ? insn->length : INSN_MAX_LENGTH;
    struct accesses accesses;
    struct maps_line line;

    if (addr - insn->addr < length &&
        !(proc_maps_find(thread->tracee.pid, addr, &line) &&
          line.start <= addr && (line.prot & PROT_EXEC)))
        return "execute";
    access_prepare(&accesses, thread->tracee.pid, insn, regs);
    for (size_t i = 0; i < accesses.count; i++) {
        const struct insn_access *what = &accesses.list[i].what;

        if (addr - what->addr < what->size)
            return what->written ? "write" : "read";
    }
    return NULL;
}

/* The line of maps, with the protection that the program asked for. */
static void find_mapping(const struct thread *thread, struct maps_line *line,
                         struct event_signal *signal)
{
    uint64_t addr = signal->addr.value;
    const struct region *region = regions_at(&thread->space->regions, addr);
    char *perms, prot[4];

    if (!proc_maps_nearest(thread->tracee.tid, addr, line))
        return;
    perms = strchr(line->text, ' ');
    if (region && perms) {
        prot_text(region->prot, prot);
        memcpy(perms + 1, prot, 3);
    }
    if (line->start <= addr && addr < line->end)
        signal->maps = line->text;
    else
        signal->nearest = line->text;
}

/* The source line; that of the call, where one led to what is no code. */
static void find_source(const struct thread *thread, struct event *event)
{
    struct event_signal *signal = &event->signal;
    const struct regs *regs = &signal->regs.value;
    pid_t tid = thread->tracee.tid;
    struct call_frame top;

    if (!signal->access || strcmp(signal->access, "execute") != 0) {
        if (!regions_at(&thread->space->regions, signal->pc.value))
            lines_find_caller(thread->report->lines, regs, &event->source);
    } else if (calling_frame(tid, proc_read, regs, &top) &&
               arrive_follows_call(tid, top.return_to)) {
        signal->return_to = (struct opt_u64){true, top.return_to};
        lines_find(thread->report->lines, top.return_to - 1, &event->source);
    }
}

/* The instruction, or the bytes there that are none, and what it has done. */
static void describe_fault(const struct thread *thread,
                           struct fault_texts *texts, struct event *event)
{
    struct event_signal *signal = &event->signal;
    pid_t tid = thread->tracee.tid;
    size_t len;

    signal->regs.known = true;
    tracee_regs(&thread->tracee, &signal->regs.value);
    access_decode(tid, signal->pc.value, &texts->insn);
    if (signal->number == SIGSEGV || signal->number == SIGBUS)
        signal->access = failed_access(thread, &texts->insn,
                                       &signal->regs.value, signal->addr.value);
    len = proc_read(tid, signal->pc.value, texts->bytes,
                    texts->insn.length ? texts->insn.length : INSN_MAX_LENGTH);
    if (len > 0)
        signal->bytes = (struct bytes){texts->bytes, len};
    if (texts->insn.length)
        signal->text = texts->insn.text;
    find_mapping(thread, &texts->line, signal);
    find_source(thread, event);
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
    report_event(thread->report, &event);
}

/* --- taking one ----------------------------------------------------------- */

bool delivery_comes_again(const struct thread *thread, const siginfo_t *info)
{
    uint64_t pc = tracee_pc(&thread->tracee);
    uint8_t before[SYSCALL_LENGTH];

    switch (info->si_signo) {
    case SIGSEGV:
        if (info->si_code == SI_KERNEL)
            return proc_read(thread->tracee.tid, pc - sizeof before, before,
                             sizeof before) != sizeof before ||
                   memcmp(before, syscall_bytes, sizeof before) != 0;
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

/* Puts a thread that a breakpoint of its own has stopped in front of that. */
static bool go_before_breakpoint(struct tracee *tracee)
{
    uint64_t pc = tracee_pc(tracee);
    uint8_t before[TRAP_LOOK_BACK];
    size_t length = 0;

    if (proc_read(tracee->tid, pc - sizeof before, before, sizeof before) ==
        sizeof before)
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
        return go_before_breakpoint(tracee);
    return delivery_comes_again(thread, info);
}

int delivery_take(struct thread *thread, bool step)
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
