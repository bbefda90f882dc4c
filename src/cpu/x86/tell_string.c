/* SPDX-License-Identifier: MIT */
/*
 * Sentences on string instructions.
 *
 * A repeated one is told one iteration at a time, as single-stepping sees it
 * (SDM vol. 3, 17.3.1.4): the counter has gone down by one. If it has not,
 * more was done than the arguments tell, and there is no sentence.
 */
#include "cpu/x86/tell.h"

static uint64_t counter(const struct step *step, const struct regs *regs)
{
    return value_truncate(regs->value[X86_RCX], insn_counter_bits(step->insn));
}

/* cmps and scas are repeated while ZF is 1 (repe) or 0 (repne). */
static bool is_compare(const struct step *step)
{
    return step->insn->operands[0].read && step->insn->operands[1].read;
}

/* "; again, because rcx is now 2": where the program counter stays. */
static void tell_repetition(const struct step *step)
{
    unsigned bits = insn_counter_bits(step->insn);
    uint64_t rest = counter(step, step->after);
    bool again = step->after->value[REG_PC] == step->insn->addr;
    int zero_flag = step->after->value[REG_FLAGS] >> 6 & 1;

    tell_words(step, again ? "; again, because " : "; ends, because ");
    if (again || !rest) {
        reg_part_name(X86_RCX, bits, false, step->out);
        tell_words(step, " is now ");
        tell_value(step, rest, bits);
    }
    if (is_compare(step) && rest)
        buf_printf(step->out, "%sZF is %d", again ? " and " : "", zero_flag);
}

/* Puts one iteration into its frame. */
static bool tell_iteration(const struct step *step, tell_function *tell)
{
    uint64_t count = counter(step, step->before);

    if (!step->insn->repeated)
        return tell(step, "");
    if (!count) {
        tell_words(step, "does nothing, because ");
        reg_part_name(X86_RCX, insn_counter_bits(step->insn), false, step->out);
        tell_words(step, " is 0");
        return true;
    }
    if (counter(step, step->after) != count - 1 || !tell(step, ""))
        return false;
    tell_repetition(step);
    return true;
}

static bool tell_copy(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    uint64_t value;

    (void)detail;
    if (!operand_after(step, to, &value))
        return false;
    tell_words(step, "copies ");
    tell_value(step, value, to->bits);
    tell_words(step, " from ");
    tell_address(step, insn_address(step->insn, from, step->before));
    tell_words(step, " to ");
    tell_extent(step, to);
    return true;
}

static bool tell_transfer(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;

    (void)detail;
    if (!operand_after(step, to, &value))
        return false;
    if (to->kind == OPERAND_REGISTER) {
        tell_register(step, to);
        tell_words(step, " = ");
        tell_value(step, value, to->bits);
        tell_words(step, ", ");
        tell_loaded(step, &step->insn->operands[1]);
        return true;
    }
    tell_words(step, "stores ");
    tell_value(step, value, to->bits);
    tell_words(step, " at ");
    tell_extent(step, to);
    return true;
}

static bool tell_difference(const struct step *step, const char *detail)
{
    (void)detail;
    return tell_compare(step, "-");
}

/* movsd is the name of a vector instruction too. */
bool tell_string_move(const struct step *step, const char *detail)
{
    if (insn_visible_operands(step->insn))
        return tell_move(step, detail);
    return tell_iteration(step, tell_copy);
}

bool tell_string(const struct step *step, const char *detail)
{
    (void)detail;
    return tell_iteration(step, tell_transfer);
}

/* The vector instruction cmpsd has operands whose values are not known. */
bool tell_string_compare(const struct step *step, const char *detail)
{
    (void)detail;
    return tell_iteration(step, tell_difference);
}
