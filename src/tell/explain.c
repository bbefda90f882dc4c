/* SPDX-License-Identifier: MIT */
/*
 * Why a program died.
 *
 * A signal event has the moment: the instruction, the registers, what is mapped
 * where it failed. The view has the protections and who set them; the past has
 * how control came there and where a bad value came from. The causes are tried
 * one after the other, from the most particular to the most general: code that
 * ran off its end and then stored through a null pointer did not begin with a
 * null pointer.
 */
#include "tell/explain.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>

#include "cpu/calling.h"
#include "tell/explain_parts.h"

/* How far apart a signal and the exit may be, in events of other threads. */
#define LOOK_AHEAD 4096u

bool explain_is_fault(const struct event_signal *signal)
{
    return signal->code > 0 &&
           (signal->addr.known || signal->number == SIGTRAP);
}

const char *explain_fault(struct phrases *phrases, const struct view *view,
                          const struct event_signal *signal)
{
    static const struct {
        int number; /* 0: any */
        int code;   /* 0: any */
        const char *words;
    } faults[] = {
        {SIGILL, 0,
         "the CPU does not know this instruction, or may not run it"},
        {SIGFPE, FPE_INTDIV,
         "division by zero or a quotient that is too large"},
        {SIGFPE, 0, "a floating-point exception"},
        {SIGTRAP, 0, "a breakpoint or another trap"},
        {0, 0, "a fault"},
    };
    bool is_access = signal->number == SIGSEGV || signal->number == SIGBUS;
    const struct region *region = view_region_at(view, signal->addr.value);
    const char *what, *addr = phrase_hex(phrases, signal->addr.value);
    unsigned needs;
    size_t i = 0;

    if (!explain_is_fault(signal))
        return "";
    if (is_access && signal->code == SI_KERNEL)
        return "the access failed; the CPU does not say at which address";
    if (!is_access) {
        while ((faults[i].number && faults[i].number != signal->number) ||
               (faults[i].code && faults[i].code != signal->code))
            i++;
        return faults[i].words;
    }
    what = !signal->access
               ? phrase(phrases, "the access to %s failed", addr)
               : phrase(phrases, "it tried to %s %s",
                        word_is(signal->access, "execute") ? "execute"
                        : word_is(signal->access, "write") ? "write to"
                                                           : "read from",
                        addr);
    needs = word_is(signal->access, "execute") ? PROT_EXEC
            : word_is(signal->access, "write") ? PROT_WRITE
                                               : PROT_READ;
    if (signal->number == SIGBUS && signal->code == BUS_ADRERR)
        return phrase(phrases,
                      "%s: no memory is behind that address, as where the file "
                      "ends that is mapped there",
                      what);
    if (region && !(region->prot & needs))
        return phrase(phrases, "%s, but the page is %s", what,
                      phrase_prot(region->prot));
    return signal->number == SIGSEGV && signal->code == SEGV_MAPERR
               ? phrase(phrases, "%s: nothing is mapped there", what)
               : what;
}

bool explain_ends_child(const struct event_signal *signal)
{
    static const int deadly[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                 SIGTRAP, SIGABRT, SIGSYS};
    bool is_deadly = false;

    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        is_deadly |= deadly[i] == signal->number;
    return is_deadly && signal->process.known &&
           word_is(signal->action, "default");
}

uint64_t explain_address(const struct view *view,
                         const struct event_signal *signal)
{
    uint64_t pc = signal->pc.value;
    uint8_t before;

    if (signal->number != SIGTRAP || !pages_written(&view->pages, pc - 1))
        return pc;
    pages_read(&view->pages, pc - 1, 1, &before);
    return before == trap_insn ? pc - 1 : pc;
}

/* --- signals that no instruction raised, and faults that nobody knows ---- */

/* What the program did last in generated code, as far as it was seen. */
static void note_last(struct crash *crash)
{
    const struct way *way = &crash->way;
    const char *callee =
        way->kind == WAY_AWAY && way->called ? words_callee(crash) : NULL;

    if (crash->code && crash->signal->pc.known && way->kind == WAY_UNSEEN)
        note(crash, WHERE, "Generated code was running, at %s.",
             words_code(crash, crash->pc));
    else if (way->kind == WAY_UNSEEN)
        note(crash, WHERE, "No generated code was seen running.");
    else if (!way->step.known)
        note(crash, WHERE,
             "Generated code had been entered (event %" PRIu64 ").", way->seq);
    else if (callee)
        note(crash, WHERE, "Generated code was waiting for %s: %s.", callee,
             words_seen(crash, &way->step));
    else
        note(crash, WHERE, "%s %s.",
             way->kind == WAY_AWAY && way->called
                 ? "Generated code was waiting for what it called:"
                 : "The last instruction of generated code was",
             words_seen(crash, &way->step));
}

/* A system call that a filter answers with SIGSYS (seccomp(2)): pc is behind
 * it. */
static void note_filtered(struct crash *crash)
{
    struct insn insn;
    const uint64_t addr = crash->pc - SYSCALL_LENGTH;

    if (!crash->code || !view_has_code(crash->view, addr) ||
        !view_decode(crash->view, addr, &insn) || insn.kind != INSN_SYSCALL) {
        note_last(crash);
        return;
    }
    note(
        crash, WHERE, "%s at %s, bytes %s", insn.text, words_code(crash, addr),
        phrase_bytes(&crash->phrases, (struct bytes){insn.bytes, insn.length}));
    note_storer(crash, addr);
    note(crash, WHERE, ".");
}

static bool explain_sent(struct crash *crash)
{
    static const struct {
        int number; /* 0: any other */
        const char *why;
    } signals[] = {
        {SIGABRT,
         "It sent itself this signal; no instruction failed. The C library "
         "does so for assert(), a broken heap, or a smashed stack."},
        {SIGPIPE, "It wrote to a pipe that nobody reads any more."},
        {SIGSYS, "It made a system call that a seccomp filter forbids."},
        {SIGALRM, "A timer or a time limit ran out."},
        {SIGXCPU, "A timer or a time limit ran out."},
        {SIGVTALRM, "A timer or a time limit ran out."},
        {0, "It was sent, by this program or another one or from a terminal; "
            "no instruction failed."},
    };
    bool is_abort = crash->signal->number == SIGABRT;
    bool is_filtered = crash->signal->number == SIGSYS;
    size_t i = 0;

    if (explain_is_fault(crash->signal))
        return false;
    note_what(crash, is_abort
                         ? "The program ended itself: abort(), or an assertion "
                           "that failed"
                         : "The program was ended by a signal that it did not "
                           "handle");
    if (!is_abort && explain_rounds(crash, " It was last seen in a loop", NULL))
        return true;
    if (is_filtered)
        note_filtered(crash);
    else
        note_last(crash);
    while (signals[i].number && signals[i].number != crash->signal->number)
        i++;
    note(crash, WHY, "%s", signals[i].why);
    note(crash, NEXT, "%s",
         is_abort ? "What it printed to standard error just before says which. "
                    "A store of generated code may have broken the heap: see "
                    "in --step what its last steps wrote."
         : is_filtered
             ? "Allow that call in the filter, or do without it. "
             : "See who sends it; the last events before it are what the "
               "program was doing.");
    if (is_filtered)
        note_command(crash, crash->event->seq);
    return true;
}

static bool explain_other(struct crash *crash)
{
    note_what(crash,
              crash->handled ? "A fault" : "The program was ended by a fault");
    note_place(crash, ".");
    note(crash, WHY, "This is what the system says: %s.",
         explain_fault(&crash->phrases, crash->view, crash->signal));
    note_command(crash, crash->event->seq);
    return true;
}

/* --- the facts ----------------------------------------------------------- */

static void explain_signal(struct crash *crash)
{
    static const struct {
        int number; /* of the signal; 0: any */
        int code;   /* 0: any */
        bool (*explain)(struct crash *crash);
    } causes[] = {
        {0, 0, explain_sent},
        {SIGBUS, BUS_ADRERR, explain_bus},
        {SIGSEGV, 0, explain_refusal},
        {SIGSEGV, 0, explain_map_failed},
        {SIGSEGV, 0, explain_taken},
        {SIGSEGV, 0, explain_crossing},
        {0, 0, explain_fetch},
        {0, 0, explain_end},
        {0, 0, explain_middle},
        {SIGSEGV, 0, explain_stack},
        {SIGFPE, FPE_INTDIV, explain_division},
        {SIGILL, 0, explain_opcode},
        {SIGTRAP, 0, explain_trap},
        {SIGSEGV, SI_KERNEL, explain_general},
        {SIGSEGV, 0, explain_access},
        {0, 0, explain_other},
    };
    const struct event_signal *signal = &crash->event->signal;
    struct way *way = &crash->way;
    uint64_t index = crash->index;
    const struct event *event;
    const struct region *region;
    const struct view *view = crash->view;
    const struct view_thread *thread = view_thread(view, crash->event->tid);
    uint8_t bytes[INSN_MAX_LENGTH];

    crash->signal = signal;
    crash->pc = signal->pc.known ? explain_address(view, signal) : 0;
    /* The bytes that the event has, or else those that the view has. */
    crash->bytes = signal->bytes;
    if (!crash->bytes.data && view_has_code(view, crash->pc)) {
        pages_read(&view->pages, crash->pc, sizeof bytes, bytes);
        crash->bytes = (struct bytes){bytes, sizeof bytes};
    }
    if (crash->bytes.len && insn_decode(crash->bytes.data, crash->bytes.len,
                                        crash->pc, &crash->insn) > 0)
        crash->bytes.len = crash->insn.length;

    /* The event's registers, or else those of the thread's last step. */
    crash->regs_known = signal->regs.known;
    crash->regs = signal->regs.value;
    if (!crash->regs_known && thread && thread->regs_known &&
        thread->regs.value[REG_PC] == crash->pc) {
        crash->regs_known = true;
        crash->regs = thread->regs;
    }

    /* How the thread came there. */
    event = past_find(crash, PAST_MOVES, &index);
    way->seq = event ? event->seq : 0;
    if (event)
        way->kind = event->kind == EVENT_STEP      ? WAY_STEPPED
                    : event->kind == EVENT_ENTER   ? WAY_ENTERED
                    : event->leave.to == crash->pc ? WAY_LEFT
                                                   : WAY_AWAY;
    if (event && event->kind == EVENT_LEAVE) {
        way->called = word_is(event->leave.how, "call") ||
                      word_is(event->leave.how, "jump");
        event = past_find(crash, PAST_MOVES, &index);
    }
    if (event && event->kind == EVENT_STEP)
        seen_from(event, index, &way->step);
    crash->was_watched = way->kind == WAY_ENTERED
                             ? event->enter.addr == crash->pc
                             : way->kind != WAY_AWAY && way->step.known &&
                                   way->step.next == crash->pc;

    /* code[0] is in the mapping where it failed, or where it came from, or
     * what it wanted to access. */
    region = crash->code = view_region_at(view, crash->pc);
    if (!region && crash->way.step.known)
        region = view_region_at(view, crash->way.step.insn.addr);
    if (!region && signal->addr.known)
        region = view_region_at(view, signal->addr.value);
    crash->base = region ? region->start : 0;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if ((!causes[i].number || causes[i].number == signal->number) &&
            (!causes[i].code || causes[i].code == signal->code) &&
            causes[i].explain(crash))
            break;
}

/* An exit by a signal that no event tells of. */
static void explain_unseen(struct crash *crash)
{
    int number = (int)crash->event->exit.signal.value;
    bool killed = number == SIGKILL;

    note(crash, WHAT, "The program was ended from outside (signal %s).",
         phrase_signal(&crash->phrases, number, signal_name(number)));
    if (explain_rounds(crash, " It was last seen in a loop", NULL))
        return;
    note(crash, WHERE, "Not known: no instruction of the program raised it.");
    note(crash, WHY, "Somebody sent it%s",
         killed ? ": kill -9, a time limit, or the kernel when memory ran out. "
                  "It cannot be caught, and no program sees it come."
                : " to the program.");
    note(crash, NEXT,
         "%she last event before is what the program did until then.",
         killed ? "`dmesg` says whether it was the kernel. T" : "T");
}

/* --- whether it died, and of which signal -------------------------------- */

/* The signal event that an exit goes back to. Returns false if there is none:
 * SIGKILL is not seen before. */
static bool find_signal(const struct past *past, uint64_t exit, uint64_t *index)
{
    const struct event *event = past->event(past->from, exit);
    uint64_t number = event->exit.signal.value;
    uint64_t oldest = exit < LOOK_AHEAD ? 0 : exit - LOOK_AHEAD;
    int tid;

    *index = exit;
    do {
        if (*index <= oldest)
            return false;
        event = past->event(past->from, --*index);
        if (!event)
            return false;
    } while (event->kind != EVENT_SIGNAL || event->signal.process.known ||
             (uint64_t)event->signal.number != number);
    tid = event->tid;
    for (uint64_t i = *index + 1; i < exit; i++) {
        event = past->event(past->from, i);
        if (event && event->tid == tid && event->kind != EVENT_EXIT &&
            event->kind != EVENT_LIMIT)
            return false; /* it was handled */
    }
    return true;
}

/* The exit by a signal that an event is or belongs to. Returns false if there
 * is none, or if the reader quit, so that jittrace ended the program. */
static bool find_exit(const struct past *past, uint64_t index, uint64_t *exit)
{
    const struct event *event = past->event(past->from, index);
    bool is_signal = event && event->kind == EVENT_SIGNAL;

    for (*exit = index; is_signal && (!event || event->kind != EVENT_EXIT);) {
        if (++*exit >= past->count || *exit >= index + LOOK_AHEAD)
            return false;
        event = past->event(past->from, *exit);
    }
    if (!event || event->kind != EVENT_EXIT || !event->exit.signal.known)
        return false;
    for (uint64_t i = *exit; i-- > 0 && *exit - i < LOOK_AHEAD;) {
        event = past->event(past->from, i);
        if (event && event->kind == EVENT_LIMIT &&
            word_is(event->limit.budget, "quit"))
            return false;
    }
    return true;
}

/* Whether the thread of a fault went on behind it, or ended otherwise. At the
 * end that is sure of the first thread only: another may be of a child. */
static bool is_handled(const struct past *past, uint64_t index)
{
    const struct event *event = past->event(past->from, index), *start;
    int tid = event->tid;
    bool known;

    if (event->kind != EVENT_SIGNAL || !explain_is_fault(&event->signal))
        return false;
    if (event->signal.action)
        return word_is(event->signal.action, "handler");
    for (uint64_t i = index + 1; i < past->count && i < index + LOOK_AHEAD;
         i++) {
        event = past->event(past->from, i);
        if (event && event->kind == EVENT_EXIT) {
            known = event->exit.status.known;
            start = past->event(past->from, 0);
            return known && start && start->tid == tid;
        }
        if (event && event->tid == tid && event->kind != EVENT_LIMIT)
            return true;
    }
    return false;
}

/* Whether that is in generated code, or in what that has called, or because
 * something went to where no code may be executed. */
static bool concerns_code(const struct view *view, const struct event *event)
{
    const struct frame *frame = view_frame(view, event->tid);

    return word_is(event->signal.access, "execute") ||
           (event->signal.pc.known &&
            view_region_at(view, event->signal.pc.value)) ||
           (frame && frame->outside && frame->kind == FRAME_CALLED);
}

/* A child that is not watched has the past that the program had up to the fork:
 * its own, or that of its parent. */
static void go_to_fork(struct crash *crash)
{
    uint64_t index = crash->index, child = crash->event->signal.process.value;
    const struct event *event;

    if (crash->event->kind != EVENT_SIGNAL ||
        !crash->event->signal.process.known ||
        view_thread(crash->view, crash->event->tid))
        return;
    while ((event = past_earlier(crash, 0, &index))) {
        if (event->kind != EVENT_LIMIT || !word_is(event->limit.budget, "fork"))
            continue;
        crash->in_child = true;
        crash->index = index;
        if ((uint64_t)event->tid == child)
            return;
    }
}

bool explain_event(const struct past *past, const struct view *view,
                   uint64_t index, struct explanation *out)
{
    const struct event *event = past->count ? past->event(past->from, 0) : NULL;
    struct crash crash = {
        .past = past, .view = view, .index = index, .out = out};
    bool is_gap, may_end = false, found = true, died = false, is_child;
    uint64_t exit, signal;

    if (event && event->kind == EVENT_START)
        crash.first_tid = event->tid;
    event = past->event(past->from, index);
    if (!event)
        return false;
    is_gap = past_is_gap(event);
    is_child =
        event->kind == EVENT_SIGNAL && explain_ends_child(&event->signal);
    if (!is_gap && !is_child && find_exit(past, index, &exit)) {
        found = find_signal(past, exit, &signal);
        died = index == exit || (found && signal == index);
        crash.index = !died ? index : found ? signal : exit;
    }
    crash.handled = !is_gap && !died && is_handled(past, index);
    event = past->event(past->from, crash.index);
    if (!is_gap && !died && !is_child &&
        (!crash.handled || !concerns_code(view, event)))
        return false;
    crash.event = event_keep(event);
    go_to_fork(&crash);
    if (is_gap)
        found = explain_rounds(&crash, "This may be a loop without an end",
                               &may_end);
    else if (found || crash.handled || is_child)
        explain_signal(&crash);
    else
        explain_unseen(&crash);
    for (int i = 0; i < EXPLAIN_LINES && may_end; i++)
        buf_clear(&out->line[i]);
    if (died && found)
        note_unseen_call(&crash);
    event_free(crash.event);
    phrases_release(&crash.phrases);
    return is_gap ? found && !may_end : true;
}
