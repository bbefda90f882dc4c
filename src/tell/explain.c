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

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tell/explain_parts.h"
#include "trace/signal_name.h"

/* How far apart a signal and the exit may be, in events of other threads. */
#define LOOK_AHEAD 4096u

bool explain_is_fault(const struct event_signal *signal)
{
    return signal->code > 0 &&
           (signal->addr.known || signal->number == SIGTRAP);
}

bool access_is(const struct event_signal *signal, const char *access)
{
    return signal->access && strcmp(signal->access, access) == 0;
}

/* --- a short word on any fault ------------------------------------------- */

static void append_access(const struct view *view,
                          const struct event_signal *signal, struct buf *words)
{
    unsigned long long addr = signal->addr.value;
    const struct region *region = view_region_at(view, addr);
    char prot[4];

    if (signal->code == SI_KERNEL) {
        buf_append_text(words, "the access failed; the CPU does not say at "
                               "which address");
        return;
    }
    if (!signal->access)
        buf_printf(words, "the access to 0x%llx failed", addr);
    else
        buf_printf(words, "it tried to %s 0x%llx",
                   access_is(signal, "execute") ? "execute"
                   : access_is(signal, "write") ? "write to"
                                                : "read from",
                   addr);
    if (region) {
        prot_text(region->prot, prot);
        buf_printf(words, ", but the page is %s", prot);
    } else if (signal->number == SIGSEGV && signal->code == SEGV_MAPERR) {
        buf_append_text(words, ": nothing is mapped there");
    }
}

void explain_fault(const struct view *view, const struct event_signal *signal,
                   struct buf *out)
{
    if (!explain_is_fault(signal))
        return;
    if (signal->number == SIGSEGV || signal->number == SIGBUS)
        append_access(view, signal, out);
    else if (signal->number == SIGILL)
        buf_append_text(out, "the CPU does not know this instruction, or may "
                             "not run it");
    else if (signal->number == SIGFPE && signal->code == FPE_INTDIV)
        buf_append_text(out, "division by zero or a quotient that is too "
                             "large");
    else if (signal->number == SIGFPE)
        buf_append_text(out, "a floating-point exception");
    else if (signal->number == SIGTRAP)
        buf_append_text(out, "a breakpoint or another trap");
    else
        buf_append_text(out, "a fault");
}

/* --- the facts ----------------------------------------------------------- */

/* A breakpoint is a trap: it is reported behind its instruction. */
static uint64_t instruction_at(const struct crash *crash)
{
    uint64_t pc = crash->signal->pc.value;
    uint8_t byte;

    pages_read(&crash->view->pages, pc - 1, 1, &byte);
    return crash->signal->number == SIGTRAP && byte == 0xcc &&
                   pages_written(&crash->view->pages, pc - 1)
               ? pc - 1
               : pc;
}

/* The bytes that the event has, or else those that the view has. */
static void find_instruction(struct crash *crash, uint8_t *bytes)
{
    uint64_t first, last;

    crash->bytes = crash->signal->bytes;
    if (!crash->bytes.data && pages_extent(&crash->view->pages, crash->pc,
                                           INSN_MAX_LENGTH, &first, &last)) {
        pages_read(&crash->view->pages, crash->pc, INSN_MAX_LENGTH, bytes);
        crash->bytes = (struct bytes){bytes, INSN_MAX_LENGTH};
    }
    if (crash->bytes.len && insn_decode(crash->bytes.data, crash->bytes.len,
                                        crash->pc, &crash->insn) > 0)
        crash->bytes.len = crash->insn.length;
}

/* Those of the event, or else those at the end of the thread's last step. */
static void find_registers(struct crash *crash)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);

    crash->regs_known = crash->signal->regs.known;
    crash->regs = crash->signal->regs.value;
    if (crash->regs_known || !thread || !thread->regs_known ||
        thread->regs.value[REG_PC] != crash->pc)
        return;
    crash->regs_known = true;
    crash->regs = thread->regs;
}

void crash_begin(struct crash *crash, const struct past *past,
                 const struct view *view, uint64_t index,
                 struct explanation *out)
{
    *crash = (struct crash){.past = past,
                            .view = view,
                            .index = index,
                            .event = event_copy(past->event(past->from, index)),
                            .out = out};
}

void crash_end(struct crash *crash)
{
    event_free(crash->event);
}

/* The mapping that code[0] is in: where it failed, or where it came from, or
 * what it wanted to access. */
static uint64_t base_of(const struct crash *crash)
{
    const struct region *region = crash->code;

    if (!region && crash->way.step.known)
        region = view_region_at(crash->view, crash->way.step.insn.addr);
    if (!region && crash->signal->addr.known)
        region = view_region_at(crash->view, crash->signal->addr.value);
    return region ? region->start : 0;
}

static void explain_signal(struct crash *crash)
{
    static bool (*const causes[])(struct crash *) = {
        explain_sent,  explain_fetch,   explain_end,   explain_middle,
        explain_stack, explain_refused, explain_access};
    uint8_t bytes[INSN_MAX_LENGTH];

    crash->signal = &crash->event->signal;
    crash->pc = crash->signal->pc.known ? instruction_at(crash) : 0;
    find_instruction(crash, bytes);
    find_registers(crash);
    past_find_way(crash);
    crash->code = view_region_at(crash->view, crash->pc);
    crash->base = base_of(crash);
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (causes[i](crash))
            return;
    explain_other(crash);
}

/* --- whether it died, and of which signal -------------------------------- */

static bool is_of(const struct event *event, int tid)
{
    return event && event->tid == tid && event->kind != EVENT_EXIT &&
           event->kind != EVENT_LIMIT;
}

/* The signal event that an exit goes back to. Returns false if there is none:
 * SIGKILL is not seen before. */
static bool find_signal(const struct past *past, uint64_t exit, uint64_t *index)
{
    const struct event *event = past->event(past->from, exit);
    uint64_t number, oldest = exit < LOOK_AHEAD ? 0 : exit - LOOK_AHEAD;
    bool found = false;
    int tid = 0;

    if (!event || event->kind != EVENT_EXIT || !event->exit.signal.known)
        return false;
    number = event->exit.signal.value;
    *index = exit;
    while (!found && *index > oldest) {
        event = past->event(past->from, --*index);
        if (!event)
            return false;
        found = event->kind == EVENT_SIGNAL &&
                (uint64_t)event->signal.number == number;
    }
    tid = event->tid;
    for (uint64_t i = *index + 1; found && i < exit; i++)
        if (is_of(past->event(past->from, i), tid))
            return false; /* it was handled */
    return found;
}

/* The exit behind a signal event. */
static bool find_exit(const struct past *past, uint64_t index, uint64_t *exit)
{
    for (uint64_t i = index + 1; i < past->count && i - index < LOOK_AHEAD;
         i++) {
        const struct event *event = past->event(past->from, i);

        *exit = i;
        if (!event || event->kind == EVENT_EXIT)
            return event;
    }
    return false;
}

/* Whether the reader quit, so that jittrace ended the program. */
static bool was_quit(const struct past *past, uint64_t exit)
{
    for (uint64_t i = exit; i-- > 0 && exit - i < LOOK_AHEAD;) {
        const struct event *event = past->event(past->from, i);

        if (event && event->kind == EVENT_LIMIT && event->limit.budget &&
            strcmp(event->limit.budget, "quit") == 0)
            return true;
    }
    return false;
}

/* An exit by a signal that no event tells of. */
static void explain_unseen(struct crash *crash)
{
    int number = (int)crash->event->exit.signal.value;
    const char *name = signal_name(number);

    note(crash, EXPLAIN_WHAT, "The program was ended from outside (signal %d",
         number);
    note(crash, EXPLAIN_WHAT, "%s%s).", name ? " " : "", name ? name : "");
    if (explain_rounds(crash, " It was last seen in a loop"))
        return;
    note(crash, EXPLAIN_WHERE,
         "Not known: no instruction of the program raised it.");
    note(crash, EXPLAIN_WHY,
         number == SIGKILL
             ? "Somebody sent it: kill -9, a time limit, or the kernel when "
               "memory ran out. It cannot be caught, and no program sees it "
               "come."
             : "Somebody sent it to the program.");
    note(crash, EXPLAIN_NEXT,
         number == SIGKILL ? "`dmesg` says whether it was the kernel. The last "
                             "event before is what the program did until then."
                           : "The last event before is what the program did "
                             "until then.");
}

bool explain_death(const struct past *past, const struct view *view,
                   uint64_t index, struct explanation *out)
{
    const struct event *event = past->event(past->from, index);
    uint64_t exit = index, signal;
    struct crash crash;

    if (!event ||
        (event->kind == EVENT_SIGNAL && !find_exit(past, index, &exit)))
        return false;
    event = past->event(past->from, exit);
    if (!event || event->kind != EVENT_EXIT || !event->exit.signal.known ||
        was_quit(past, exit))
        return false;
    if (find_signal(past, exit, &signal)) {
        if (index != exit && signal != index)
            return false;
        crash_begin(&crash, past, view, signal, out);
        explain_signal(&crash);
    } else {
        if (index != exit)
            return false;
        crash_begin(&crash, past, view, exit, out);
        explain_unseen(&crash);
    }
    crash_end(&crash);
    return true;
}
