/* SPDX-License-Identifier: MIT */
/*
 * Sentences on instructions that move a value without computing one, between
 * registers, memory and stack, or get one from the CPU or the kernel; and on
 * those that depend on a condition or move control.
 *
 * A repeated string instruction is told one iteration at a time, as
 * single-stepping sees it (SDM vol. 3, 17.3.1.4): the counter has gone down by
 * one. If it has not, more was done than the arguments tell, and there is no
 * sentence.
 */
#include "cpu/x86/tell.h"

bool tell_move(const struct step *step)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    const bool is_store = to->kind == OPERAND_MEMORY;
    const struct mem_access *access;
    struct bytes bytes;
    uint64_t addr;

    if (insn_visible_operands(step->insn) != 2)
        return false;
    if (is_store && (from->reg != REG_NONE || from->kind == OPERAND_IMMEDIATE))
        return tell(step, "stores %V0 at %X0");
    if (operand_is_same(to, from))
        return tell(step, "%P0 stays %V0");
    if (operand_is_register(to))
        return tell(step, operand_is_register(from) ? "%P0 = %P1 = %V0"
                                                    : "%P0 = %V0%F1");

    /* A vector register is written or read: bytes, as they lie in memory. */
    addr = insn_address(step->insn, is_store ? to : from, step->before);
    access = is_store ? access_at(step->writes, step->write_count, addr)
                      : access_at(step->reads, step->read_count, addr);
    if ((!is_store && from->kind != OPERAND_MEMORY) || !access)
        return false;
    bytes = is_store ? access->new_bytes : access->old_bytes;
    return bytes.data &&
           tell(step, is_store ? "stores %n at %a: %h" : "loads %n from %a: %h",
                bytes.len, addr, bytes);
}

/* Whether the value was the one in rax: then it is replaced, otherwise rax gets
 * it (SDM vol. 2, CMPXCHG). */
bool tell_cmpxchg(const struct step *step)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    const struct insn_operand *rax = &step->insn->operands[2];
    const uint64_t expected = operand_part(rax, step->before);
    const uint64_t source = operand_part(from, step->before);
    const unsigned bits = to->bits;
    uint64_t old_value, new_value;

    if (!operand_value(step, BEFORE, to, &old_value))
        return false;
    if (old_value == expected)
        return operand_value(step, AFTER, to, &new_value) &&
               new_value == source &&
               tell(step,
                    "%P0 = %P1 = %V0, because the value before was %v, as in "
                    "%P2",
                    expected, bits);
    if (operand_part(rax, step->after) != old_value)
        return false;
    return tell(step,
                "%P2 = %V2, from %P0, which %s not get %P1 = %v, because %P2 "
                "was %v",
                to->kind == OPERAND_MEMORY && bits > 8 ? "do" : "does", source,
                bits, expected, bits);
}

/* --- the stack ------------------------------------------------------------ */

bool tell_push(const struct step *step)
{
    const uint64_t top = step->after->value[REG_STACK];
    const uint64_t size = step->before->value[REG_STACK] - top;
    const struct mem_access *access =
        access_at(step->writes, step->write_count, top);
    const unsigned bits = (unsigned)size * 8;
    uint64_t value;

    if ((size != 2 && size != 8) ||
        (!(access && bytes_number(access->new_bytes, bits, &value)) &&
         !operand_value(step, BEFORE, &step->insn->operands[0], &value)))
        return false;
    return tell(step, "pushes %v%F0%S", value, bits);
}

/* An address counted from rsp is computed after rsp was raised, so that only
 * the access tells it (SDM vol. 2, POP). */
bool tell_pop(const struct step *step)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const unsigned bits = to->bits;
    uint64_t value;

    if (to->kind == OPERAND_MEMORY)
        return step->write_count == 1 &&
               bytes_number(step->writes[0].new_bytes, bits, &value) &&
               tell(step, "pops %v into %n at %a%S", value, bits,
                    (size_t)bits / 8, step->writes[0].addr);
    return operand_is_register(to) && tell(step, "pops %V0 into %P0") &&
           (to->reg == REG_STACK || tell(step, "%S"));
}

/* detail is "pushes" or "pops" */
bool tell_flags_moved(const struct step *step)
{
    const struct regs *regs =
        !strcmp(step->detail, "pushes") ? step->before : step->after;

    return tell(step, "%s the flags: %f%S", step->detail,
                regs->value[REG_FLAGS]);
}

bool tell_leave(const struct step *step)
{
    return tell(
        step, "takes the frame down: rsp goes up to %a, rbp = %v, popped",
        step->after->value[REG_STACK], step->after->value[X86_RBP], 64u);
}

/* --- string instructions -------------------------------------------------- */

/* Puts one iteration into its frame: detail is a template, or "-" where that is
 * a comparison. "; again, because rcx is now 2": where the program counter
 * stays. cmps and scas are repeated while ZF is 1 (repe) or 0 (repne). */
bool tell_string(const struct step *step)
{
    const unsigned bits = insn_counter_bits(step->insn);
    const uint64_t count = value_truncate(step->before->value[X86_RCX], bits);
    const uint64_t left = value_truncate(step->after->value[X86_RCX], bits);
    const bool is_compare = *step->detail == '-';
    const bool again = step->after->value[REG_PC] == step->insn->addr;

    if (insn_visible_operands(step->insn) && insn_is(step->insn, "movsd"))
        return tell_move(step); /* the vector instruction of that name */
    if (step->insn->repeated && !count)
        return tell(step, "does nothing, because %g is 0", X86_RCX, bits);
    if ((step->insn->repeated && left != count - 1) ||
        !(is_compare ? tell_compare(step) : tell(step, step->detail)))
        return false;
    if (!step->insn->repeated)
        return true;
    tell(step, again ? "; again, because " : "; ends, because ");
    if (again || !left)
        tell(step, "%g is now %v", X86_RCX, bits, left, bits);
    if (is_compare && left)
        tell(step, "%sZF is %u", again ? " and " : "",
             (unsigned)(step->after->value[REG_FLAGS] >> 6 & 1));
    return true;
}

/* --- answers of the CPU and the kernel ------------------------------------ */

/* Leaves count from 0 and from 0x80000000 (SDM vol. 2, CPUID). */
bool tell_cpuid(const struct step *step)
{
    const uint64_t leaf = (uint32_t)step->before->value[X86_RAX];

    tell(step, "asks the CPU about itself (leaf eax = ");
    tell(step, leaf > 0xffff ? "%a" : "%v", leaf, 64u);
    return tell(step, ", ecx = %v)", step->before->value[X86_RCX], 32u);
}

/* edx:eax as it is now; detail is a template for what that answers, and its %u
 * is ecx, the register that was asked for. rdtscp also writes ecx. */
bool tell_answer(const struct step *step)
{
    const uint64_t high = value_truncate(step->after->value[X86_RDX], 32);
    const uint64_t low = value_truncate(step->after->value[X86_RAX], 32);

    tell(step, step->detail, (unsigned)step->before->value[X86_RCX]);
    tell(step, " into edx:eax: %r", high << 32 | low, 64u, READ_UNSIGNED);
    return !insn_is(step->insn, "rdtscp") ||
           tell(step, ", and IA32_TSC_AUX into ecx: %v",
                step->after->value[X86_RCX], 32u);
}

bool tell_syscall(const struct step *step)
{
    return tell(step, "system call %v; the kernel returns %v in rax",
                step->before->value[X86_RAX], 64u, step->after->value[X86_RAX],
                64u);
}

/* --- conditions and control ---------------------------------------------- */

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Of the flags, by their bit (SDM vol. 1, 3.4.3). */
#define ZF(flags) ((flags) >> 6 & 1)
#define SF(flags) ((flags) >> 7 & 1)
#define OF(flags) ((flags) >> 11 & 1)

/* cmov, set and j, which detail says, with one of the sixteen conditions; in
 * the order of their encoding every odd one negates the one before (SDM vol. 1,
 * appendix B). For each pair, the flags that it looks at. */
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
