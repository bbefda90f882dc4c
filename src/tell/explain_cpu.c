/* SPDX-License-Identifier: MIT */
/*
 * What the CPU itself refuses: a division, an opcode, an address that is none.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "cpu/fault.h"
#include "cpu/trap.h"
#include "tell/explain_parts.h"

/* --- division ------------------------------------------------------------ */

static void note_too_large(struct crash *crash,
                           const struct fault_division *division)
{
    struct buf upper_text = {0}, lower_text = {0};
    const char *upper, *lower;

    fault_division_halves(&crash->insn, &upper_text, &lower_text);
    upper = phrase_of(&crash->phrases, &upper_text);
    lower = phrase_of(&crash->phrases, &lower_text);
    fault_division_text(&crash->insn, &crash->regs, &crash->out->line[WHY]);
    note(crash, WHY,
         " does not fit in %u bits, which %s has. The dividend is %s:%s, and "
         "%s%s.",
         division->divisor->bits, lower, upper, lower,
         words_reg(crash, division->upper),
         words_origin(crash, division->upper, crash->index, NULL));
    if (division->stale_half)
        note(crash, NEXT, "%s does not go with %s; before %s it is set %s. ",
             upper, lower, crash->insn.mnemonic,
             fault_division_extension(&crash->insn));
    else
        note(crash, NEXT,
             "The smallest number divided by -1 has no result of "
             "that size: test for it before. ");
}

/* Returns the event to look at. */
static uint64_t note_divisor(struct crash *crash,
                             const struct fault_division *division)
{
    const struct insn_operand *divisor = division->divisor;
    uint64_t seq = crash->event->seq;
    struct buf name = {0};

    reg_part_name(divisor->reg, divisor->bits, divisor->high, &name);
    if (divisor->bits != 64)
        note(crash, WHY, "%s is 0, a part of ", buf_text(&name));
    buf_release(&name);
    note(crash, WHY, "%s%s.", words_reg(crash, divisor->reg),
         words_origin(crash, divisor->reg, crash->index, &seq));
    note(crash, NEXT, "Test the divisor before, or see why it is 0. ");
    return seq;
}

static void explain_division(struct crash *crash)
{
    struct fault_division division = {0};
    bool known = crash->insn.length && crash->regs_known &&
                 fault_division(&crash->insn, &crash->regs, &division) &&
                 division.known;
    uint64_t seq = crash->event->seq;

    note_what(crash,
              !known ? "Division by zero, or a quotient that is too large"
              : division.is_zero ? "Division by zero"
                                 : "A division whose quotient is too large");
    note_place(crash);
    note(crash, WHERE, ".");
    if (known && division.is_zero)
        seq = note_divisor(crash, &division);
    else if (known)
        note_too_large(crash, &division);
    else
        note(crash, WHY,
             "The CPU raises the same for both; the divisor is in "
             "memory.");
    note(crash, NEXT, "%s %s", words_command(crash, seq),
         seq == crash->event->seq ? "the registers at that moment."
                                  : "where the value comes from.");
}

/* --- opcodes ------------------------------------------------------------- */

/* Which of the bytes it is. Returns the address of the last one. */
static uint64_t note_opcode(struct crash *crash, size_t bad)
{
    unsigned first = 0, last = bad ? (unsigned)bad - 1 : 0;

    for (unsigned i = 0; i < crash->insn.field_count; i++)
        if (crash->insn.fields[i].kind == FIELD_OPCODE) {
            first = crash->insn.fields[i].offset;
            last = first + crash->insn.fields[i].size - 1;
        }
    note(crash, WHERE, "; the CPU refused the byte%s %s",
         first == last ? "" : "s", words_code(crash, crash->pc + first));
    if (first != last)
        note(crash, WHERE, " to %s", words_code(crash, crash->pc + last));
    note(crash, WHERE, ".");
    return crash->pc + last;
}

static void explain_opcode(struct crash *crash)
{
    size_t bad = fault_bad_length(crash->bytes.data, crash->bytes.len);
    const char *mnemonic = crash->insn.mnemonic, *place;
    const struct event *store;
    uint64_t addr;

    note_what(crash, "The CPU does not know this instruction, or may not "
                     "execute it");
    if (crash->insn.length == 0 && bad)
        crash->bytes.len = bad;
    note_place(crash);
    addr = note_opcode(crash, bad);
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
    store = past_find_at(crash, EVENT_WRITE, addr);
    if (!store) {
        note(crash, NEXT, "%s the code at that moment.",
             words_command(crash, crash->event->seq));
        return;
    }
    place = phrase_source(&crash->phrases, &store->source);
    note(crash, WHY, " Event %" PRIu64 " stored %s%s%s.", store->seq,
         words_code(crash, addr), *place ? ", " : "", place);
    note(crash, NEXT, "%s that store.", words_command(crash, store->seq));
}

static void explain_trap(struct crash *crash)
{
    bool is_insn = crash->insn.length && crash->insn.bytes[0] == trap_insn;
    const struct seen *step = &crash->way.step;

    note_what(crash, is_insn ? "A breakpoint instruction, and nobody who waits "
                               "for it"
                             : "A trap that nobody handles");
    note_place(crash);
    note(crash, WHERE, ".");
    note(crash, WHY,
         is_insn ? "int3 raises SIGTRAP. It is a debugger's, or the filling "
                   "between functions: then the code before it ran on without "
                   "a ret."
                 : "The CPU raises it after an instruction with the trap flag "
                   "set, or at int1.");
    if (step->known)
        note(crash, WHY, " The instruction before was %s.",
             words_seen(crash, step));
    note(crash, NEXT, "%s how it came there.",
         words_command(crash, step->known ? step->seq : crash->event->seq));
}

/* --- addresses that the CPU gives no page for ---------------------------- */

static void explain_general(struct crash *crash)
{
    const struct seen *step = &crash->way.step;
    uint64_t sp = crash->regs.value[REG_STACK];
    struct insn_access access = {0};
    enum fault_protection why = FAULT_UNCLEAR;
    uint8_t i = 0;

    note_what(crash, "The CPU refused an instruction (general protection); "
                     "there is no page to blame");
    note_place(crash);
    note(crash, WHERE, ".");
    if (crash->insn.length && crash->regs_known)
        why = fault_protection(&crash->insn, &crash->regs, &access);
    switch (why) {
    case FAULT_NOT_CANONICAL:
        note(crash, WHY,
             "0x%" PRIx64
             " is no address: its upper 17 bits must all be the same. ",
             access.addr);
        while (i < crash->insn.operand_count &&
               (crash->insn.operands[i].kind != OPERAND_MEMORY ||
                crash->insn.operands[i].base >= REG_COUNT))
            i++;
        if (i < crash->insn.operand_count) {
            enum reg base = crash->insn.operands[i].base;

            note(crash, WHY, "%s%s.", words_reg(crash, base),
                 crash->code ? words_origin(crash, base, crash->index, NULL)
                             : "");
        }
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
        note(crash, WHY, "%s is for the kernel only.", crash->insn.mnemonic);
        break;
    case FAULT_UNCLEAR:
        note(crash, WHY,
             "The CPU does not say. It may be an address that is none, one "
             "that is not aligned, or an instruction that only the kernel may "
             "execute.");
        break;
    }
    note(crash, NEXT, "%s the registers at that moment.",
         words_command(crash, step->known ? step->seq : crash->event->seq));
}

bool explain_refused(struct crash *crash)
{
    static const struct {
        int number;
        int code; /* 0: any */
        void (*explain)(struct crash *crash);
    } causes[] = {
        {SIGFPE, FPE_INTDIV, explain_division},
        {SIGILL, 0, explain_opcode},
        {SIGTRAP, 0, explain_trap},
        {SIGSEGV, SI_KERNEL, explain_general},
    };

    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (crash->signal->number == causes[i].number &&
            (!causes[i].code || crash->signal->code == causes[i].code)) {
            causes[i].explain(crash);
            return true;
        }
    return false;
}
