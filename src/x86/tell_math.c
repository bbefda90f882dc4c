/* SPDX-License-Identifier: MIT */
/*
 * Sentences that are equations.
 *
 * Numbers are written as value_describe does, so an equation is checked as it
 * reads: 0x7fff0010 + -16 with the one taken as unsigned and the other as
 * signed. Where it does not hold as ordinary arithmetic the result wrapped
 * around, and the sentence says so. Where it does not hold modulo 2^bits
 * either, it is not what happened, and it is not told.
 */
#include "x86/tell.h"

#include <string.h>

/* The status flags: CF PF AF ZF SF OF (SDM vol. 1, 3.4.3.1). */
#define STATUS_FLAGS UINT64_C(0x8d5)

/* Where the equation, taken as it reads, gives something else. */
static void tell_wrap(const struct step *step, __int128 computed,
                      uint64_t result, unsigned bits)
{
    if (computed != value_as_read(result, bits))
        buf_printf(step->out, ", wrapped around at %u bits", bits);
}

/*
 * a symbol b, modulo 2^128. Only a product can be too large for that, and then
 * what is left is no number that value_describe writes as a negative one, so
 * that tell_wrap still sees the difference.
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

bool tell_equation(const struct step *step, char symbol, uint64_t a, uint64_t b,
                   uint64_t result, unsigned bits)
{
    bool is_bitwise = strchr("&|^", symbol);
    __int128 computed =
        compute(symbol, value_as_read(a, bits), value_as_read(b, bits));

    if (value_truncate((uint64_t)computed, bits) !=
        value_truncate(result, bits))
        return false;
    tell_value(step, a, bits);
    buf_printf(step->out, " %c ", symbol);
    tell_value(step, b, bits);
    tell_words(step, " = ");
    tell_value(step, result, bits);
    if (!is_bitwise)
        tell_wrap(step, computed, result, bits);
    return true;
}

/* add, sub, imul with two or three operands, and, or, xor */
bool tell_binary(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *right =
        &step->insn->operands[insn_visible_operands(step->insn) - 1];
    const struct insn_operand *left = right - 1;
    uint64_t a;
    uint64_t b;
    uint64_t result;

    if (insn_visible_operands(step->insn) < 2 ||
        !operand_before(step, left, &a) || !operand_before(step, right, &b) ||
        !operand_after(step, to, &result))
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    if (*symbol == '^' && operand_is_same(left, right) && !result) {
        tell_words(step, "0");
        return true;
    }
    if (!tell_equation(step, *symbol, a, b, result, to->bits))
        return false;
    if (left != to)
        tell_origin(step, left, a);
    tell_origin(step, right, b);
    return true;
}

/* adc, sbb */
bool tell_with_carry(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    unsigned carry = step->before->value[REG_FLAGS] & 1;
    uint64_t a;
    uint64_t b;
    uint64_t result;
    __int128 computed;

    if (!operand_before(step, to, &a) || !operand_before(step, from, &b) ||
        !operand_after(step, to, &result))
        return false;
    computed = compute(*symbol, value_as_read(a, to->bits),
                       value_as_read(b, to->bits));
    computed = compute(*symbol, computed, carry);
    if (value_truncate((uint64_t)computed, to->bits) != result)
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    tell_value(step, a, to->bits);
    buf_printf(step->out, " %s ", symbol);
    tell_value(step, b, to->bits);
    buf_printf(step->out, " %s %u (CF) = ", symbol, carry);
    tell_value(step, result, to->bits);
    tell_wrap(step, computed, result, to->bits);
    tell_origin(step, from, b);
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
        return tell_equation(step, '-', 0, value, result, to->bits);
    return tell_equation(step, *symbol, value, 1, result, to->bits);
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

/* A shifted number; one that has no sign is shown as such. */
static void tell_shifted(const struct step *step, uint64_t value, unsigned bits,
                         bool is_unsigned)
{
    if (is_unsigned)
        value_describe_unsigned(value, step->out);
    else
        tell_value(step, value, bits);
}

/* shl: "<<"; shr: ">>" of a number without sign; sar: ">>s" with its sign */
static __int128 shift(const char *symbol, uint64_t value, unsigned bits,
                      unsigned count)
{
    unsigned unused = 64 - bits;

    if (*symbol == '<')
        return compute('*', value_as_read(value, bits), (__int128)1 << count);
    if (symbol[2] == 's')
        return (int64_t)(value << unused) >> unused >> count;
    return value >> count;
}

bool tell_shift(const struct step *step, const char *symbol)
{
    const struct insn_operand *to = &step->insn->operands[0];
    bool is_unsigned = !strcmp(symbol, ">>");
    uint64_t value;
    uint64_t asked;
    uint64_t result;
    __int128 computed;
    unsigned count;

    if (!shift_count(step, to->bits, &asked, &count) ||
        !operand_before(step, to, &value) || !operand_after(step, to, &result))
        return false;
    computed = shift(symbol, value, to->bits, count);
    if (value_truncate((uint64_t)computed, to->bits) != result)
        return false;
    tell_place(step, to);
    tell_words(step, " = ");
    tell_shifted(step, value, to->bits, is_unsigned);
    buf_printf(step->out, " %.2s %u = ", symbol, count);
    tell_shifted(step, result, to->bits, is_unsigned);
    if (*symbol == '<')
        tell_wrap(step, computed, result, to->bits);
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

/* One register of an address: returns the number that it stands for. */
static __int128 tell_address_part(const struct step *step,
                                  const struct insn_operand *sum, enum reg reg)
{
    uint64_t value = reg == REG_PC ? step->insn->addr + step->insn->length
                                   : step->before->value[reg];

    value = value_truncate(value, sum->address_bits);
    tell_value(step, value, sum->address_bits);
    return value_as_read(value, sum->address_bits);
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

/* "5 + 7*4 - 8": the terms of an address; returns their sum as it reads. */
static __int128 tell_terms(const struct step *step,
                           const struct insn_operand *sum, unsigned *count)
{
    __int128 computed = 0;

    *count = 0;
    if (sum->base != REG_NONE) {
        computed += tell_address_part(step, sum, sum->base);
        ++*count;
    }
    if (sum->index != REG_NONE) {
        tell_words(step, *count ? " + " : "");
        computed += tell_address_part(step, sum, sum->index) * sum->scale;
        ++*count;
        if (sum->scale > 1) {
            buf_printf(step->out, "*%u", sum->scale);
            ++*count;
        }
    }
    if (sum->displacement || !*count) {
        tell_displacement(step, !*count, sum->displacement);
        ++*count;
    }
    return computed + sum->displacement;
}

bool tell_lea(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *sum = &step->insn->operands[1];
    unsigned bits = to->bits < sum->address_bits ? to->bits : sum->address_bits;
    uint64_t result = operand_part(to, step->after);
    __int128 computed;
    unsigned count;

    (void)detail;
    tell_register(step, to);
    tell_words(step, " = ");
    computed = tell_terms(step, sum, &count);
    if (value_truncate((uint64_t)computed, bits) != result)
        return false;
    if (count > 1) {
        tell_words(step, " = ");
        tell_value(step, result, to->bits);
        tell_wrap(step, computed, result, bits);
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
    unsigned bits = left->bits;
    uint64_t a;
    uint64_t b;

    if (!operand_before(step, left, &a) || !operand_before(step, right, &b))
        return false;
    if (*symbol == '-') {
        tell_words(step, "compares ");
        tell_value(step, a, bits);
        tell_words(step, " with ");
        tell_value(step, b, bits);
        tell_words(step, ": ");
    } else {
        tell_words(step, "tests ");
    }
    if (!tell_equation(step, *symbol, a, b, *symbol == '-' ? a - b : a & b,
                       bits))
        return false;
    tell_words(step, *symbol == '-' ? " " : ": ");
    tell_flags(step);
    tell_origin(step, left, a);
    tell_origin(step, right, b);
    return true;
}
