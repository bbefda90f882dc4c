/* SPDX-License-Identifier: MIT */
/*
 * Sentences on what depends on a condition, moves the stack pointer or moves
 * control.
 */
#include "cpu/x86/tell.h"

#include <inttypes.h>
#include <string.h>

/*
 * The sixteen conditions in the order of their encoding (SDM vol. 1, appendix
 * B); every odd one negates the one before.
 */
static const char *const conditions[16] = {
    "o", "no", "b", "nb", "z", "nz", "be", "nbe",
    "s", "ns", "p", "np", "l", "nl", "le", "nle",
};

static const struct {
    const char *name;
    unsigned bit;
} condition_flags[] = {{"CF", 0}, {"PF", 2}, {"ZF", 6}, {"SF", 7}, {"OF", 11}};

/* For each pair of conditions, the flags that it looks at. */
static const uint64_t tested_flags[8] = {0x800, 0x001, 0x040, 0x041,
                                         0x080, 0x004, 0x880, 0x8c0};

static bool flag(uint64_t flags, unsigned bit)
{
    return flags >> bit & 1;
}

static bool condition_holds(unsigned condition, uint64_t flags)
{
    bool differ = flag(flags, 7) != flag(flags, 11);
    bool holds;

    if (condition / 2 == 6) /* l: SF differs from OF */
        holds = differ;
    else if (condition / 2 == 7) /* le: that, or ZF */
        holds = differ || flag(flags, 6);
    else /* all others: any of the flags */
        holds = flags & tested_flags[condition / 2];
    return holds != (condition & 1);
}

/* The condition in the mnemonic after prefix ("j", "set", "cmov"). */
static bool find_condition(const struct step *step, const char *prefix,
                           unsigned *condition)
{
    const char *suffix = step->insn->mnemonic + strlen(prefix);

    for (*condition = 0; *condition < 16; ++*condition)
        if (!strcmp(suffix, conditions[*condition]))
            return true;
    return false;
}

/* ", because ZF is 0 and SF is 1" */
static void tell_because(const struct step *step, unsigned condition)
{
    uint64_t left = tested_flags[condition / 2];
    const char *joint = ", because ";

    for (size_t i = 0; i < sizeof condition_flags / sizeof *condition_flags;
         i++) {
        unsigned bit = condition_flags[i].bit;

        if (!flag(left, bit))
            continue;
        left &= ~(UINT64_C(1) << bit);
        buf_printf(step->out, "%s%s is %d", joint, condition_flags[i].name,
                   flag(step->before->value[REG_FLAGS], bit));
        joint = left & (left - 1) ? ", " : " and ";
    }
}

bool tell_cmov(const struct step *step, const char *prefix)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    unsigned condition;
    bool holds;

    if (!find_condition(step, prefix, &condition))
        return false;
    holds = condition_holds(condition, step->before->value[REG_FLAGS]);
    tell_register(step, to);
    tell_words(step, holds ? " = " : " stays ");
    if (holds && operand_is_register(from) && !operand_is_same(to, from)) {
        tell_register(step, from);
        tell_words(step, " = ");
    }
    tell_value(step, operand_part(to, step->after), to->bits);
    if (holds && from->kind == OPERAND_MEMORY) {
        tell_words(step, ", ");
        tell_loaded(step, from);
    }
    tell_because(step, condition);
    return true;
}

bool tell_setcc(const struct step *step, const char *prefix)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;
    unsigned condition;

    if (!find_condition(step, prefix, &condition) ||
        !operand_after(step, to, &value))
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    tell_value(step, value, to->bits);
    tell_because(step, condition);
    return true;
}

/* "; rsp goes down by 8 to 0x7ffe0008" */
static void tell_stack(const struct step *step)
{
    uint64_t old_value = step->before->value[REG_STACK];
    uint64_t new_value = step->after->value[REG_STACK];
    bool is_down = new_value < old_value;

    buf_printf(step->out, "; rsp goes %s by %" PRIu64 " to ",
               is_down ? "down" : "up",
               is_down ? old_value - new_value : new_value - old_value);
    tell_address(step, new_value);
}

/* What was stored on the stack: at the new rsp. */
static bool pushed_value(const struct step *step, unsigned bits,
                         uint64_t *value)
{
    uint64_t top = step->after->value[REG_STACK];
    const struct mem_access *access =
        access_at(step->writes, step->write_count, top);

    return access && bytes_number(access->new_bytes, bits, value);
}

bool tell_push(const struct step *step, const char *detail)
{
    const struct insn_operand *from = &step->insn->operands[0];
    uint64_t lowered =
        step->before->value[REG_STACK] - step->after->value[REG_STACK];
    unsigned bits = (unsigned)lowered * 8;
    uint64_t value;

    (void)detail;
    if ((lowered != 2 && lowered != 8) || (!pushed_value(step, bits, &value) &&
                                           !operand_before(step, from, &value)))
        return false;
    tell_words(step, "pushes ");
    tell_value(step, value, bits);
    if (from->kind == OPERAND_MEMORY) {
        tell_words(step, ", ");
        tell_loaded(step, from);
    }
    tell_stack(step);
    return true;
}

/* An address counted from rsp is computed after rsp was raised, so that only
 * the access tells it (SDM vol. 2, POP). */
static bool tell_pop_to_memory(const struct step *step)
{
    uint64_t value;

    if (step->write_count != 1 ||
        !bytes_number(step->writes[0].new_bytes, step->insn->operands[0].bits,
                      &value))
        return false;
    tell_words(step, "pops ");
    tell_value(step, value, step->insn->operands[0].bits);
    tell_words(step, " into ");
    tell_size(step, step->insn->operands[0].bits / 8);
    tell_words(step, " at ");
    tell_address(step, step->writes[0].addr);
    tell_stack(step);
    return true;
}

bool tell_pop(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];

    (void)detail;
    if (to->kind == OPERAND_MEMORY)
        return tell_pop_to_memory(step);
    if (!operand_is_register(to))
        return false;
    tell_words(step, "pops ");
    tell_value(step, operand_part(to, step->after), to->bits);
    tell_words(step, " into ");
    tell_register(step, to);
    if (to->reg != REG_STACK)
        tell_stack(step);
    return true;
}

/* detail is "pushes" or "pops" */
bool tell_flags_moved(const struct step *step, const char *detail)
{
    const struct regs *regs =
        !strcmp(detail, "pushes") ? step->before : step->after;

    buf_printf(step->out, "%s the flags: ", detail);
    flags_describe(regs->value[REG_FLAGS], step->out);
    tell_stack(step);
    return true;
}

bool tell_leave(const struct step *step, const char *detail)
{
    (void)detail;
    tell_words(step, "takes the frame down: rsp goes up to ");
    tell_address(step, step->after->value[REG_STACK]);
    tell_words(step, ", rbp = ");
    tell_value(step, step->after->value[X86_RBP], 64);
    tell_words(step, ", popped");
    return true;
}

/* ", loaded from ..." where the target of a jump or call was in memory */
static void tell_target_origin(const struct step *step)
{
    const struct insn_operand *target = &step->insn->operands[0];

    if (!target->hidden && target->kind == OPERAND_MEMORY) {
        tell_words(step, ", ");
        tell_loaded(step, target);
    }
}

bool tell_call(const struct step *step, const char *detail)
{
    (void)detail;
    if (step->insn->kind != INSN_CALL)
        return false;
    tell_words(step, "calls ");
    tell_address(step, step->after->value[REG_PC]);
    tell_target_origin(step);
    tell_words(step, "; pushes the return address ");
    tell_address(step, step->insn->addr + step->insn->length);
    return true;
}

bool tell_return(const struct step *step, const char *detail)
{
    (void)detail;
    if (step->insn->kind != INSN_RETURN)
        return false;
    tell_words(step, "returns to ");
    tell_address(step, step->after->value[REG_PC]);
    buf_printf(step->out, "; rsp goes up by %" PRIu64,
               step->after->value[REG_STACK] - step->before->value[REG_STACK]);
    return true;
}

bool tell_jump(const struct step *step, const char *detail)
{
    (void)detail;
    if (step->insn->kind != INSN_JUMP)
        return false;
    tell_words(step, "jumps to ");
    tell_address(step, step->after->value[REG_PC]);
    tell_target_origin(step);
    return true;
}

static void tell_taken_to(const struct step *step, bool taken)
{
    if (!taken)
        return;
    tell_words(step, ": jumps to ");
    tell_address(step, step->after->value[REG_PC]);
}

bool tell_branch(const struct step *step, const char *prefix)
{
    unsigned condition;
    bool taken;

    if (!find_condition(step, prefix, &condition))
        return false;
    taken = condition_holds(condition, step->before->value[REG_FLAGS]);
    tell_words(step, taken ? "taken" : "not taken");
    tell_because(step, condition);
    tell_taken_to(step, taken);
    return true;
}

bool tell_jrcxz(const struct step *step, const char *detail)
{
    unsigned bits = insn_counter_bits(step->insn);
    uint64_t value = value_truncate(step->before->value[X86_RCX], bits);

    (void)detail;
    tell_words(step, value ? "not taken, because " : "taken, because ");
    reg_part_name(X86_RCX, bits, false, step->out);
    tell_words(step, " is ");
    tell_value(step, value, bits);
    tell_taken_to(step, !value);
    return true;
}

/* loop: "", loope: "1", loopne: "0", the ZF that it also asks for */
bool tell_loop(const struct step *step, const char *wanted)
{
    unsigned bits = insn_counter_bits(step->insn);
    uint64_t old_value = value_truncate(step->before->value[X86_RCX], bits);
    uint64_t value = value_truncate(step->after->value[X86_RCX], bits);
    bool zero_flag = flag(step->before->value[REG_FLAGS], 6);
    bool taken = value && (!*wanted || zero_flag == (*wanted == '1'));

    reg_part_name(X86_RCX, bits, false, step->out);
    tell_words(step, " = ");
    if (!tell_equation(
            step, &(struct equation){'-', old_value, 1, value, bits, NULL}))
        return false;
    tell_words(step,
               taken ? "; taken, because it is " : "; not taken, because ");
    if (taken)
        tell_words(step, "not 0");
    else
        tell_words(step, value ? "" : "it is 0");
    if (*wanted && value)
        buf_printf(step->out, "%sZF is %d", taken ? " and " : "", zero_flag);
    tell_taken_to(step, taken);
    return true;
}
