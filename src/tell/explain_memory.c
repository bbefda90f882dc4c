/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores that memory refused: a page without the permission, no page
 * at all, a pointer that is null or nearly so, a stack that is full.
 *
 * Where a register is to blame it is found from the operand that the address is
 * of. Of base and index that is the one that does not point to anything: a
 * small number on top of an address is an index, and a scaled address is none.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/calling.h"
#include "cpu/fault.h"
#include "tell/explain_parts.h"

/* A fault so far from the stack pointer may still be one of the stack: a local
 * array, or the red zone below. */
#define STACK_REACH 65536u

/* How far below a stack the guard page or the gap is in which it overflows
 * (the kernel keeps 256 pages free, stack_guard_gap). */
#define STACK_GAP (1u << 20)

/* What mmap(2) and mremap(2) return when they fail. */
#define FAILED ((uint64_t)-1)

/* What the access was, in the forms that sentences need. */
static const struct verb {
    const char *access; /* NULL: it is not known */
    unsigned needs;     /* PROT_* */
    const char *infinitive;
    const char *past;
    const char *lacking; /* what the page is then */
} verbs[] = {
    {"write", PROT_WRITE, "write to", "wrote to", "is not writable"},
    {"read", PROT_READ, "read from", "read from", "is not readable"},
    {"execute", PROT_EXEC, "execute", "went to", "may not be executed"},
    {NULL, 0, "access", "accessed", "does not allow it"},
};

static const struct verb *find_verb(const struct crash *crash)
{
    const struct verb *verb = verbs;

    while (verb->access && !word_is(crash->signal->access, verb->access))
        verb++;
    return verb;
}

void note_access(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value;
    const struct region *region = view_region_at(crash->view, addr);

    if (word_is(crash->signal->access, "execute")) {
        note_fetched(crash);
        return;
    }
    note_place(crash, "; it was to ");
    note(crash, WHERE, "%s %s", find_verb(crash)->infinitive,
         words_code(crash, addr));
    if (region && region->start == crash->base)
        note(crash, WHERE, ", 0x%" PRIx64, addr);
    note(crash, WHERE, ".");
}

/* --- pointers ------------------------------------------------------------ */

static bool holds_address(const struct crash *crash, enum reg reg)
{
    const char *mapped = crash->signal->mapped;

    return view_region_at(crash->view, crash->regs.value[reg]) ||
           (mapped && strstr(mapped, reg_name(reg)));
}

struct pointer pointer_of(const struct crash *crash,
                          const struct insn_operand *operand)
{
    struct pointer pointer = {.operand = operand};
    bool has_base, has_index;

    if (!operand)
        return pointer;
    has_base = operand->base < REG_COUNT && operand->base != REG_PC;
    has_index = operand->index < REG_COUNT;
    if (has_base && has_index) {
        bool base = holds_address(crash, operand->base);
        bool index =
            operand->scale == 1 && holds_address(crash, operand->index);

        has_base = !base || index;
        has_index = base || !index;
    }
    if (has_base)
        pointer.regs[pointer.count++] = operand->base;
    if (has_index)
        pointer.regs[pointer.count++] = operand->index;
    return pointer;
}

void note_pointer(struct crash *crash, const struct pointer *pointer,
                  uint64_t *seq)
{
    const struct insn_operand *operand = pointer->operand;

    if (!operand)
        return;
    if (pointer->count == 0 && operand->base == REG_PC)
        note(crash, WHY,
             "The address is %" PRId64 " bytes from the end of the "
             "instruction, which is the displacement in it. ",
             operand->displacement);
    else if (pointer->count == 0)
        note(crash, WHY, "The address is in the instruction itself. ");
    else
        note(crash, WHY, "The address is from %s",
             words_reg(crash, pointer->regs[0], crash->index, seq));
    if (pointer->count == 2)
        note(crash, WHY, ", and from %s",
             words_reg(crash, pointer->regs[1], crash->index, NULL));
    if (pointer->count && operand->segment < REG_COUNT)
        note(crash, WHY, "; the prefix of the instruction adds %s = 0x%" PRIx64,
             reg_name(operand->segment), crash->regs.value[operand->segment]);
    if (pointer->count)
        note(crash, WHY, ". ");
}

/* Whether one of the registers is 0. */
static bool is_null(const struct crash *crash, const struct pointer *pointer)
{
    for (unsigned i = 0; i < pointer->count; i++)
        if (crash->regs.value[pointer->regs[i]] == 0)
            return true;
    return false;
}

/* --- the stack ----------------------------------------------------------- */

bool explain_stack(struct crash *crash)
{
    const struct event_signal *signal = crash->signal;
    uint64_t addr = signal->addr.value, depth = 0, above;
    uint64_t sp = crash->regs.value[REG_STACK], seq = crash->event->seq;
    const struct frame *frame = view_frame(crash->view, crash->event->tid);
    const char *perms = signal->maps ? strchr(signal->maps, ' ') : NULL;
    const struct frame *call = NULL;

    /* Just below a stack nothing is mapped, or a guard page without any
     * permission, as pthread_create makes one. */
    if (signal->code == SI_KERNEL || !crash->regs_known || addr < LOWEST ||
        addr - (sp - STACK_REACH) > STACK_REACH + 4096 ||
        (perms ? strncmp(perms, " ---", 4) != 0
               : !signal->nearest ||
                     sscanf(signal->nearest, "%" SCNx64 "-", &above) != 1 ||
                     above <= addr || above - addr > STACK_GAP))
        return false;
    note_what(crash, "The stack is full: it looks like endless recursion");
    note_access(crash);
    note(crash, WHY, "%s = 0x%" PRIx64 " has reached the end of the stack: ",
         reg_name(REG_STACK), sp);
    if (signal->maps)
        note(crash, WHY,
             "the page there is its guard page, which allows "
             "nothing.");
    else
        note(crash, WHY, "nothing is mapped there, and next above is %s.",
             phrase_maps(&crash->phrases, signal->nearest));
    for (; frame; frame = frame->caller) {
        if (frame->kind == FRAME_CALLED && depth++ == 0)
            call = frame;
    }
    if (call) {
        seq = call->seq;
        note(crash, WHY,
             " In what was looked back at, %" PRIu64
             " call%s had not returned; the last one was %s.",
             depth, depth == 1 ? "" : "s", words_call(crash, call));
    }
    note(crash, NEXT,
         "Look for the branch that should end the recursion, and for what it "
         "compares. ");
    note_command(crash, seq);
    return true;
}

/* --- calls that had failed ----------------------------------------------- */

/* "mprotect at jit.c:14", "mprotect" */
static const char *words_refused(struct crash *crash, const struct event *event)
{
    struct phrases *phrases = &crash->phrases;
    const char *name = phrase_call(phrases, event->refused.call, "a call");
    const char *place = phrase_source(phrases, &event->source);

    return *place ? phrase(phrases, "%s at %s", name, place) : name;
}

/* The why line: the call and what was wrong with it. Returns its number. */
static uint64_t note_refused(struct crash *crash, const struct event *event)
{
    const struct event_refused *refused = &event->refused;

    note(crash, WHY, "%s failed with %s%s%s (event %" PRIu64 "). ",
         refused->call, refused->error ? refused->error : "an error",
         refused->why ? ": " : "", refused->why ? refused->why : "",
         event->seq);
    return event->seq;
}

/* The protection of the page, as it still is. */
static const char *words_still(struct crash *crash, uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);
    const char *maps = crash->signal->maps;
    const char *perms = maps ? strchr(maps, ' ') : NULL;

    if (region)
        return phrase_prot(region->prot);
    return perms ? phrase(&crash->phrases, "%.3s", perms + 1) : "as it was";
}

/* The next line of memory that code has not for itself, if it is. */
static bool note_shared(struct crash *crash)
{
    const char *maps = crash->signal->maps;
    const char *name = maps ? strchr(maps, '[') : NULL;

    if (name)
        note(crash, NEXT,
             "Memory of %s is shared with other data of the program: take code "
             "pages from mmap. ",
             name);
    return name;
}

bool explain_refusal(struct crash *crash)
{
    const char *access = crash->signal->access;
    uint64_t addr = crash->signal->addr.value, start = 0, seq;
    const char *maps = crash->signal->maps;
    const struct event *event;

    if (crash->signal->code == SI_KERNEL || !access ||
        !crash->signal->addr.known ||
        (!maps && !view_region_at(crash->view, addr)))
        return false;
    event = past_find_refused(crash, access, addr);
    if (!event)
        return false;
    note_what(crash,
              phrase(&crash->phrases,
                     "%s failed with %s, so the page is still "
                     "%s",
                     words_refused(crash, event),
                     event->refused.error ? event->refused.error : "an error",
                     words_still(crash, addr)));
    sscanf(event->refused.call, "%*[^(](%" SCNi64, &start);
    seq = note_refused(crash, event);
    note_access(crash);
    if (!note_shared(crash) && start % ARCH_PAGE_SIZE)
        note(crash, NEXT,
             "Give it the address of the page, 0x%" PRIx64
             ", and a length that reaches behind the code; and see what it "
             "returns. ",
             start - start % ARCH_PAGE_SIZE);
    else
        note(crash, NEXT, "See what it returns before going on. ");
    note_command(crash, seq);
    return true;
}

/* The operand that the address is of, and which of its registers is to blame. */
static struct pointer find_pointer(const struct crash *crash)
{
    const struct insn_operand *operand = NULL;

    if (crash->regs_known && crash->insn.length)
        operand = fault_operand(&crash->insn, &crash->regs,
                                crash->signal->addr.value);
    return pointer_of(crash, operand);
}

void note_address(struct crash *crash, uint64_t *seq)
{
    const struct pointer pointer = find_pointer(crash);

    note_pointer(crash, &pointer, seq);
}

/* Of an address of the lowest and highest there are: -1 and a distance, which
 * may have gone round to 0, where an mmap had failed. */
bool explain_map_failed(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value, seq;
    const struct pointer pointer = find_pointer(crash);
    const struct event *event = NULL;
    bool is_sure = addr == FAILED;
    const char *error;

    if (crash->signal->code != SI_KERNEL && crash->signal->addr.known &&
        addr - (FAILED - LOWEST) <= 2 * LOWEST && !is_null(crash, &pointer))
        event = past_find_failed_map(crash);
    if (!event)
        return false;
    for (unsigned i = 0; i < pointer.count; i++)
        is_sure |= crash->regs.value[pointer.regs[i]] == FAILED;
    error = event->refused.error ? event->refused.error : "an error";
    note_what(crash,
              phrase(&crash->phrases,
                     "%s failed with %s, and the program %s %s",
                     words_refused(crash, event), error, find_verb(crash)->past,
                     addr == FAILED ? "MAP_FAILED"
                     : is_sure      ? "MAP_FAILED and a distance"
                                    : "what looks like MAP_FAILED and a "
                                      "distance"));
    seq = note_refused(crash, event);
    note_access(crash);
    note(crash, WHY, "It returned MAP_FAILED, which is -1 and not NULL. ");
    if (addr != FAILED)
        note(crash, WHY, "0x%" PRIx64 " is %" PRId64 " bytes from that. ", addr,
             (int64_t)(addr - FAILED));
    note_pointer(crash, &pointer, NULL);
    crash->out->line[WHY].len--;
    note(crash, NEXT, "Compare what it returns with MAP_FAILED. ");
    note_command(crash, seq);
    return true;
}

/* If a string instruction goes downwards. Returns whether it does. */
static bool note_direction(struct crash *crash, uint64_t *seq)
{
    uint64_t index = crash->index;
    const struct event *event;
    struct seen step;

    if (!crash->regs_known || !fault_goes_down(&crash->insn, &crash->regs))
        return false;
    note(crash, WHY, "The direction flag (DF) is set, so that %s goes down. ",
         crash->insn.mnemonic);
    while ((event = past_find(crash, PAST(STEP), &index)))
        for (size_t i = 0; i < event->step.regs.count; i++) {
            const struct reg_change *change = &event->step.regs.list[i];

            if (change->reg != REG_FLAGS ||
                fault_is_down(change->old_value) ==
                    fault_is_down(change->new_value))
                continue;
            if (!fault_is_down(change->new_value))
                return true;
            seen_from(event, index, &step);
            *seq = step.seq;
            note(crash, WHY, "%s set it. ", words_seen(crash, &step));
            return true;
        }
    return true;
}

/* --- beyond the end ------------------------------------------------------ */

/* The mapping that the address lies just behind, or just below; NULL: it lies
 * at the edge of none, or in it. *end is that edge. */
static const struct region *find_edge(const struct crash *crash, uint64_t *end)
{
    uint64_t addr = crash->signal->addr.value;
    uint64_t first = addr - addr % ARCH_PAGE_SIZE;
    const struct region *at = view_region_at(crash->view, addr), *region = NULL;

    *end = first;
    if (addr - first < EXPLAIN_EDGE)
        region = view_region_at(crash->view, first - 1);
    if (!region && first + ARCH_PAGE_SIZE - addr <= EXPLAIN_EDGE) {
        *end = first + ARCH_PAGE_SIZE;
        region = view_region_at(crash->view, *end);
        if (region && region->start != *end)
            region = NULL;
    }
    /* A page of the same mapping that allows nothing is a guard behind it. */
    return region && at && at->mapping == region->mapping && at->prot ? NULL
                                                                      : region;
}

static bool explain_edge(struct crash *crash, const struct pointer *pointer)
{
    uint64_t addr = crash->signal->addr.value, end, seq = 0;
    const struct region *region = find_edge(crash, &end);
    const char *place, *side = addr < end ? "below" : "behind";
    const struct region *at;
    const struct event *event;
    bool down, is_part;

    if (!region)
        return false;
    at = view_region_at(crash->view, addr);
    is_part = at && at->mapping == region->mapping;
    note_what(crash, phrase(&crash->phrases, "The program %s memory %s",
                            find_verb(crash)->past,
                            addr < end ? "below the beginning of a mapping"
                            : is_part  ? "behind the part of a mapping that "
                                         "may be accessed"
                                       : "behind the end of a mapping"));
    note_access(crash);
    note(crash, WHY, "0x%" PRIx64 " is %s the %s 0x%" PRIx64 "-0x%" PRIx64,
         addr,
         addr == end       ? "the first byte behind"
         : addr + 1 == end ? "the last byte below"
                           : phrase(&crash->phrases, "%" PRIu64 " bytes %s",
                                    addr < end ? end - addr : addr - end, side),
         is_part ? "pages" : "mapping", is_part ? region->addr : region->start,
         addr < end ? region->addr + region->length : end);
    event = past_find_at(crash, EVENT_MAP, region->start);
    if (event && event->map.call) {
        seq = event->seq;
        place = phrase_source(&crash->phrases, &event->source);
        note(crash, WHY, ", %s %s%s%s (event %" PRIu64 ") made",
             is_part ? "of the mapping that" : "which", event->map.call,
             *place ? " at " : "", place, seq);
    }
    note(crash, WHY, ". There: %s. ", words_page(crash, addr));
    note_pointer(crash, pointer, NULL);
    down = note_direction(crash, &seq);
    crash->out->line[WHY].len--;
    note(crash, NEXT,
         down         ? "DF must be clear at a call and at a return: cld. "
         : addr < end ? "See what should stop it at the beginning. "
                      : "Ask for more memory, or stop at its end. ");
    note_command(crash, seq ? seq : crash->event->seq);
    return true;
}

/* --- all others ---------------------------------------------------------- */

/* What an address is where nothing is mapped. */
static const char *words_nowhere(struct crash *crash,
                                 const struct pointer *pointer)
{
    uint64_t addr = crash->signal->addr.value;
    bool null = is_null(crash, pointer);

    if (addr == 0 && (null || pointer->count == 0))
        return "address 0: a null pointer";
    if (addr + LOWEST < 2 * LOWEST && null)
        return "an address next to 0: it looks like a null pointer and a "
               "distance";
    if (addr < LOWEST)
        return phrase(&crash->phrases,
                      "0x%" PRIx64 ", a number too small to be an address",
                      addr);
    if (addr == FAILED)
        return "-1, which is no address: calls return it for an error";
    if (addr >= ARCH_USER_END)
        return "an address that no program has";
    return "an address where nothing is mapped";
}

/* If generated code called what failed: with which arguments, and where the
 * one is from that is an address next to that which failed. */
static void note_caller(struct crash *crash, uint64_t *seq)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct way *way = &crash->way;
    const uint64_t addr = crash->signal->addr.value;
    unsigned shown = 0;

    if (way->kind != WAY_AWAY || !way->called || !way->step.known || !thread)
        return;
    *seq = way->step.seq;
    note(crash, WHY, "Generated code had called it: %s",
         words_seen(crash, &way->step));
    for (unsigned i = 0; i < REG_ARGUMENTS && shown < 2; i++) {
        enum reg reg = reg_argument[i];
        uint64_t value = thread->regs.value[reg];

        if (addr - value + ARCH_PAGE_SIZE >= 2 * ARCH_PAGE_SIZE)
            continue;
        note(crash, WHY, ", with %s",
             words_value(crash, reg, value, way->step.index, true, seq));
        shown = 2;
    }
    for (; shown < 2; shown++)
        note(crash, WHY, "%s%s = %s", shown ? ", " : ", with ",
             reg_name(reg_argument[shown]),
             phrase_value(&crash->phrases,
                          thread->regs.value[reg_argument[shown]]));
    note(crash, WHY, ". ");
}

/* If generated code returned with what a function must leave as it was. */
static void note_broken(struct crash *crash, const struct pointer *pointer,
                        uint64_t *seq)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct event *enter;
    struct seen step;

    for (unsigned i = 0; i < pointer->count; i++) {
        enum reg reg = pointer->regs[i];
        const char *name = reg_name(reg);

        if (crash->way.kind != WAY_AWAY || crash->way.called || !thread ||
            thread->regs.value[reg] != crash->regs.value[reg] ||
            !past_find_broken(crash, reg, &step, &enter))
            continue;
        note(crash, WHY,
             "Generated code left it so when it returned: %s set it, and %s "
             "was %s when control came in (event %" PRIu64
             "); a function must leave %s as it was. ",
             words_seen(crash, &step), name,
             phrase_value(&crash->phrases, enter->enter.regs.value[reg]),
             enter->seq, name);
        *seq = step.seq;
    }
}

/* A page that does not allow it. Returns whether all is said. */
static bool note_forbidden(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value;
    const struct region *region = view_region_at(crash->view, addr);
    const struct protection *origin = view_protection(crash->view, addr);
    const struct verb *verb = find_verb(crash);

    note(crash, WHY, "There: %s. ", words_page(crash, addr));
    if (crash->signal->code == SEGV_PKUERR) {
        note(crash, WHY, "Its protection key forbids it (pkeys(7)). ");
        note(crash, NEXT, "Allow it with pkey_set() before. ");
    } else if (region && region->prot & verb->needs) {
        note(crash, WHY, "Another thread may have changed it meanwhile. ");
    } else if (region && verb->needs == PROT_WRITE) {
        if (!note_shared(crash) && !note_other(crash, addr, PROT_WRITE))
            note(
                crash, NEXT,
                "Store before that, or call mprotect(0x%" PRIx64 ", %" PRIu64
                ", PROT_READ | PROT_WRITE) first, and make it executable again "
                "afterwards. ",
                region->addr, region->length);
        note_command(crash,
                     origin && origin->call ? origin->seq : crash->event->seq);
        return true;
    }
    return false;
}

bool explain_access(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value, seq = crash->event->seq;
    const struct verb *verb = find_verb(crash);
    const struct pointer pointer = find_pointer(crash);
    bool is_mapped = view_region_at(crash->view, addr) || crash->signal->maps;

    if (verb->needs == PROT_EXEC)
        return false;
    if (explain_edge(crash, &pointer))
        return true;
    note_what(crash, phrase(&crash->phrases, "The program %s %s%s", verb->past,
                            is_mapped ? "a page that "
                                      : words_nowhere(crash, &pointer),
                            !is_mapped ? ""
                            : !strcmp(words_still(crash, addr), "---")
                                ? "allows no access, as a guard page does"
                                : verb->lacking));
    note_access(crash);
    note_caller(crash, &seq);
    if (!is_mapped || !note_forbidden(crash)) {
        note_pointer(crash, &pointer, &seq);
        note_broken(crash, &pointer, &seq);
        if (note_direction(crash, &seq))
            note(crash, NEXT,
                 "DF must be clear at a call and at a return: cld. ");
        note_twin(crash);
        if (!is_mapped)
            note(crash, WHY, "At that address: %s. ", words_page(crash, addr));
        note_command(crash, seq);
    }
    crash->out->line[WHY].len--;
    return true;
}
