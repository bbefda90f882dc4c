/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores that failed: a page without the permission, no page at all,
 * a pointer that is null or nearly so, a stack that is full.
 */
#include "tell/explain_parts.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/effect.h"
#include "cpu/fault.h"

/* Below this nothing can be mapped by default (vm.mmap_min_addr, proc(5)). */
#define LOWEST 65536u

/* A fault so far from the stack pointer may still be one of the stack: a local
 * array, or the red zone below. */
#define STACK_REACH 65536u

/* How far below a stack the guard page or the gap is in which it overflows
 * (the kernel keeps 256 pages free, stack_guard_gap). */
#define STACK_GAP (1u << 20)

static const char *verb(const struct event_signal *signal)
{
    return access_is(signal, "write")  ? "write to"
           : access_is(signal, "read") ? "read from"
                                       : "access";
}

/* "; it was to write to code[24]." */
static void note_access(const struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value;
    const struct region *region = view_region_at(crash->view, addr);

    note_place(crash);
    note(crash, EXPLAIN_WHERE, "; it was to %s ", verb(crash->signal));
    note_code(crash, EXPLAIN_WHERE, addr);
    if (region && region->start == crash->base)
        note(crash, EXPLAIN_WHERE, ", 0x%" PRIx64, addr);
    note(crash, EXPLAIN_WHERE, ".");
}

/* The memory operand that did it, or NULL. */
static const struct insn_operand *guilty(const struct crash *crash)
{
    return crash->regs_known && crash->insn.length
               ? fault_operand(&crash->insn, &crash->regs,
                               crash->signal->addr.value)
               : NULL;
}

/* The register that the address is computed from: of two the one that is the
 * nearer to it. */
static enum reg pointer_of(const struct crash *crash,
                           const struct insn_operand *operand)
{
    uint64_t base, index;

    if (operand->index >= REG_COUNT || operand->base >= REG_COUNT)
        return operand->base < REG_COUNT ? operand->base : operand->index;
    base = crash->regs.value[operand->base];
    index = crash->regs.value[operand->index] * operand->scale;
    return index > base && index < 1ull << 47 ? operand->index : operand->base;
}

/* Which register held the address and where that is from. Returns the event to
 * look at. */
static uint64_t note_pointer(const struct crash *crash)
{
    const struct insn_operand *operand = guilty(crash);
    enum reg reg = operand ? pointer_of(crash, operand) : REG_NONE;
    struct seen seen;
    struct entry entry;

    if (reg >= REG_COUNT || reg == REG_PC)
        return crash->event->seq;
    note(crash, EXPLAIN_WHY, "The address is from ");
    note_reg(crash, EXPLAIN_WHY, reg);
    if (!crash->code) {
        note(crash, EXPLAIN_WHY, ". ");
        return crash->event->seq;
    }
    note_reg_origin(crash, EXPLAIN_WHY, reg, crash->index);
    note(crash, EXPLAIN_WHY, ". ");
    if (past_find_change(crash, reg, crash->index, &seen, &entry))
        return seen.seq;
    return entry.known ? entry.seq : crash->event->seq;
}

/* If generated code called what failed: with which arguments. */
static void note_caller(const struct crash *crash)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct way *way = &crash->way;

    if (way->kind != WAY_AWAY || (way->how != 'c' && way->how != 'j') ||
        !way->step.known)
        return;
    note(crash, EXPLAIN_WHY, "Generated code had called it: ");
    note_seen(crash, EXPLAIN_WHY, &way->step);
    for (int i = 0; thread && i < 2; i++) {
        note(crash, EXPLAIN_WHY, "%s%s = ", i ? ", " : ", with ",
             reg_name(reg_argument[i]));
        value_describe(thread->regs.value[reg_argument[i]], 64,
                       &crash->out->line[EXPLAIN_WHY]);
    }
    note(crash, EXPLAIN_WHY, ". ");
}

/* What to look at: the event that made the address. */
static void note_next(const struct crash *crash, uint64_t seq)
{
    const struct way *way = &crash->way;

    if (seq == crash->event->seq && way->kind == WAY_AWAY && way->step.known)
        seq = way->step.seq;
    note_command(crash, EXPLAIN_NEXT, seq);
    note(crash, EXPLAIN_NEXT,
         seq == crash->event->seq ? " the registers at that moment."
         : seq == way->step.seq   ? " the call, and its arguments."
                                  : " where the value comes from.");
}

/* --- the stack ----------------------------------------------------------- */

/* The start of the mapping in a line of maps. */
static bool maps_start(const char *maps, uint64_t *start)
{
    return maps && sscanf(maps, "%" SCNx64 "-", start) == 1;
}

/* Whether the address is just below a stack: nothing is there, or a guard page
 * without any permission, as pthread_create makes one. */
static bool is_below_stack(const struct crash *crash)
{
    const struct event_signal *signal = crash->signal;
    uint64_t addr = signal->addr.value, start;
    const char *perms = signal->maps ? strchr(signal->maps, ' ') : NULL;

    if (perms)
        return strncmp(perms, " ---", 4) == 0;
    return maps_start(signal->nearest, &start) && start > addr &&
           start - addr <= STACK_GAP;
}

/* The calls that are open, as far as they were watched. Returns the event to
 * look at. */
static uint64_t note_recursion(const struct crash *crash)
{
    struct seen call;
    uint64_t depth = past_depth(crash, &call);

    if (depth == 0)
        return crash->event->seq;
    note(crash, EXPLAIN_WHY,
         " In what was looked back at, %" PRIu64
         " call%s had not returned; the last one was ",
         depth, depth == 1 ? "" : "s");
    note_seen(crash, EXPLAIN_WHY, &call);
    note(crash, EXPLAIN_WHY, ".");
    return call.seq;
}

static void note_above(const struct crash *crash)
{
    note(crash, EXPLAIN_WHY, "nothing is mapped there, and next above is ");
    note_maps(crash, EXPLAIN_WHY, crash->signal->nearest);
    note(crash, EXPLAIN_WHY, ".");
}

bool explain_stack(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value, sp, seq;

    if (crash->signal->number != SIGSEGV || crash->signal->code == SI_KERNEL ||
        !crash->regs_known || addr < LOWEST)
        return false;
    sp = crash->regs.value[REG_STACK];
    if (addr - (sp - STACK_REACH) > STACK_REACH + 4096 ||
        !is_below_stack(crash))
        return false;
    note(crash, EXPLAIN_WHAT,
         "The stack is full: it looks like endless "
         "recursion");
    note_signal(crash);
    note_access(crash);
    note(crash, EXPLAIN_WHY,
         "%s = 0x%" PRIx64 " has reached the end of the "
         "stack: ",
         reg_name(REG_STACK), sp);
    if (crash->signal->maps)
        note(crash, EXPLAIN_WHY,
             "the page there is its guard page, which "
             "allows nothing.");
    else
        note_above(crash);
    seq = note_recursion(crash);
    note(crash, EXPLAIN_NEXT,
         "Look for the branch that should end the recursion, and for what it "
         "compares. ");
    note_command(crash, EXPLAIN_NEXT, seq);
    note(crash, EXPLAIN_NEXT,
         seq == crash->event->seq ? " that moment."
                                  : " the last call that was watched.");
    return true;
}

/* --- all others ---------------------------------------------------------- */

static bool is_mapped(const struct crash *crash)
{
    return view_region_at(crash->view, crash->signal->addr.value) ||
           crash->signal->maps;
}

static void explain_forbidden(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value;
    const struct region *region = view_region_at(crash->view, addr);
    bool is_write = access_is(crash->signal, "write");

    note(crash, EXPLAIN_WHAT, "The program %s a page that %s",
         is_write                           ? "wrote to"
         : access_is(crash->signal, "read") ? "read from"
                                            : "accessed",
         is_write                           ? "is not writable"
         : access_is(crash->signal, "read") ? "is not readable"
                                            : "does not allow it");
    note_signal(crash);
    note_access(crash);
    note_caller(crash);
    note(crash, EXPLAIN_WHY, "There: ");
    note_protection(crash, EXPLAIN_WHY, addr);
    note(crash, EXPLAIN_WHY, ".");
    if (region && is_write) {
        note(crash, EXPLAIN_NEXT,
             "Store before that call, or call mprotect(0x%" PRIx64 ", %" PRIu64
             ", PROT_READ | PROT_WRITE) first, and make it executable again "
             "afterwards. ",
             region->addr, region->length);
        note_command(crash, EXPLAIN_NEXT,
                     region->origin.call ? region->origin.seq
                                         : crash->event->seq);
        note(crash, EXPLAIN_NEXT,
             region->origin.call ? " that call." : " the page.");
        return;
    }
    note(crash, EXPLAIN_WHY, " ");
    note_next(crash, note_pointer(crash));
}

static void explain_unmapped(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value, seq;
    bool is_null = addr < LOWEST || addr >= (uint64_t)-4096;

    note(crash, EXPLAIN_WHAT, "The program %s %s",
         access_is(crash->signal, "write")  ? "wrote to"
         : access_is(crash->signal, "read") ? "read from"
                                            : "accessed",
         is_null ? addr == 0 ? "address 0: a null pointer"
                             : "an address next to 0: it looks like a null "
                               "pointer and a distance"
                 : "an address where nothing is mapped");
    note_signal(crash);
    note_access(crash);
    note_caller(crash);
    seq = note_pointer(crash);
    note(crash, EXPLAIN_WHY, "At that address: ");
    note_unmapped(crash, EXPLAIN_WHY, addr);
    note(crash, EXPLAIN_WHY, ".");
    note_next(crash, seq);
}

bool explain_access(struct crash *crash)
{
    if (crash->signal->number != SIGSEGV || crash->signal->code == SI_KERNEL ||
        access_is(crash->signal, "execute"))
        return false;
    if (is_mapped(crash))
        explain_forbidden(crash);
    else
        explain_unmapped(crash);
    return true;
}
