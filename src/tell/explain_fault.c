/* SPDX-License-Identifier: MIT */
/*
 * What an instruction could not do: load from or store to a page without the
 * permission, no page at all, a pointer that is null or nearly so, a stack that
 * is full; divide; be decoded; use an address that is none.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cpu/fault.h"
#include "cpu/calling.h"
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

/* The where line. Returns what the access was. */
static const struct verb *note_access(struct crash *crash)
{
    uint64_t addr = crash->signal->addr.value;
    const struct region *region = view_region_at(crash->view, addr);
    const struct verb *verb = verbs;

    while (verb->access && !word_is(crash->signal->access, verb->access))
        verb++;
    note_place(crash, "; it was to ");
    note(crash, WHERE, "%s %s", verb->infinitive, words_code(crash, addr));
    if (region && region->start == crash->base)
        note(crash, WHERE, ", 0x%" PRIx64, addr);
    note(crash, WHERE, ".");
    return verb;
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

bool explain_stack(struct crash *crash)
{
    const struct event_signal *signal = crash->signal;
    uint64_t addr = signal->addr.value, depth = 0, above;
    uint64_t sp = crash->regs.value[REG_STACK], seq = crash->event->seq;
    const struct frame *frame = view_frame(crash->view, crash->event->tid);
    const char *perms = signal->maps ? strchr(signal->maps, ' ') : NULL;
    struct seen call = {0};

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
         "compares. ");
    note_command(crash, seq,
                 seq == crash->event->seq ? "that moment."
                                          : "the last call that was watched.");
    return true;
}

bool explain_access(struct crash *crash)
{
    const struct way *way = &crash->way;
    uint64_t addr = crash->signal->addr.value, seq = crash->event->seq;
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct region *region = view_region_at(crash->view, addr);
    const struct protection *origin = view_protection(crash->view, addr);
    bool is_mapped = region || crash->signal->maps;
    bool is_null = addr < LOWEST || addr >= (uint64_t)-4096;
    const char *page = words_page(crash, addr);
    const struct verb *verb;
    enum reg reg;

    if (word_is(crash->signal->access, "execute"))
        return false;
    verb = note_access(crash);
    note_what(crash,
              phrase(&crash->phrases, "The program %s %s%s", verb->past,
                     is_mapped   ? "a page that "
                     : addr == 0 ? "address 0: a null pointer"
                     : is_null   ? "an address next to 0: it looks like a null "
                                   "pointer and a distance"
                                 : "an address where nothing is mapped",
                     is_mapped ? verb->lacking : ""));
    /* If generated code called what failed: with which arguments. */
    if (way->kind == WAY_AWAY && way->called && way->step.known) {
        note(crash, WHY, "Generated code had called it: %s",
             words_seen(crash, &way->step));
        for (int i = 0; thread && i < 2; i++)
            note(crash, WHY, "%s%s = %s", i ? ", " : ", with ",
                 reg_name(reg_argument[i]),
                 phrase_value(&crash->phrases,
                              thread->regs.value[reg_argument[i]]));
        note(crash, WHY, ". ");
    }
    if (is_mapped)
        note(crash, WHY, "There: %s.", page);
    if (region && word_is(verb->access, "write")) {
        note(crash, NEXT,
             "Store before that call, or call mprotect(0x%" PRIx64 ", %" PRIu64
             ", PROT_READ | PROT_WRITE) first, and make it executable again "
             "afterwards. ",
             region->addr, region->length);
        if (origin && origin->call)
            note_command(crash, origin->seq, "that call.");
        else
            note_command(crash, seq, "the page.");
        return true;
    }
    if (is_mapped)
        note(crash, WHY, " ");
    reg = pointer_of(crash);
    if (reg < REG_COUNT && reg != REG_PC)
        note(crash, WHY, "The address is from %s. ",
             words_reg(crash, reg, crash->code ? crash->index : 0, &seq));
    if (!is_mapped)
        note(crash, WHY, "At that address: %s.", page);
    if (seq == crash->event->seq && way->kind == WAY_AWAY && way->step.known)
        seq = way->step.seq;
    note_command(crash, seq,
                 seq == crash->event->seq ? "the registers at that moment."
                 : seq == way->step.seq   ? "the call, and its arguments."
                                          : "where the value comes from.");
    return true;
}

bool explain_division(struct crash *crash)
{
    struct fault_division division = {0};
    const struct insn *insn = &crash->insn;
    bool known = insn->length && crash->regs_known &&
                 fault_division(insn, &crash->regs, &division) &&
                 division.known;
    const struct insn_operand *divisor = division.divisor;
    struct buf *why = &crash->out->line[WHY], upper = {0}, lower = {0};
    uint64_t seq = crash->event->seq;

    note_what(crash,
              !known ? "Division by zero, or a quotient that is too large"
              : division.is_zero ? "Division by zero"
                                 : "A division whose quotient is too large");
    note_place(crash, ".");
    if (!known) {
        note(crash, WHY,
             "The CPU raises the same for both; the divisor is in memory.");
    } else if (division.is_zero) {
        if (divisor->bits != 64) {
            reg_part_name(divisor->reg, divisor->bits, divisor->high, why);
            note(crash, WHY, " is 0, a part of ");
        }
        note(crash, WHY, "%s.",
             words_reg(crash, divisor->reg, crash->index, &seq));
        note(crash, NEXT, "Test the divisor before, or see why it is 0. ");
    } else {
        fault_division_halves(insn, &upper, &lower);
        fault_division_text(insn, &crash->regs, why);
        note(crash, WHY,
             " does not fit in %u bits, which %s has. The dividend is %s:%s, "
             "and %s.",
             divisor->bits, buf_text(&lower), buf_text(&upper),
             buf_text(&lower),
             words_reg(crash, division.upper, crash->index, NULL));
        if (division.stale_half)
            note(crash, NEXT,
                 "%s does not go with %s; before %s it is set %s. ",
                 buf_text(&upper), buf_text(&lower), insn->mnemonic,
                 fault_division_extension(insn));
        else
            note(crash, NEXT,
                 "The smallest number divided by -1 has no result of that "
                 "size: test for it before. ");
        buf_release(&upper);
        buf_release(&lower);
    }
    note_command(crash, seq,
                 seq == crash->event->seq ? "the registers at that moment."
                                          : "where the value comes from.");
    return true;
}

bool explain_opcode(struct crash *crash)
{
    size_t bad = fault_bad_length(crash->bytes.data, crash->bytes.len);
    unsigned first = 0, last = bad ? (unsigned)bad - 1 : 0;
    const char *mnemonic = crash->insn.mnemonic, *place;
    const struct event *store;

    note_what(crash, "The CPU does not know this instruction, or may not "
                     "execute it");
    if (crash->insn.length == 0 && bad)
        crash->bytes.len = bad;
    note_place(crash, "; the CPU refused the byte");
    for (unsigned i = 0; i < crash->insn.field_count; i++)
        if (crash->insn.fields[i].kind == FIELD_OPCODE) {
            first = crash->insn.fields[i].offset;
            last = first + crash->insn.fields[i].size - 1;
        }
    note(crash, WHERE, "%s %s", first == last ? "" : "s",
         words_code(crash, crash->pc + first));
    if (first != last)
        note(crash, WHERE, " to %s", words_code(crash, crash->pc + last));
    note(crash, WHERE, ".");
    if (crash->insn.length == 0)
        note(crash, WHY, "These bytes are no instruction of 64-bit mode.");
    else if (strncmp(mnemonic, "ud", 2) == 0)
        note(crash, WHY,
             "%s is there to be undefined: compilers put it where control must "
             "never come.",
             mnemonic);
    else
        note(crash, WHY,
             "%s is an instruction, but not of this CPU, or not with these "
             "operands or prefixes.",
             mnemonic);
    store = past_find_at(crash, EVENT_WRITE, crash->pc + last);
    if (!store) {
        note_command(crash, crash->event->seq, "the code at that moment.");
        return true;
    }
    place = phrase_source(&crash->phrases, &store->source);
    note(crash, WHY, " Event %" PRIu64 " stored %s%s%s.", store->seq,
         words_code(crash, crash->pc + last), *place ? ", " : "", place);
    note_command(crash, store->seq, "that store.");
    return true;
}

bool explain_trap(struct crash *crash)
{
    bool is_insn = crash->insn.length && crash->insn.bytes[0] == trap_insn;
    const struct seen *step = &crash->way.step;

    note_what(crash, is_insn ? "A breakpoint instruction, and nobody who waits "
                               "for it"
                             : "A trap that nobody handles");
    note_place(crash, ".");
    note(crash, WHY,
         is_insn ? "int3 raises SIGTRAP. It is a debugger's, or the filling "
                   "between functions: then the code before it ran on without "
                   "a ret."
                 : "The CPU raises it after an instruction with the trap flag "
                   "set, or at int1.");
    if (step->known)
        note(crash, WHY, " The instruction before was %s.",
             words_seen(crash, step));
    note_command(crash, step->known ? step->seq : crash->event->seq,
                 "how it came there.");
    return true;
}

bool explain_general(struct crash *crash)
{
    const struct seen *step = &crash->way.step;
    uint64_t sp = crash->regs.value[REG_STACK];
    struct insn_access access = {0};
    enum fault_protection why = FAULT_UNCLEAR;
    const struct insn *insn = &crash->insn;
    uint8_t i = 0;

    note_what(crash, "The CPU refused an instruction (general protection); "
                     "there is no page to blame");
    note_place(crash, ".");
    if (insn->length && crash->regs_known)
        why = fault_protection(insn, &crash->regs, &access);
    switch (why) {
    case FAULT_NOT_CANONICAL:
        note(crash, WHY,
             "0x%" PRIx64
             " is no address: its upper 17 bits must all be the same. ",
             access.addr);
        while (i < insn->operand_count &&
               (insn->operands[i].kind != OPERAND_MEMORY ||
                insn->operands[i].base >= REG_COUNT))
            i++;
        if (i < insn->operand_count)
            note(crash, WHY, "%s.",
                 words_reg(crash, insn->operands[i].base,
                           crash->code ? crash->index : 0, NULL));
        break;
    case FAULT_MISALIGNED:
        note(crash, WHY,
             "0x%" PRIx64 " is %" PRIu64 " bytes above a multiple of %u, and "
             "such an instruction may want one.",
             access.addr, access.addr % access.size, access.size);
        if (sp % 8 == 0)
            note(crash, WHY,
                 " %s = 0x%" PRIx64 ": at a call it must be a multiple of 16, "
                 "so that at the first instruction of what is called it ends "
                 "in 8.",
                 reg_name(REG_STACK), sp);
        break;
    case FAULT_PRIVILEGED:
        note(crash, WHY, "%s is for the kernel only.", insn->mnemonic);
        break;
    case FAULT_UNCLEAR:
        note(crash, WHY,
             "The CPU does not say. It may be an address that is none, one "
             "that is not aligned, or an instruction that only the kernel may "
             "execute.");
        break;
    }
    note_command(crash, step->known ? step->seq : crash->event->seq,
                 "the registers at that moment.");
    return true;
}
