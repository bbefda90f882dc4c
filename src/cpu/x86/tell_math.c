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
        buf_printf(step->out, ", wrapped around at %u bits", bits);
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

static bool equation_holds(const struct equation *equation,
                           enum reading reading)
{
    /* These have no carries, and nothing that could wrap. */
    if (strchr("&|^", equation->symbol))
        return true;
    return equation_left(equation, reading) ==
           value_read(equation->result, equation->bits, reading);
}

enum reading equation_reading(const struct equation *equation)
{
    for (int i = 0; i < READING_COUNT; i++)
        if (equation_holds(equation, (enum reading)i))
            return (enum reading)i;
    return READ_AS_SHOWN;
}

bool tell_equation(const struct step *step, const struct equation *equation)
{
    enum reading reading = equation_reading(equation);
    uint64_t computed = (uint64_t)equation_left(equation, reading);
    unsigned bits = equation->bits;

    if (value_truncate(computed ^ equation->result, bits))
        return false;
    tell_read(step, equation->a, bits, reading);
    buf_printf(step->out, " %c ", equation->symbol);
    tell_read(step, equation->b, bits, reading);
    if (equation->carry)
        buf_printf(step->out, " %c %u (CF)", equation->symbol,
                   *equation->carry);
    tell_words(step, " = ");
    tell_read(step, equation->result, bits, reading);
    tell_wrap(step, equation_holds(equation, reading), bits);
    return true;
}

/* add, sub, imul with two or three operands, and, or, xor */
bool tell_binary(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *right =
        &step->insn->operands[insn_visible_operands(step->insn) - 1];
    const struct insn_operand *left = right - 1;
    struct equation equation = {.symbol = *symbol, .bits = to->bits};

    if (insn_visible_operands(step->insn) < 2 ||
        !operand_before(step, left, &equation.a) ||
        !operand_before(step, right, &equation.b) ||
        !operand_after(step, to, &equation.result))
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    if (*symbol == '^' && operand_is_same(left, right) && !equation.result) {
        tell_words(step, "0");
        return true;
    }
    if (!tell_equation(step, &equation))
        return false;
    if (left != to)
        tell_origin(step, left, equation.a, equation_reading(&equation));
    tell_origin(step, right, equation.b, equation_reading(&equation));
    return true;
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
    if (operand_part(from, step->after) != value)
        return false;
    tell_words(step, "; ");
    tell_register(step, from);
    tell_words(step, " = ");
    tell_value(step, value, from->bits);
    tell_words(step, ", the value before");
    return true;
}

/* adc, sbb */
bool tell_with_carry(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    unsigned carry = step->before->value[REG_FLAGS] & 1;
    struct equation equation = {
        .symbol = *symbol, .bits = to->bits, .carry = &carry};

    if (!operand_before(step, to, &equation.a) ||
        !operand_before(step, from, &equation.b) ||
        !operand_after(step, to, &equation.result))
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    if (!tell_equation(step, &equation))
        return false;
    tell_origin(step, from, equation.b, equation_reading(&equation));
    return true;
}

/* inc, dec: "+", "-"; neg: "0" */
bool tell_unary(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;
    uint64_t result;

    if (!operand_before(step, to, &value) || !operand_after(step, to, &result))
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    if (*symbol == '0')
        return tell_equation(
            step, &(struct equation){'-', 0, value, result, to->bits, NULL});
    return tell_equation(
        step, &(struct equation){*symbol, value, 1, result, to->bits, NULL});
}

bool tell_not(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;
    uint64_t result;

    (void)detail;
    if (!operand_before(step, to, &value) || !operand_after(step, to, &result))
        return false;
    tell_place(step, to);
    tell_words(step, " = ~");
    tell_value(step, value, to->bits);
    tell_words(step, " = ");
    tell_value(step, result, to->bits);
    return true;
}

/* The count is taken modulo 32, or 64 for 64-bit operands (SDM, SAL). */
static bool shift_count(const struct step *step, unsigned bits, uint64_t *asked,
                        unsigned *count)
{
    if (insn_visible_operands(step->insn) < 2 ||
        !operand_before(step, &step->insn->operands[1], asked))
        return false;
    *asked &= 0xff;
    *count = *asked & (bits == 64 ? 63 : 31);
    return true;
}

static void tell_shift_count(const struct step *step, uint64_t asked,
                             unsigned count)
{
    if (asked != count)
        buf_printf(step->out, ", the CPU uses %u of the count %u", count,
                   (unsigned)asked);
}

/* shl: "<<"; shr: ">>" of a number without sign; sar: ">>s" with its sign */
static __int128 shift(const char *symbol, uint64_t value, unsigned bits,
                      unsigned count, enum reading reading)
{
    __int128 number = value_read(value, bits, reading);

    if (*symbol == '<')
        return compute('*', number, (__int128)1 << count);
    return number >> count;
}

/* Only shl does not care about a sign. */
static enum reading shift_reading(const char *symbol, uint64_t value,
                                  uint64_t result, unsigned bits,
                                  unsigned count)
{
    if (*symbol == '>')
        return symbol[2] == 's' ? READ_SIGNED : READ_UNSIGNED;
    for (int i = 0; i < READING_COUNT; i++)
        if (shift(symbol, value, bits, count, (enum reading)i) ==
            value_read(result, bits, (enum reading)i))
            return (enum reading)i;
    return READ_AS_SHOWN;
}

bool tell_shift(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;
    uint64_t asked;
    uint64_t result;
    enum reading reading;
    __int128 computed;
    unsigned count;

    if (!shift_count(step, to->bits, &asked, &count) ||
        !operand_before(step, to, &value) || !operand_after(step, to, &result))
        return false;
    reading = shift_reading(symbol, value, result, to->bits, count);
    computed = shift(symbol, value, to->bits, count, reading);
    if (value_truncate((uint64_t)computed, to->bits) != result)
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    tell_read(step, value, to->bits, reading);
    buf_printf(step->out, " %.2s %u = ", symbol, count);
    tell_read(step, result, to->bits, reading);
    tell_wrap(step, computed == value_read(result, to->bits, reading),
              to->bits);
    tell_shift_count(step, asked, count);
    return true;
}

/* detail is "left" or "right" */
bool tell_rotate(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    uint64_t value;
    uint64_t asked;
    uint64_t result;
    unsigned count;

    if (!shift_count(step, to->bits, &asked, &count) ||
        !operand_before(step, to, &value) || !operand_after(step, to, &result))
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    value_describe_unsigned(value, step->out);
    buf_printf(step->out, " rotated %s by %u = ", detail, count);
    value_describe_unsigned(result, step->out);
    tell_shift_count(step, asked, count);
    return true;
}

/*
 * The sum that lea computes. Only the low bits of its terms count, those that
 * the result has and that the address has.
 */
struct sum {
    const struct insn_operand *terms;
    unsigned bits;
    enum reading reading;
};

static uint64_t term_value(const struct step *step, enum reg reg)
{
    return reg == REG_PC ? step->insn->addr + step->insn->length
                         : step->before->value[reg];
}

static __int128 sum_value(const struct step *step, const struct sum *sum)
{
    const struct insn_operand *terms = sum->terms;
    __int128 value = terms->displacement;

    if (terms->base != REG_NONE)
        value +=
            value_read(term_value(step, terms->base), sum->bits, sum->reading);
    if (terms->index != REG_NONE)
        value += value_read(term_value(step, terms->index), sum->bits,
                            sum->reading) *
                 terms->scale;
    return value;
}

/* " + 16", " - 8", or the number alone where nothing stands before it */
static void tell_displacement(const struct step *step, bool is_first,
                              int64_t displacement)
{
    bool is_minus = !is_first && displacement < 0;

    if (!is_first)
        tell_words(step, is_minus ? " - " : " + ");
    tell_value(step, (uint64_t)(is_minus ? -displacement : displacement), 64);
}

/* "5 + 7*4 - 8": returns how many numbers that are. */
static unsigned tell_terms(const struct step *step, const struct sum *sum)
{
    const struct insn_operand *terms = sum->terms;
    unsigned count = 0;

    if (terms->base != REG_NONE) {
        tell_read(step, term_value(step, terms->base), sum->bits, sum->reading);
        count++;
    }
    if (terms->index != REG_NONE) {
        tell_words(step, count ? " + " : "");
        tell_read(step, term_value(step, terms->index), sum->bits,
                  sum->reading);
        count++;
        if (terms->scale > 1) {
            buf_printf(step->out, "*%u", terms->scale);
            count++;
        }
    }
    if (terms->displacement || !count) {
        tell_displacement(step, !count, terms->displacement);
        count++;
    }
    return count;
}

/* Takes the first reading in which the sum is the result, if there is one. */
static bool find_sum_reading(const struct step *step, uint64_t result,
                             unsigned bits, struct sum *sum)
{
    for (int i = 0; i < READING_COUNT; i++) {
        sum->reading = (enum reading)i;
        if (sum_value(step, sum) == value_read(result, bits, sum->reading))
            return true;
    }
    sum->reading = READ_AS_SHOWN;
    return false;
}

bool tell_lea(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *terms = &step->insn->operands[1];
    unsigned bits =
        to->bits < terms->address_bits ? to->bits : terms->address_bits;
    struct sum sum = {terms, bits, READ_AS_SHOWN};
    uint64_t result = operand_part(to, step->after);
    bool holds = find_sum_reading(step, result, to->bits, &sum);

    (void)detail;
    if (value_truncate((uint64_t)sum_value(step, &sum), bits) != result)
        return false;
    tell_register(step, to);
    tell_words(step, " = ");
    if (tell_terms(step, &sum) > 1) {
        tell_words(step, " = ");
        tell_read(step, result, to->bits, sum.reading);
        tell_wrap(step, holds, bits);
    }
    return true;
}

/* The two halves of a product or dividend: ax, or rdx:rax. */
static unsigned __int128 wide_value(const struct regs *regs, unsigned bits)
{
    if (bits == 8)
        return (uint16_t)regs->value[X86_RAX];
    return (unsigned __int128)value_truncate(regs->value[X86_RDX], bits)
               << bits |
           value_truncate(regs->value[X86_RAX], bits);
}

/* The number in the low bits (up to 128), with or without a sign. */
static __int128 extend(unsigned __int128 value, unsigned bits, bool is_signed)
{
    unsigned unused = 128 - bits;

    if (is_signed)
        return (__int128)(value << unused) >> unused;
    return (__int128)(value << unused >> unused);
}

/* These instructions say whether their numbers have a sign, so large negative
 * ones are written with it, as "-0x123456789". */
static void tell_number(const struct step *step, unsigned __int128 value,
                        unsigned bits, bool is_signed)
{
    __int128 number = extend(value, bits, is_signed);
    bool is_negative = is_signed && number < 0;

    tell_words(step, is_negative ? "-" : "");
    value_describe_unsigned(is_negative ? -(unsigned __int128)number
                                        : (unsigned __int128)number,
                            step->out);
}

static void tell_source(const struct step *step, const char *what,
                        const struct insn_operand *operand)
{
    if (operand->kind != OPERAND_MEMORY)
        return;
    buf_printf(step->out, ", the %s ", what);
    tell_loaded(step, operand);
}

static void tell_wide_name(const struct step *step, unsigned bits)
{
    if (bits == 8) {
        tell_words(step, "ax");
        return;
    }
    reg_part_name(X86_RDX, bits, false, step->out);
    tell_words(step, ":");
    reg_part_name(X86_RAX, bits, false, step->out);
}

/* mul and imul with one operand; detail is "signed" or "unsigned" */
bool tell_multiply(const struct step *step, const char *detail)
{
    const struct insn_operand *by = &step->insn->operands[0];
    unsigned bits = by->bits;
    bool is_signed = *detail == 's';
    uint64_t rax = step->before->value[X86_RAX];
    unsigned __int128 product = wide_value(step->after, bits);
    unsigned __int128 computed;
    uint64_t factor;

    if (insn_visible_operands(step->insn) != 1)
        return tell_binary(step, "*");
    if (!operand_before(step, by, &factor))
        return false;
    computed = (unsigned __int128)extend(rax, bits, is_signed) *
               (unsigned __int128)extend(factor, bits, is_signed);
    if (extend(computed ^ product, 2 * bits, false))
        return false;
    tell_wide_name(step, bits);
    tell_words(step, " = ");
    tell_number(step, rax, bits, is_signed);
    tell_words(step, " * ");
    tell_number(step, factor, bits, is_signed);
    tell_words(step, " = ");
    tell_number(step, product, 2 * bits, is_signed);
    tell_source(step, "factor", by);
    return true;
}

/* Whether quotient * divisor + remainder is the dividend. */
static bool division_holds(const struct step *step, uint64_t divisor,
                           uint64_t remainder, unsigned bits, bool is_signed)
{
    uint64_t rax = step->after->value[X86_RAX];
    unsigned __int128 computed =
        (unsigned __int128)extend(rax, bits, is_signed) *
            (unsigned __int128)extend(divisor, bits, is_signed) +
        (unsigned __int128)extend(remainder, bits, is_signed);

    return !extend(computed ^ wide_value(step->before, bits), 2 * bits, false);
}

bool tell_divide(const struct step *step, const char *detail)
{
    const struct insn_operand *by = &step->insn->operands[0];
    unsigned bits = by->bits;
    bool is_signed = *detail == 's';
    uint64_t rax = step->after->value[X86_RAX];
    uint64_t remainder = bits == 8 ? rax >> 8 : step->after->value[X86_RDX];
    uint64_t divisor;

    if (!operand_before(step, by, &divisor) || !divisor ||
        !division_holds(step, divisor, remainder, bits, is_signed))
        return false;
    reg_part_name(X86_RAX, bits, false, step->out);
    tell_words(step, " = ");
    tell_number(step, wide_value(step->before, bits), 2 * bits, is_signed);
    tell_words(step, " / ");
    tell_number(step, divisor, bits, is_signed);
    tell_words(step, " = ");
    tell_number(step, rax, bits, is_signed);
    tell_words(step, "; ");
    reg_part_name(bits == 8 ? X86_RAX : X86_RDX, bits, bits == 8, step->out);
    tell_words(step, " = ");
    tell_number(step, remainder, bits, is_signed);
    tell_words(step, ", the remainder");
    tell_source(step, "divisor", by);
    return true;
}

/* "sets CF SF": the status flags that are 1 now. */
static void tell_flags(const struct step *step)
{
    uint64_t set = step->after->value[REG_FLAGS] & STATUS_FLAGS;

    if (set) {
        tell_words(step, "sets ");
        flags_describe(set, step->out);
    } else {
        tell_words(step, "clears all status flags");
    }
}

/* cmp: "-"; test: "&" */
bool tell_compare(const struct step *step, const char *symbol)
{
    const struct insn_operand *left = &step->insn->operands[0];
    const struct insn_operand *right = &step->insn->operands[1];
    struct equation equation = {.symbol = *symbol, .bits = left->bits};
    bool is_minus = *symbol == '-';
    enum reading reading;

    if (!operand_before(step, left, &equation.a) ||
        !operand_before(step, right, &equation.b))
        return false;
    equation.result =
        is_minus ? equation.a - equation.b : equation.a & equation.b;
    reading = equation_reading(&equation);
    tell_words(step, is_minus ? "compares " : "tests ");
    if (is_minus) {
        tell_read(step, equation.a, equation.bits, reading);
        tell_words(step, " with ");
        tell_read(step, equation.b, equation.bits, reading);
        tell_words(step, ": ");
    }
    if (!tell_equation(step, &equation))
        return false;
    tell_words(step, is_minus ? " " : ": ");
    tell_flags(step);
    tell_origin(step, left, equation.a, reading);
    tell_origin(step, right, equation.b, reading);
    return true;
}
