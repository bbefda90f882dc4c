/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores that failed: a page without the permission, no page at all,
 * a pointer that is null or nearly so, a stack that is full.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cpu/fault.h"
#include "tell/explain_parts.h"

/* A fault so far from the stack pointer may still be one of the stack: a local
 * array, or the red zone below. */
#define STACK_REACH 65536u

/* How far below a stack the guard page or the gap is in which it overflows
 * (the kernel keeps 256 pages free, stack_guard_gap). */
#define STACK_GAP (1u << 20)

/* What the access was, in the forms that sentences need. */
static const struct verb {
    const char *access; /* NULL: it is not known */
    const char *infinitive;
    const char *past;
    const char *lacking; /* what the page is then */
} verbs[] = {
    {"write", "write to", "wrote to", "is not writable"},
    {"read", "read from", "read from", "is not readable"},
    {NULL, "access", "accessed", "does not allow it"},
};

static const struct verb *verb_of(const struct crash *crash)
{
    const struct verb *verb = verbs;

    while (verb->access && !word_is(crash->signal->access, verb->access))
        verb++;
    return verb;
}

static void note_access(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value;
    const struct region *region = view_region_at(crash->view, addr);

    note_place(crash);
    note(crash, WHERE, "; it was to %s %s", verb_of(crash)->infinitive,
         words_code(crash, addr));
    if (region && region->start == crash->base)
        note(crash, WHERE, ", 0x%" PRIx64, addr);
    note(crash, WHERE, ".");
}

/* The register that the address is computed from: of two the one that is the
 * nearer to it. REG_NONE: it is not known. */
static enum reg pointer_of(const struct crash *crash)
{
    const struct insn_operand *operand = NULL;
    uint64_t base, index;

    if (crash->regs_known && crash->insn.length)
        operand = fault_operand(&crash->insn, &crash->regs,
                                crash->signal->addr.value);
    if (!operand)
        return REG_NONE;
    if (operand->index >= REG_COUNT || operand->base >= REG_COUNT)
        return operand->base < REG_COUNT ? operand->base : operand->index;
    base = crash->regs.value[operand->base];
    index = crash->regs.value[operand->index] * operand->scale;
    return index > base && index < 1ull << 47 ? operand->index : operand->base;
}

/* Which register held the address and where that is from. Returns the event to
 * look at. */
static uint64_t note_pointer(struct crash *crash)
{
    uint64_t seq = crash->event->seq;
    enum reg reg = pointer_of(crash);

    if (reg < REG_COUNT && reg != REG_PC)
        note(crash, WHY, "The address is from %s%s. ", words_reg(crash, reg),
             crash->code ? words_origin(crash, reg, crash->index, &seq) : "");
    return seq;
}

/* If generated code called what failed: with which arguments. */
static void note_caller(struct crash *crash)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct way *way = &crash->way;

    if (way->kind != WAY_AWAY || !way->called || !way->step.known)
        return;
    note(crash, WHY, "Generated code had called it: %s",
         words_seen(crash, &way->step));
    for (int i = 0; thread && i < 2; i++)
        note(
            crash, WHY, "%s%s = %s", i ? ", " : ", with ",
            reg_name(reg_argument[i]),
            phrase_value(&crash->phrases, thread->regs.value[reg_argument[i]]));
    note(crash, WHY, ". ");
}

/* What to look at: the event that made the address. */
static void note_next(struct crash *crash, uint64_t seq)
{
    const struct way *way = &crash->way;

    if (seq == crash->event->seq && way->kind == WAY_AWAY && way->step.known)
        seq = way->step.seq;
    note(crash, NEXT, "%s %s", words_command(crash, seq),
         seq == crash->event->seq ? "the registers at that moment."
         : seq == way->step.seq   ? "the call, and its arguments."
                                  : "where the value comes from.");
}

/* Whether the address is just below a stack: nothing is there, or a guard page
 * without any permission, as pthread_create makes one. */
static bool is_below_stack(const struct event_signal *signal)
{
    const char *perms = signal->maps ? strchr(signal->maps, ' ') : NULL;
    uint64_t addr = signal->addr.value, start;

    if (perms)
        return strncmp(perms, " ---", 4) == 0;
    return signal->nearest &&
           sscanf(signal->nearest, "%" SCNx64 "-", &start) == 1 &&
           start > addr && start - addr <= STACK_GAP;
}

bool explain_stack(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value, depth = 0;
    uint64_t sp = crash->regs.value[REG_STACK], seq = crash->event->seq;
    const struct frame *frame = view_frame(crash->view, crash->event->tid);
    struct seen call = {0};

    if (crash->signal->number != SIGSEGV || crash->signal->code == SI_KERNEL ||
        !crash->regs_known || addr < LOWEST ||
        addr - (sp - STACK_REACH) > STACK_REACH + 4096 ||
        !is_below_stack(crash->signal))
        return false;
    note_what(crash, "The stack is full: it looks like endless recursion");
    note_access(crash);
    note(crash, WHY, "%s = 0x%" PRIx64 " has reached the end of the stack: ",
         reg_name(REG_STACK), sp);
    if (crash->signal->maps)
        note(crash, WHY,
             "the page there is its guard page, which allows "
             "nothing.");
    else
        note(crash, WHY, "nothing is mapped there, and next above is %s.",
             words_maps(crash, crash->signal->nearest));
    for (; frame; frame = frame->caller) {
        if (frame->kind != FRAME_CALLED || depth++ > 0)
            continue;
        call = (struct seen){.seq = frame->seq,
                             .insn = {.addr = frame->from.value}};
        view_decode(crash->view, frame->from.value, &call.insn);
    }
    if (depth > 0) {
        seq = call.seq;
        note(crash, WHY,
             " In what was looked back at, %" PRIu64
             " call%s had not returned; the last one was %s.",
             depth, depth == 1 ? "" : "s", words_seen(crash, &call));
    }
    note(crash, NEXT,
         "Look for the branch that should end the recursion, and for what it "
         "compares. %s %s",
         words_command(crash, seq),
         seq == crash->event->seq ? "that moment."
                                  : "the last call that was watched.");
    return true;
}

/* --- all others ---------------------------------------------------------- */

bool explain_access(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value, seq;
    const struct region *region = view_region_at(crash->view, addr);
    const struct protection *origin = view_protection(crash->view, addr);
    bool is_mapped = region || crash->signal->maps;
    bool is_null = addr < LOWEST || addr >= (uint64_t)-4096;
    const struct verb *verb = verb_of(crash);

    if (crash->signal->number != SIGSEGV || crash->signal->code == SI_KERNEL ||
        word_is(crash->signal->access, "execute"))
        return false;
    note_what(crash,
              phrase(&crash->phrases, "The program %s %s%s", verb->past,
                     is_mapped   ? "a page that "
                     : addr == 0 ? "address 0: a null pointer"
                     : is_null   ? "an address next to 0: it looks like a null "
                                   "pointer and a distance"
                                 : "an address where nothing is mapped",
                     is_mapped ? verb->lacking : ""));
    note_access(crash);
    note_caller(crash);
    if (!is_mapped) {
        seq = note_pointer(crash);
        note(crash, WHY, "At that address: %s.", words_page(crash, addr));
        note_next(crash, seq);
        return true;
    }
    note(crash, WHY, "There: %s.", words_page(crash, addr));
    if (!region || !word_is(verb->access, "write")) {
        note(crash, WHY, " ");
        note_next(crash, note_pointer(crash));
        return true;
    }
    note(crash, NEXT,
         "Store before that call, or call mprotect(0x%" PRIx64 ", %" PRIu64
         ", PROT_READ | PROT_WRITE) first, and make it executable again "
         "afterwards. %s %s",
         region->addr, region->length,
         words_command(crash, origin && origin->call ? origin->seq
                                                     : crash->event->seq),
         origin && origin->call ? "that call." : "the page.");
    return true;
}
