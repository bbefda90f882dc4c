/* SPDX-License-Identifier: MIT */
/*
 * What the CPU refused to do: divide, decode, use an address that is none.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "cpu/fault.h"
#include "cpu/calling.h"
#include "tell/explain_parts.h"

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
    note_command(crash, seq);
    return true;
}

bool explain_opcode(struct crash *crash)
{
    size_t bad = fault_bad_length(crash->bytes.data, crash->bytes.len);
    unsigned first = 0, last = bad ? (unsigned)bad - 1 : 0;
    const char *mnemonic = crash->insn.mnemonic, *storer;
    const struct seen *step = &crash->way.step;
    const struct event *store;
    uint64_t seq;

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
    if (crash->was_watched && step->known)
        note(crash, WHY, " The instruction before was %s.",
             words_seen(crash, step));
    store = past_find_at(crash, EVENT_WRITE, crash->pc + last);
    if (!store) {
        note_command(crash, crash->event->seq);
        return true;
    }
    seq = store->seq;
    note(crash, WHY, " Event %" PRIu64 " stored %s", seq,
         words_code(crash, crash->pc + last));
    storer = words_storer(crash, crash->pc + last);
    if (strcmp(storer, words_storer(crash, crash->pc)) != 0)
        note(crash, WHY, ", %s", storer);
    note(crash, WHY, ".");
    note_command(crash, seq);
    return true;
}

bool explain_trap(struct crash *crash)
{
    bool is_insn = crash->insn.length && crash->insn.bytes[0] == trap_insn;
    const struct seen *step = &crash->way.step;

    note_what(crash, crash->handled ? "A breakpoint instruction or another trap"
                     : is_insn ? "A breakpoint instruction, and nobody who "
                                 "waits for it"
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
    note_command(crash, step->known ? step->seq : crash->event->seq);
    return true;
}

/* Of 16 bytes and more at an address that is no multiple of that. Returns the
 * event to look at. */
static uint64_t note_misaligned(struct crash *crash,
                                const struct insn_access *access,
                                const struct pointer *pointer)
{
    const struct frame *frame = view_frame(crash->view, crash->event->tid);
    const bool on_stack = pointer->count == 1 && pointer->regs[0] == REG_STACK;
    uint64_t sp = crash->regs.value[REG_STACK], seq = crash->event->seq;
    uint64_t above = access->addr % access->size;
    struct regs before;
    unsigned off = 0;

    note(crash, WHY,
         "0x%" PRIx64 " is %" PRIu64 " byte%s above a multiple of %u, and such "
         "an instruction may want one. ",
         access->addr, above, above == 1 ? "" : "s", access->size);
    if (frame && frame->kind == FRAME_CALLED && frame->outside) {
        calling_before(&frame->regs, &before);
        off = before.value[REG_STACK] % CALLING_ALIGNMENT;
    }
    if (off) {
        note(crash, WHY,
             "%s was made with %s = 0x%" PRIx64 ", %u bytes off a multiple of "
             "%u, which a function may rely on. ",
             words_call(crash, frame), reg_name(REG_STACK),
             before.value[REG_STACK], off, CALLING_ALIGNMENT);
        note(crash, NEXT,
             "Lower %s by %u more before that call, as one push does, and "
             "raise it again behind it. ",
             reg_name(REG_STACK), off);
        return frame->seq;
    }
    if (on_stack)
        note(crash, WHY,
             "%s = 0x%" PRIx64 "; at a call it must be a multiple of %u. ",
             reg_name(REG_STACK), sp, CALLING_ALIGNMENT);
    else
        note_pointer(crash, pointer, &seq);
    return seq;
}

/* Of a ret: whether generated code had stored something there that is no
 * address. */
static bool note_no_address(struct crash *crash, uint64_t *seq)
{
    uint64_t index = crash->index, sp = crash->regs.value[REG_STACK], value;
    const struct event *event;
    struct seen step;

    while ((event = past_find(crash, PAST(STEP), &index)))
        for (size_t i = 0; i < event->step.writes.count; i++) {
            const struct mem_access *write = &event->step.writes.list[i];

            if (write->addr != sp || write->new_bytes.len != sizeof value)
                continue;
            memcpy(&value, write->new_bytes.data, sizeof value);
            if (value < ARCH_USER_END)
                return false;
            seen_from(event, index, &step);
            *seq = step.seq;
            note(crash, WHY,
                 "What it was to pop, 0x%" PRIx64
                 ", is no address: its upper 17 bits must all be the same. %s "
                 "had put it there. ",
                 value, words_seen(crash, &step));
            return true;
        }
    return false;
}

/* Of a call or a jump whose target is in a register or in memory, and of a ret:
 * the only thing left to refuse is where they go (Intel SDM vol. 2, CALL, JMP,
 * RET: #GP(0)). */
static bool note_target(struct crash *crash, uint64_t *seq)
{
    const struct insn *insn = &crash->insn;
    const struct insn_operand *target = &insn->operands[0];
    bool is_return = insn->kind == INSN_RETURN;
    uint64_t from;

    if (!insn->length || !crash->regs_known ||
        (!is_return && insn->kind != INSN_CALL && insn->kind != INSN_JUMP))
        return false;
    if (is_return && note_no_address(crash, seq))
        return true;
    if (!is_return && target->kind == OPERAND_REGISTER &&
        target->reg < REG_COUNT) {
        note(crash, WHY,
             "It was to go to 0x%" PRIx64
             ", which is no address: its upper 17 bits must all be the same. "
             "%s. ",
             crash->regs.value[target->reg],
             words_reg(crash, target->reg, crash->index, seq));
        note(crash, NEXT, "See where the target is computed. ");
        return true;
    }
    if (!is_return && target->kind != OPERAND_MEMORY)
        return false;
    from = is_return ? crash->regs.value[REG_STACK]
                     : insn_address(insn, target, &crash->regs);
    note(crash, WHY,
         "What it read from 0x%" PRIx64
         " as where to go is no address: its upper 17 bits are not all the "
         "same. ",
         from);
    if (is_return)
        note(crash, WHY,
             "No instruction of generated code was seen to write it. ");
    return true;
}

bool explain_general(struct crash *crash)
{
    struct insn_access access = {0};
    enum fault_protection why = FAULT_UNCLEAR;
    const struct insn *insn = &crash->insn;
    uint64_t seq = crash->event->seq;
    struct pointer pointer = {0};

    note_what(crash, "The CPU refused an instruction (general protection); "
                     "there is no page to blame");
    note_place(crash, ".");
    if (insn->length && crash->regs_known)
        why = fault_protection(insn, &crash->regs, &access);
    if (why == FAULT_NOT_CANONICAL || why == FAULT_MISALIGNED)
        pointer =
            pointer_of(crash, fault_operand(insn, &crash->regs, access.addr));
    switch (why) {
    case FAULT_NOT_CANONICAL:
        note(crash, WHY,
             "0x%" PRIx64
             " is no address: its upper 17 bits must all be the same. ",
             access.addr);
        note_pointer(crash, &pointer, &seq);
        break;
    case FAULT_MISALIGNED:
        seq = note_misaligned(crash, &access, &pointer);
        break;
    case FAULT_PRIVILEGED:
        note(crash, WHY, "%s is for the kernel only. ", insn->mnemonic);
        break;
    case FAULT_UNCLEAR:
        if (note_target(crash, &seq))
            break;
        note(crash, WHY,
             "The CPU does not say. It may be an address that is none, one "
             "that is not aligned, or an instruction that only the kernel may "
             "execute. ");
        break;
    }
    crash->out->line[WHY].len--;
    note_command(crash, seq);
    return true;
}
