/* SPDX-License-Identifier: MIT */
/*
 * Sentences that are equations.
 *
 * The CPU computes modulo 2^bits and does not care whether its numbers have a
 * sign, a reader does. So an equation is tried in several readings, beginning
 * with the numbers as value_describe writes them (0x7fff0010 + -16: the one
 * without and the other with a sign), and is written in the first one in which
 * it is true as ordinary arithmetic. Where there is none the result wrapped
 * around, and the sentence says so. Where the equation does not hold modulo
 * 2^bits either, it is not what happened, and it is not told.
 */
#include "cpu/x86/tell.h"

#include <string.h>

/* The status flags: CF PF AF ZF SF OF (SDM vol. 1, 3.4.3.1). */
#define STATUS_FLAGS UINT64_C(0x8d5)

static void tell_wrap(const struct step *step, bool holds, unsigned bits)
{
    if (!holds)
        tell(step, ", wrapped around at %u bits", bits);
}

/*
 * a symbol b, modulo 2^128. Only a product can be too large for that, and then
 * what is left is no number that a result of 64 bits can be read as, so that
 * the difference is still seen.
 */
static __int128 compute(char symbol, __int128 a, __int128 b)
{
    unsigned __int128 left = (unsigned __int128)a;
    unsigned __int128 right = (unsigned __int128)b;

    switch (symbol) {
    case '+':
        return (__int128)(left + right);
    case '-':
        return (__int128)(left - right);
    case '*':
        return (__int128)(left * right);
    case '&':
        return (__int128)(left & right);
    case '|':
        return (__int128)(left | right);
    default:
        return (__int128)(left ^ right);
    }
}

/* The left side, modulo 2^128. */
static __int128 equation_left(const struct equation *equation,
                              enum reading reading)
{
    __int128 computed = compute(
        equation->symbol, value_read(equation->a, equation->bits, reading),
        value_read(equation->b, equation->bits, reading));

    if (equation->carry)
        computed = compute(equation->symbol, computed, *equation->carry);
    return computed;
}

/* The first reading in which it is true as ordinary arithmetic, and whether
 * there is one: else the result wrapped around. & | ^ have no carries, and
 * nothing that could wrap. */
static enum reading equation_reading(const struct equation *equation,
                                     bool *holds)
{
    *holds = true;
    for (int i = 0; i < READING_COUNT; i++)
        if (strchr("&|^", equation->symbol) ||
            equation_left(equation, (enum reading)i) ==
                value_read(equation->result, equation->bits, (enum reading)i))
            return (enum reading)i;
    *holds = false;
    return READ_AS_SHOWN;
}

bool tell_equation(const struct step *step, const struct equation *equation)
{
    const unsigned bits = equation->bits;
    const char symbol[] = {equation->symbol, 0};
    bool holds;
    enum reading reading = equation_reading(equation, &holds);
    uint64_t computed = (uint64_t)equation_left(equation, reading);

    if (value_truncate(computed ^ equation->result, bits))
        return false;
    tell_read(step, equation->a, bits, reading);
    tell(step, " %s ", symbol);
    tell_read(step, equation->b, bits, reading);
    if (equation->carry)
        tell(step, " %s %u (CF)", symbol, *equation->carry);
    tell(step, " = ");
    tell_read(step, equation->result, bits, reading);
    tell_wrap(step, holds, bits);
    return true;
}

/* ", 7 loaded from 0x1000 (4 bytes)" where a value of the equation, as it is
 * written there, is from memory, or nothing */
static void tell_origin(const struct step *step, unsigned operand,
                        uint64_t value, const struct equation *equation)
{
    const struct insn_operand *from = &step->insn->operands[operand];
    bool holds;

    if (from->kind != OPERAND_MEMORY)
        return;
    tell(step, ", ");
    tell_read(step, value, from->bits, equation_reading(equation, &holds));
    tell(step, operand == 0 ? " loaded from %X0" : " loaded from %X1");
}

/* add, sub, imul with two or three operands, and, or, xor; adc and sbb with a
 * carry */
static bool tell_operation(const struct step *step, char symbol,
                           const unsigned *carry)
{
    const struct insn_operand *operands = step->insn->operands;
    const unsigned last = insn_visible_operands(step->insn) - 1;
    struct equation equation = {
        .symbol = symbol, .bits = operands[0].bits, .carry = carry};

    if (last < 1 || last > 2 ||
        !operand_before(step, &operands[last - 1], &equation.a) ||
        !operand_before(step, &operands[last], &equation.b) ||
        !operand_after(step, &operands[0], &equation.result))
        return false;
    tell(step, "%P0 = ");
    if (symbol == '^' && operand_is_same(&operands[0], &operands[1]) &&
        !equation.result)
        return tell(step, "0");
    if (!tell_equation(step, &equation))
        return false;
    if (last == 2)
        tell_origin(step, 1, equation.a, &equation);
    else
        tell_origin(step, 1, equation.b, &equation);
    return true;
}

bool tell_binary(const struct step *step, const char *symbol)
{
    return tell_operation(step, *symbol, NULL);
}

bool tell_with_carry(const struct step *step, const char *symbol)
{
    const unsigned carry = step->before->value[REG_FLAGS] & 1;

    return tell_operation(step, *symbol, &carry);
}

/* An add that also hands over what was there. */
bool tell_xadd(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    uint64_t value;

    (void)detail;
    if (!operand_before(step, to, &value) || !tell_binary(step, "+"))
        return false;
    if (operand_is_same(to, from))
        return true;
    return operand_part(from, step->after) == value &&
           tell(step, "; %R1 = %V1, the value before");
}

/* inc, dec: "+", "-"; neg: "0" */
bool tell_unary(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    struct equation equation = {*symbol, .b = 1, .bits = to->bits};

    if (!operand_before(step, to, &equation.a) ||
        !operand_after(step, to, &equation.result))
        return false;
    if (*symbol == '0')
        equation = (struct equation){'-',      0,   equation.a, equation.result,
                                     to->bits, NULL};
    tell(step, "%P0 = ");
    return tell_equation(step, &equation);
}

bool tell_not(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;

    (void)detail;
    return operand_before(step, to, &value) &&
           tell(step, "%P0 = ~%v = %V0", value, (unsigned)to->bits);
}

/* --- shifts --------------------------------------------------------------- */

/* What a shift or a rotation works on. */
struct shift {
    const char *symbol; /* shl: "<<"; shr: ">>"; sar: ">>s", with the sign */
    unsigned bits;
    uint64_t value;
    uint64_t result;
    unsigned asked;
    unsigned count; /* taken modulo 32, or 64 of 64 bits (SDM vol. 2, SAL) */
};

static bool find_shift(const struct step *step, const char *symbol,
                       struct shift *out)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t asked;

    if (insn_visible_operands(step->insn) < 2 ||
        !operand_before(step, &step->insn->operands[1], &asked) ||
        !operand_before(step, to, &out->value) ||
        !operand_after(step, to, &out->result))
        return false;
    out->symbol = symbol;
    out->bits = to->bits;
    out->asked = asked & 0xff;
    out->count = out->asked & (to->bits == 64 ? 63 : 31);
    return true;
}

static void tell_count(const struct step *step, const struct shift *shift)
{
    if (shift->asked != shift->count)
        tell(step, ", the CPU uses %u of the count %u", shift->count,
             shift->asked);
}

/* Whether it is true as ordinary arithmetic; *computed is its low bits. */
static bool shift_holds(const struct shift *shift, enum reading reading,
                        uint64_t *computed)
{
    __int128 number = value_read(shift->value, shift->bits, reading);

    if (*shift->symbol == '<')
        number = compute('*', number, (__int128)1 << shift->count);
    else
        number >>= shift->count;
    *computed = value_truncate((uint64_t)number, shift->bits);
    return number == value_read(shift->result, shift->bits, reading);
}

bool tell_shift(const struct step *step, const char *symbol)
{
    enum reading reading = READ_AS_SHOWN;
    struct shift shift;
    uint64_t computed;
    bool holds;

    if (!find_shift(step, symbol, &shift))
        return false;
    if (*symbol == '>') { /* only shl does not care about a sign */
        reading = symbol[2] == 's' ? READ_SIGNED : READ_UNSIGNED;
    } else {
        while (reading < READING_COUNT &&
               !shift_holds(&shift, reading, &computed))
            reading++;
        if (reading == READING_COUNT)
            reading = READ_AS_SHOWN;
    }
    holds = shift_holds(&shift, reading, &computed);
    if (computed != shift.result)
        return false;
    tell(step, "%P0 = ");
    tell_read(step, shift.value, shift.bits, reading);
    tell(step, *symbol == '<' ? " << %u = " : " >> %u = ", shift.count);
    tell_read(step, shift.result, shift.bits, reading);
    tell_wrap(step, holds, shift.bits);
    tell_count(step, &shift);
    return true;
}

/* detail is "left" or "right" */
bool tell_rotate(const struct step *step, const char *detail)
{
    struct shift shift;

    if (!find_shift(step, detail, &shift))
        return false;
    tell(step, "%P0 = ");
    wide_describe(shift.value, 64, false, step->out);
    tell(step, " rotated %s by %u = ", detail, shift.count);
    wide_describe(shift.result, 64, false, step->out);
    tell_count(step, &shift);
    return true;
}

/* --- lea ------------------------------------------------------------------ */

/*
 * The sum that lea computes. Only the low bits of its terms count, those that
 * the result has and that the address has.
 */
struct sum {
    const struct insn_operand *terms;
    unsigned bits;
    uint64_t base;
    uint64_t index;
};

static __int128 sum_value(const struct sum *sum, enum reading reading)
{
    return sum->terms->displacement +
           value_read(sum->base, sum->bits, reading) +
           value_read(sum->index, sum->bits, reading) * sum->terms->scale;
}

/* "5 + 7*4 - 8": returns how many numbers that are. */
static unsigned tell_terms(const struct step *step, const struct sum *sum,
                           enum reading reading)
{
    const struct insn_operand *terms = sum->terms;
    const int64_t displacement = terms->displacement;
    unsigned count = 0;

    if (terms->base != REG_NONE) {
        tell_read(step, sum->base, sum->bits, reading);
        count++;
    }
    if (terms->index != REG_NONE) {
        tell(step, count ? " + " : "");
        tell_read(step, sum->index, sum->bits, reading);
        count++;
        if (terms->scale > 1) {
            tell(step, "*%u", (unsigned)terms->scale);
            count++;
        }
    }
    if (!count || displacement) {
        bool is_minus = count && displacement < 0;

        tell(step, "%s%v",
             is_minus ? " - "
             : count  ? " + "
                      : "",
             (uint64_t)(is_minus ? -displacement : displacement), 64u);
        count++;
    }
    return count;
}

bool tell_lea(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *terms = &step->insn->operands[1];
    const struct regs *regs = step->before;
    const uint64_t result = operand_part(to, step->after);
    enum reading reading = READ_AS_SHOWN;
    struct sum sum = {terms, to->bits, 0, 0};
    bool holds;

    (void)detail;
    if (sum.bits > terms->address_bits)
        sum.bits = terms->address_bits;
    if (terms->base != REG_NONE)
        sum.base = terms->base == REG_PC ? step->insn->addr + step->insn->length
                                         : regs->value[terms->base];
    if (terms->index != REG_NONE)
        sum.index = regs->value[terms->index];
    while (reading < READING_COUNT &&
           sum_value(&sum, reading) != value_read(result, to->bits, reading))
        reading++;
    holds = reading < READING_COUNT;
    if (!holds)
        reading = READ_AS_SHOWN;
    if (value_truncate((uint64_t)sum_value(&sum, reading), sum.bits) != result)
        return false;
    tell(step, "%R0 = ");
    if (tell_terms(step, &sum, reading) > 1) {
        tell(step, " = ");
        tell_read(step, result, to->bits, reading);
        tell_wrap(step, holds, sum.bits);
    }
    return true;
}

/* --- products and quotients ----------------------------------------------- */

/* mul and imul with one operand; detail is "signed" or "unsigned", which is how
 * large numbers are written */
bool tell_multiply(const struct step *step, const char *detail)
{
    const struct insn_operand *by = &step->insn->operands[0];
    const unsigned bits = by->bits;
    const bool is_signed = *detail == 's';
    const uint64_t rax = step->before->value[X86_RAX];
    const unsigned __int128 product = wide_value(step->after, bits);
    unsigned __int128 computed;
    uint64_t factor;

    if (insn_visible_operands(step->insn) != 1)
        return tell_binary(step, "*");
    if (!operand_before(step, by, &factor))
        return false;
    computed = (unsigned __int128)wide_extend(rax, bits, is_signed) *
               (unsigned __int128)wide_extend(factor, bits, is_signed);
    if (wide_extend(computed ^ product, 2 * bits, false))
        return false;
    if (bits == 8)
        tell(step, "ax = ");
    else
        tell(step, "%g:%g = ", X86_RDX, bits, X86_RAX, bits);
    wide_describe(rax, bits, is_signed, step->out);
    tell(step, " * ");
    wide_describe(factor, bits, is_signed, step->out);
    tell(step, " = ");
    wide_describe(product, 2 * bits, is_signed, step->out);
    if (by->kind == OPERAND_MEMORY)
        tell(step, ", the factor loaded from %X0");
    return true;
}

bool tell_divide(const struct step *step, const char *detail)
{
    const struct insn_operand *by = &step->insn->operands[0];
    const unsigned bits = by->bits;
    const bool is_signed = *detail == 's';
    const uint64_t rax = step->after->value[X86_RAX];
    const uint64_t remainder =
        bits == 8 ? rax >> 8 : step->after->value[X86_RDX];
    const unsigned __int128 dividend = wide_value(step->before, bits);
    unsigned __int128 computed;
    uint64_t divisor;

    if (!operand_before(step, by, &divisor) || !divisor)
        return false;
    computed = (unsigned __int128)wide_extend(rax, bits, is_signed) *
                   (unsigned __int128)wide_extend(divisor, bits, is_signed) +
               (unsigned __int128)wide_extend(remainder, bits, is_signed);
    if (wide_extend(computed ^ dividend, 2 * bits, false))
        return false;
    tell(step, "%g = ", X86_RAX, bits);
    wide_describe(dividend, 2 * bits, is_signed, step->out);
    tell(step, " / ");
    wide_describe(divisor, bits, is_signed, step->out);
    tell(step, " = ");
    wide_describe(rax, bits, is_signed, step->out);
    tell(step, "; ");
    reg_part_name(bits == 8 ? X86_RAX : X86_RDX, bits, bits == 8, step->out);
    tell(step, " = ");
    wide_describe(remainder, bits, is_signed, step->out);
    tell(step, ", the remainder");
    if (by->kind == OPERAND_MEMORY)
        tell(step, ", the divisor loaded from %X0");
    return true;
}

/* --- comparisons ---------------------------------------------------------- */

/* cmp: "-"; test: "&" */
bool tell_compare(const struct step *step, const char *symbol)
{
    const struct insn_operand *operands = step->insn->operands;
    const uint64_t set = step->after->value[REG_FLAGS] & STATUS_FLAGS;
    struct equation equation = {.symbol = *symbol, .bits = operands[0].bits};
    const bool is_minus = *symbol == '-';
    enum reading reading;
    bool holds;

    if (!operand_before(step, &operands[0], &equation.a) ||
        !operand_before(step, &operands[1], &equation.b))
        return false;
    equation.result =
        is_minus ? equation.a - equation.b : equation.a & equation.b;
    reading = equation_reading(&equation, &holds);
    if (is_minus) {
        tell(step, "compares ");
        tell_read(step, equation.a, equation.bits, reading);
        tell(step, " with ");
        tell_read(step, equation.b, equation.bits, reading);
        tell(step, ": ");
    } else {
        tell(step, "tests ");
    }
    if (!tell_equation(step, &equation))
        return false;
    tell(step, is_minus ? " " : ": ");
    tell(step, set ? "sets " : "clears all status flags");
    if (set)
        flags_describe(set, step->out);
    tell_origin(step, 0, equation.a, &equation);
    tell_origin(step, 1, equation.b, &equation);
    return true;
}
