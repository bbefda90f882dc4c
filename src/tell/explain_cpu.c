/* SPDX-License-Identifier: MIT */
/*
 * What the CPU itself refuses: a division, an opcode, an address that is none.
 */
#include "tell/explain_parts.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "cpu/effect.h"
#include "cpu/fault.h"

/* Closes the where line of an instruction whose bytes say it all. */
static void note_plain_place(const struct crash *crash)
{
    note_place(crash);
    note(crash, EXPLAIN_WHERE, ".");
}

/* --- division ------------------------------------------------------------ */

static void note_too_large(const struct crash *crash,
                           const struct fault_division *division)
{
    struct buf upper = {0}, lower = {0};
    enum explain_line line = EXPLAIN_WHY;

    fault_division_halves(&crash->insn, &upper, &lower);
    fault_division_text(&crash->insn, &crash->regs, &crash->out->line[line]);
    note(crash, line, " does not fit in %u bits, which %s has. ",
         division->divisor->bits, buf_text(&lower));
    note(crash, line, "The dividend is %s:%s, and ", buf_text(&upper),
         buf_text(&lower));
    note_reg(crash, line, division->upper);
    note_reg_origin(crash, line, division->upper, crash->index);
    note(crash, line, ".");
    if (division->stale_half)
        note(crash, EXPLAIN_NEXT,
             "%s does not go with %s; before %s it is set %s. ",
             buf_text(&upper), buf_text(&lower), crash->insn.mnemonic,
             fault_division_extension(&crash->insn));
    else
        note(crash, EXPLAIN_NEXT,
             "The smallest number divided by -1 has no "
             "result of that size: test for it before. ");
    buf_release(&upper);
    buf_release(&lower);
}

static uint64_t note_divisor(const struct crash *crash,
                             const struct fault_division *division)
{
    enum reg reg = division->divisor->reg;
    struct buf name = {0};
    struct seen seen;
    struct entry entry;

    reg_part_name(reg, division->divisor->bits, division->divisor->high, &name);
    if (division->divisor->bits != 64)
        note(crash, EXPLAIN_WHY, "%s is 0, a part of ", buf_text(&name));
    buf_release(&name);
    note_reg(crash, EXPLAIN_WHY, reg);
    note_reg_origin(crash, EXPLAIN_WHY, reg, crash->index);
    note(crash, EXPLAIN_WHY, ".");
    note(crash, EXPLAIN_NEXT, "Test the divisor before, or see why it is 0. ");
    if (past_find_change(crash, reg, crash->index, &seen, &entry))
        return seen.seq;
    return entry.known ? entry.seq : crash->event->seq;
}

static void explain_division(struct crash *crash)
{
    struct fault_division division = {0};
    bool known = crash->insn.length && crash->regs_known &&
                 fault_division(&crash->insn, &crash->regs, &division) &&
                 division.known;
    uint64_t seq = crash->event->seq;

    note(crash, EXPLAIN_WHAT,
         !known ? "Division by zero, or a quotient that is too large"
         : division.is_zero ? "Division by zero"
                            : "A division whose quotient is too large");
    note_signal(crash);
    note_plain_place(crash);
    if (known && division.is_zero)
        seq = note_divisor(crash, &division);
    else if (known)
        note_too_large(crash, &division);
    else
        note(crash, EXPLAIN_WHY,
             "The CPU raises the same for both; the "
             "divisor is in memory.");
    note_command(crash, EXPLAIN_NEXT, seq);
    note(crash, EXPLAIN_NEXT,
         seq == crash->event->seq ? " the registers at that moment."
                                  : " where the value comes from.");
}

/* --- opcodes ------------------------------------------------------------- */

/* Which of the bytes it is. Returns the address of the last one. */
static uint64_t note_opcode(const struct crash *crash, size_t bad)
{
    unsigned first = 0, last = bad ? (unsigned)bad - 1 : 0;

    for (unsigned i = 0; i < crash->insn.field_count; i++)
        if (crash->insn.fields[i].kind == FIELD_OPCODE) {
            first = crash->insn.fields[i].offset;
            last = first + crash->insn.fields[i].size - 1;
        }
    note(crash, EXPLAIN_WHERE, "; the CPU refused %s ",
         first == last ? "the byte" : "the bytes");
    note_code(crash, EXPLAIN_WHERE, crash->pc + first);
    if (first != last) {
        note(crash, EXPLAIN_WHERE, " to ");
        note_code(crash, EXPLAIN_WHERE, crash->pc + last);
    }
    note(crash, EXPLAIN_WHERE, ".");
    return crash->pc + last;
}

static void explain_opcode(struct crash *crash)
{
    size_t bad = fault_bad_length(crash->bytes.data, crash->bytes.len);
    struct buf place = {0};
    uint64_t addr, seq;

    note(crash, EXPLAIN_WHAT,
         "The CPU does not know this instruction, or may "
         "not execute it");
    note_signal(crash);
    if (crash->insn.length == 0 && bad)
        crash->bytes.len = bad;
    note_place(crash);
    addr = note_opcode(crash, bad);
    if (strncmp(crash->insn.mnemonic, "ud", 2) == 0 && crash->insn.length)
        note(crash, EXPLAIN_WHY,
             "%s is there to be undefined: compilers put it where control must "
             "never come.",
             crash->insn.mnemonic);
    else if (crash->insn.length)
        note(crash, EXPLAIN_WHY,
             "%s is an instruction, but not of this CPU, or not with these "
             "operands or prefixes.",
             crash->insn.mnemonic);
    else
        note(crash, EXPLAIN_WHY,
             "These bytes are no instruction of 64-bit mode.");
    if (past_find_store(crash, addr, &seq, &place)) {
        note(crash, EXPLAIN_WHY, " Event %" PRIu64 " stored ", seq);
        note_code(crash, EXPLAIN_WHY, addr);
        note(crash, EXPLAIN_WHY, place.len ? ", %s." : ".", buf_text(&place));
        note_command(crash, EXPLAIN_NEXT, seq);
        note(crash, EXPLAIN_NEXT, " that store.");
    } else {
        note_command(crash, EXPLAIN_NEXT, crash->event->seq);
        note(crash, EXPLAIN_NEXT, " the code at that moment.");
    }
    buf_release(&place);
}

static void explain_trap(struct crash *crash)
{
    bool is_int3 = crash->insn.length && crash->insn.bytes[0] == 0xcc;

    note(crash, EXPLAIN_WHAT,
         is_int3 ? "A breakpoint instruction, and nobody who waits for it"
                 : "A trap that nobody handles");
    note_signal(crash);
    note_plain_place(crash);
    note(crash, EXPLAIN_WHY,
         is_int3 ? "int3 raises SIGTRAP. It is a debugger's, or the filling "
                   "between functions: then the code before it ran on without "
                   "a ret."
                 : "The CPU raises it after an instruction with the trap flag "
                   "set, or at int1.");
    if (crash->way.step.known) {
        note(crash, EXPLAIN_WHY, " The instruction before was ");
        note_seen(crash, EXPLAIN_WHY, &crash->way.step);
        note(crash, EXPLAIN_WHY, ".");
    }
    note_command(crash, EXPLAIN_NEXT,
                 crash->way.step.known ? crash->way.step.seq
                                       : crash->event->seq);
    note(crash, EXPLAIN_NEXT, " how it came there.");
}

/* --- addresses that the CPU gives no page for ---------------------------- */

static void note_misaligned(const struct crash *crash,
                            const struct insn_access *access)
{
    enum explain_line line = EXPLAIN_WHY;

    note(crash, line,
         "0x%" PRIx64 " is %" PRIu64 " bytes above a multiple of %u, and such "
         "an instruction may want one.",
         access->addr, access->addr % access->size, access->size);
    if (crash->regs.value[REG_STACK] % 16 == 0 ||
        crash->regs.value[REG_STACK] % 16 == 8)
        note(crash, line,
             " %s = 0x%" PRIx64 ": at a call it must be a "
             "multiple of 16, so that at the first instruction "
             "of what is called it ends in 8.",
             reg_name(REG_STACK), crash->regs.value[REG_STACK]);
}

static void note_refusal(const struct crash *crash)
{
    enum explain_line line = EXPLAIN_WHY;
    struct insn_access access = {0};
    enum fault_protection why =
        crash->insn.length && crash->regs_known
            ? fault_protection(&crash->insn, &crash->regs, &access)
            : FAULT_UNCLEAR;

    switch (why) {
    case FAULT_NOT_CANONICAL:
        note(crash, line,
             "0x%" PRIx64 " is no address: its upper 17 bits "
             "must all be the same. ",
             access.addr);
        for (uint8_t i = 0; i < crash->insn.operand_count; i++)
            if (crash->insn.operands[i].kind == OPERAND_MEMORY &&
                crash->insn.operands[i].base < REG_COUNT) {
                note_reg(crash, line, crash->insn.operands[i].base);
                if (crash->code)
                    note_reg_origin(crash, line, crash->insn.operands[i].base,
                                    crash->index);
                note(crash, line, ".");
                break;
            }
        break;
    case FAULT_MISALIGNED:
        note_misaligned(crash, &access);
        break;
    case FAULT_PRIVILEGED:
        note(crash, line, "%s is for the kernel only.", crash->insn.mnemonic);
        break;
    case FAULT_UNCLEAR:
        note(crash, line,
             "The CPU does not say. It may be an address that is "
             "none, one that is not aligned, or an instruction "
             "that only the kernel may execute.");
        break;
    }
}

static void explain_general(struct crash *crash)
{
    note(crash, EXPLAIN_WHAT,
         "The CPU refused an instruction (general "
         "protection); there is no page to blame");
    note_signal(crash);
    note_plain_place(crash);
    note_refusal(crash);
    note_command(crash, EXPLAIN_NEXT,
                 crash->way.step.known ? crash->way.step.seq
                                       : crash->event->seq);
    note(crash, EXPLAIN_NEXT, " the registers at that moment.");
}

bool explain_refused(struct crash *crash)
{
    switch (crash->signal->number) {
    case SIGFPE:
        if (crash->signal->code != FPE_INTDIV)
            return false;
        explain_division(crash);
        return true;
    case SIGILL:
        explain_opcode(crash);
        return true;
    case SIGTRAP:
        explain_trap(crash);
        return true;
    case SIGSEGV:
        if (crash->signal->code != SI_KERNEL)
            return false;
        explain_general(crash);
        return true;
    default:
        return false;
    }
}
