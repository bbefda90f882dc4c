/* SPDX-License-Identifier: MIT */
/*
 * Sentences on what depends on a condition or moves control.
 */
#include "cpu/x86/tell.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Of the flags, by their bit (SDM vol. 1, 3.4.3). */
#define ZF(flags) ((flags) >> 6 & 1)
#define SF(flags) ((flags) >> 7 & 1)
#define OF(flags) ((flags) >> 11 & 1)

/*
 * cmov, set and j, which detail says, with one of the sixteen conditions; in
 * the order of their encoding every odd one negates the one before (SDM vol. 1,
 * appendix B). For each pair, the flags that it looks at.
 */
bool tell_condition(const struct step *step)
{
    static const char *const conditions[] = {
        "o", "no", "b", "nb", "z", "nz", "be", "nbe",
        "s", "ns", "p", "np", "l", "nl", "le", "nle",
    };
    static const uint64_t tested[] = {0x800, 0x001, 0x040, 0x041,
                                      0x080, 0x004, 0x880, 0x8c0};
    static const struct {
        const char *name;
        uint64_t bit;
    } names[] = {{"CF", 1}, {"PF", 4}, {"ZF", 64}, {"SF", 128}, {"OF", 2048}};
    const struct insn_operand *operands = step->insn->operands;
    const char *suffix = step->insn->mnemonic + strlen(step->detail);
    const uint64_t flags = step->before->value[REG_FLAGS];
    const char *template, *joint = ", because ";
    const bool jumps = *step->detail == 'j';
    uint64_t left;
    size_t i = 0;
    bool holds;

    while (i < COUNT(conditions) && strcmp(suffix, conditions[i]) != 0)
        i++;
    if (i == COUNT(conditions))
        return false;
    left = tested[i / 2];
    if (i / 2 == 6) /* l: SF differs from OF */
        holds = SF(flags) != OF(flags);
    else if (i / 2 == 7) /* le: that, or ZF */
        holds = SF(flags) != OF(flags) || ZF(flags);
    else /* all others: any of the flags */
        holds = flags & left;
    holds ^= i & 1;

    if (jumps)
        template = holds ? "taken" : "not taken";
    else if (*step->detail == 's')
        template = "%P0 = %V0";
    else if (!holds)
        template = "%P0 stays %V0";
    else
        template = operand_is_register(&operands[1]) &&
                           !operand_is_same(&operands[0], &operands[1])
                       ? "%P0 = %P1 = %V0"
                       : "%P0 = %V0%F1";
    if (!tell(step, template))
        return false;
    /* ", because ZF is 0 and SF is 1" */
    for (i = 0; i < COUNT(names); i++) {
        if (!(left & names[i].bit))
            continue;
        left &= ~names[i].bit;
        tell(step, "%s%s is %u", joint, names[i].name,
             (unsigned)!!(flags & names[i].bit));
        joint = left & (left - 1) ? ", " : " and ";
    }
    return tell(step, jumps && holds ? ": jumps to %C" : "");
}

/* jrcxz: "="; loop: "-", loope: "-1", loopne: "-0", with the ZF that it also
 * asks for */
bool tell_counter(const struct step *step)
{
    const char wanted = step->detail[1];
    const unsigned bits = insn_counter_bits(step->insn);
    const unsigned zero_flag = ZF(step->before->value[REG_FLAGS]);
    const uint64_t old = value_truncate(step->before->value[X86_RCX], bits);
    const uint64_t value = value_truncate(step->after->value[X86_RCX], bits);
    const bool taken =
        value && (!wanted || zero_flag + '0' == (unsigned)wanted);

    if (*step->detail == '=')
        return tell(step,
                    old ? "not taken, because %g is %v"
                        : "taken, because %g is %v: jumps to %C",
                    X86_RCX, bits, old, bits);
    tell(step, "%g = ", X86_RCX, bits);
    if (!tell_equation(step, &(struct equation){"-", old, 1, value, bits, 0}))
        return false;
    tell(step, taken   ? "; taken, because it is not 0"
               : value ? "; not taken, because "
                       : "; not taken, because it is 0");
    if (wanted && value)
        tell(step, "%sZF is %u", taken ? " and " : "", zero_flag);
    return tell(step, taken ? ": jumps to %C" : "");
}

/* call, jmp, ret within the segment; detail is a template. */
bool tell_near(const struct step *step)
{
    return step->insn->kind != INSN_PLAIN && tell(step, step->detail);
}
