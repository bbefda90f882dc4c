/* SPDX-License-Identifier: MIT */
/*
 * Sentences on what depends on a condition or moves control.
 */
#include "cpu/x86/tell.h"

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

/* The condition in the mnemonic after prefix ("j", "set", "cmov"), and whether
 * it holds. */
static bool find_condition(const struct step *step, const char *prefix,
                           unsigned *condition, bool *holds)
{
    const char *suffix = step->insn->mnemonic + strlen(prefix);
    const uint64_t flags = step->before->value[REG_FLAGS];
    const bool differ = flag(flags, 7) != flag(flags, 11);
    unsigned i = 0;

    while (i < 16 && strcmp(suffix, conditions[i]) != 0)
        i++;
    if (i == 16)
        return false;
    *condition = i;
    if (i / 2 == 6) /* l: SF differs from OF */
        *holds = differ;
    else if (i / 2 == 7) /* le: that, or ZF */
        *holds = differ || flag(flags, 6);
    else /* all others: any of the flags */
        *holds = flags & tested_flags[i / 2];
    *holds ^= i & 1;
    return true;
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
        tell(step, "%s%s is %u", joint, condition_flags[i].name,
             (unsigned)flag(step->before->value[REG_FLAGS], bit));
        joint = left & (left - 1) ? ", " : " and ";
    }
}

bool tell_cmov(const struct step *step, const char *prefix)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    unsigned condition;
    bool holds;

    if (!find_condition(step, prefix, &condition, &holds))
        return false;
    tell(step, !holds ? "%R0 stays %V0"
               : operand_is_register(from) && !operand_is_same(to, from)
                   ? "%R0 = %R1 = %V0"
                   : "%R0 = %V0%F1");
    tell_because(step, condition);
    return true;
}

bool tell_setcc(const struct step *step, const char *prefix)
{
    unsigned condition;
    bool holds;

    if (!find_condition(step, prefix, &condition, &holds) ||
        !tell(step, "%P0 = %V0"))
        return false;
    tell_because(step, condition);
    return true;
}

bool tell_branch(const struct step *step, const char *prefix)
{
    unsigned condition;
    bool taken;

    if (!find_condition(step, prefix, &condition, &taken))
        return false;
    tell(step, taken ? "taken" : "not taken");
    tell_because(step, condition);
    return tell(step, taken ? ": jumps to %C" : "");
}

bool tell_jrcxz(const struct step *step, const char *detail)
{
    unsigned bits = insn_counter_bits(step->insn);
    uint64_t value = value_truncate(step->before->value[X86_RCX], bits);

    (void)detail;
    return tell(step,
                value ? "not taken, because %g is %v"
                      : "taken, because %g is %v: jumps to %C",
                X86_RCX, bits, value, bits);
}

/* loop: "", loope: "1", loopne: "0", the ZF that it also asks for */
bool tell_loop(const struct step *step, const char *wanted)
{
    unsigned bits = insn_counter_bits(step->insn);
    uint64_t old_value = value_truncate(step->before->value[X86_RCX], bits);
    uint64_t value = value_truncate(step->after->value[X86_RCX], bits);
    bool zero_flag = flag(step->before->value[REG_FLAGS], 6);
    bool taken = value && (!*wanted || zero_flag == (*wanted == '1'));

    tell(step, "%g = ", X86_RCX, bits);
    if (!tell_equation(
            step, &(struct equation){'-', old_value, 1, value, bits, NULL}))
        return false;
    tell(step, taken   ? "; taken, because it is not 0"
               : value ? "; not taken, because "
                       : "; not taken, because it is 0");
    if (*wanted && value)
        tell(step, "%sZF is %u", taken ? " and " : "", (unsigned)zero_flag);
    return tell(step, taken ? ": jumps to %C" : "");
}

bool tell_near(const struct step *step, const char *detail)
{
    return step->insn->kind != INSN_PLAIN && tell(step, detail);
}

bool tell_return(const struct step *step, const char *detail)
{
    return step->insn->kind == INSN_RETURN &&
           tell(step, detail,
                (unsigned)(step->after->value[REG_STACK] -
                           step->before->value[REG_STACK]));
}
