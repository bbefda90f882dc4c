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

#include <ctype.h>

/* The status flags: CF PF AF ZF SF OF (SDM vol. 1, 3.4.3.1). */
#define STATUS_FLAGS UINT64_C(0x8d5)

/* The left side in that reading, modulo 2^128. Only a product can be too large
 * for that, and then what is left is no number that a result of 64 bits can be
 * read as, so that the difference is still seen. */
static __int128 compute(const struct equation *equation, enum reading reading)
{
    __int128 a = value_read(equation->a, equation->bits, reading);
    __int128 b = value_read(equation->b, equation->bits, reading);

    switch (*equation->symbol) {
    case '+':
        return a + b + equation->carry;
    case '-':
        return a - b - equation->carry;
    case '*':
        return (__int128)((unsigned __int128)a * (unsigned __int128)b);
    case '&':
        return a & b;
    case '|':
        return a | b;
    case '^':
        return a ^ b;
    case '<':
        return (__int128)((unsigned __int128)a << b);
    default:
        return a >> b;
    }
}

/*
 * The first reading in which it is true as ordinary arithmetic, and whether
 * there is one: else the result wrapped around. & | ^ have no carries, and
 * nothing that could wrap; of the shifts only shl does not care about a sign.
 */
static enum reading equation_reading(const struct equation *equation,
                                     bool *holds)
{
    *holds = true;
    if (*equation->symbol == '>')
        return equation->symbol[2] == 's' ? READ_SIGNED : READ_UNSIGNED;
    for (int i = 0; i < READING_COUNT; i++)
        if (strchr("&|^", *equation->symbol) ||
            compute(equation, (enum reading)i) ==
                value_read(equation->result, equation->bits, (enum reading)i))
            return (enum reading)i;
    *holds = false;
    return READ_AS_SHOWN;
}

bool tell_equation(const struct step *step, const struct equation *equation)
{
    const unsigned bits = equation->bits;
    bool holds;
    enum reading reading = equation_reading(equation, &holds);
    uint64_t computed = (uint64_t)compute(equation, reading);

    if (value_truncate(computed ^ equation->result, bits))
        return false;
    tell(step, "%r ", equation->a, bits, reading);
    buf_append(step->out, equation->symbol,
               strspn(equation->symbol, "+-*&|^<>"));
    tell(step, " %r", equation->b, bits, reading);
    if (equation->symbol[1] == 'c')
        tell(step, " %s %u (CF)", *equation->symbol == '+' ? "+" : "-",
             equation->carry);
    tell(step, " = %r", equation->result, bits, reading);
    return holds || tell(step, ", wrapped around at %u bits", bits);
}

/* ", 7 loaded from 0x1000 (4 bytes)" where a value of the equation, as it is
 * written there, is from memory, or nothing */
static void tell_origin(const struct step *step, unsigned operand,
                        uint64_t value, const struct equation *equation)
{
    bool holds;

    if (step->insn->operands[operand].kind == OPERAND_MEMORY)
        tell(step,
             operand == 0 ? ", %r loaded from %X0" : ", %r loaded from %X1",
             value, equation->bits, equation_reading(equation, &holds));
}

/* add, sub, imul with two or three operands, and, or, xor; adc and sbb: detail
 * is the symbol, with a c for the carry */
bool tell_binary(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const unsigned last = insn_visible_operands(step->insn) - 1;
    struct equation equation = {.symbol = step->detail,
                                .bits = operands[0].bits};

    if (last < 1 || last > 2 ||
        !operand_value(step, BEFORE, &operands[last - 1], &equation.a) ||
        !operand_value(step, BEFORE, &operands[last], &equation.b) ||
        !operand_value(step, AFTER, &operands[0], &equation.result))
        return false;
    if (step->detail[1] == 'c')
        equation.carry = step->before->value[REG_FLAGS] & 1;
    tell(step, "%P0 = ");
    if (*step->detail == '^' && operand_is_same(&operands[0], &operands[1]) &&
        !equation.result)
        return tell(step, "0");
    if (!tell_equation(step, &equation))
        return false;
    tell_origin(step, 1, last == 2 ? equation.a : equation.b, &equation);
    return true;
}

/* An add that also hands over what was there. */
bool tell_xadd(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    uint64_t value;

    if (!operand_value(step, BEFORE, &operands[0], &value) ||
        !tell_binary(step))
        return false;
    return operand_is_same(&operands[0], &operands[1]) ||
           (operand_part(&operands[1], step->after) == value &&
            tell(step, "; %P1 = %V1, the value before"));
}

/* inc, dec: "+", "-"; neg: "-0" */
bool tell_unary(const struct step *step)
{
    const struct insn_operand *to = &step->insn->operands[0];
    struct equation equation = {step->detail, .b = 1, .bits = to->bits};

    if (!operand_value(step, BEFORE, to, &equation.a) ||
        !operand_value(step, AFTER, to, &equation.result))
        return false;
    if (step->detail[1] == '0') {
        equation.b = equation.a;
        equation.a = 0;
    }
    return tell(step, "%P0 = ") && tell_equation(step, &equation);
}

/* shl: "<<"; shr: ">>"; sar: ">>s"; else "left" or "right". The count is taken
 * modulo 32, or 64 of 64 bits (SDM vol. 2, SAL). */
bool tell_shift(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const unsigned bits = operands[0].bits;
    struct equation equation = {.symbol = step->detail, .bits = bits};
    uint64_t asked;

    if (insn_visible_operands(step->insn) < 2 ||
        !operand_value(step, BEFORE, &operands[1], &asked) ||
        !operand_value(step, BEFORE, &operands[0], &equation.a) ||
        !operand_value(step, AFTER, &operands[0], &equation.result))
        return false;
    asked &= 0xff;
    equation.b = asked & (bits == 64 ? 63 : 31);
    tell(step, "%P0 = ");
    if (isalpha((unsigned char)*step->detail))
        tell(step, "%r rotated %s by %u = %r", equation.a, bits, READ_UNSIGNED,
             step->detail, (unsigned)equation.b, equation.result, bits,
             READ_UNSIGNED);
    else if (!tell_equation(step, &equation))
        return false;
    return asked == equation.b ||
           tell(step, ", the CPU uses %u of the count %u", (unsigned)equation.b,
                (unsigned)asked);
}

/* "rax = 5 + 7*4 - 8 = 25": the sum that is the address. Only those of its low
 * bits count that the result has and that the address has. */
bool tell_lea(const struct step *step)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *terms = &step->insn->operands[1];
    const unsigned bits =
        to->bits < terms->address_bits ? to->bits : terms->address_bits;
    const uint64_t result = operand_part(to, step->after);
    const uint64_t base = insn_register(step->insn, step->before, terms->base);
    const uint64_t index =
        insn_register(step->insn, step->before, terms->index);
    const int64_t displacement = terms->displacement;
    enum reading reading = READ_AS_SHOWN;
    unsigned numbers = 0;
    bool holds = false;
    __int128 sum = 0;

    /* Backwards: the first reading that holds is the last one found. */
    for (int i = READING_COUNT; i-- > 0;) {
        sum = displacement + value_read(base, bits, (enum reading)i) +
              value_read(index, bits, (enum reading)i) * terms->scale;
        if (sum == value_read(result, to->bits, (enum reading)i)) {
            reading = (enum reading)i;
            holds = true;
        }
    }
    if (value_truncate((uint64_t)sum, bits) != result)
        return false;
    tell(step, "%P0 = ");
    if (terms->base != REG_NONE) {
        tell(step, "%r", base, bits, reading);
        numbers++;
    }
    if (terms->index != REG_NONE) {
        tell(step, numbers ? " + %r" : "%r", index, bits, reading);
        numbers++;
        if (terms->scale > 1) {
            tell(step, "*%u", (unsigned)terms->scale);
            numbers++;
        }
    }
    if (!numbers)
        return tell(step, "%v", (uint64_t)displacement, 64u);
    if (displacement) {
        tell(step, displacement < 0 ? " - %v" : " + %v",
             (uint64_t)(displacement < 0 ? -displacement : displacement), 64u);
        numbers++;
    }
    if (numbers > 1)
        tell(step, " = %r", result, to->bits, reading);
    return numbers == 1 || holds ||
           tell(step, ", wrapped around at %u bits", bits);
}

/* mul and imul with one operand, "*u" and "*s"; div and idiv, "/u" and "/s":
 * the letter is how large numbers are written. What is twice as wide as the
 * operand is rax times that, and a remainder. */
bool tell_wide(const struct step *step)
{
    const struct insn_operand *by = &step->insn->operands[0];
    const unsigned bits = by->bits;
    const bool divides = *step->detail == '/';
    const bool is_signed = step->detail[1] == 's';
    const struct regs *after = step->after;
    const unsigned __int128 wide =
        wide_value(divides ? step->before : after, bits);
    const uint64_t rax = (divides ? after : step->before)->value[X86_RAX];
    const uint64_t remainder = !divides    ? 0
                               : bits == 8 ? after->value[X86_RAX] >> 8
                                           : after->value[X86_RDX];
    unsigned __int128 computed;
    uint64_t factor;

    if (insn_visible_operands(step->insn) != 1)
        return tell_binary(step);
    if (!operand_value(step, BEFORE, by, &factor) || (divides && !factor))
        return false;
    computed = (unsigned __int128)wide_extend(rax, bits, is_signed) *
                   (unsigned __int128)wide_extend(factor, bits, is_signed) +
               (unsigned __int128)wide_extend(remainder, bits, is_signed);
    if (wide_extend(computed ^ wide, 2 * bits, false))
        return false;
#define NUMBER(value) (unsigned __int128)(value), bits, is_signed
    if (divides) {
        tell(step, "%g = %w / %w = %w; ", X86_RAX, bits, wide, 2 * bits,
             is_signed, NUMBER(factor), NUMBER(rax));
        reg_part_name(bits == 8 ? X86_RAX : X86_RDX, bits, bits == 8,
                      step->out);
        tell(step, " = %w, the remainder", NUMBER(remainder));
    } else {
        tell(step, bits == 8 ? "ax" : "%g:%g", X86_RDX, bits, X86_RAX, bits);
        tell(step, " = %w * %w = %w", NUMBER(rax), NUMBER(factor), wide,
             2 * bits, is_signed);
    }
    return by->kind != OPERAND_MEMORY ||
           tell(step, divides ? ", the divisor loaded from %X0"
                              : ", the factor loaded from %X0");
}

/* cmp: "-"; test: "&" */
bool tell_compare(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const uint64_t set = step->after->value[REG_FLAGS] & STATUS_FLAGS;
    const bool is_minus = *step->detail == '-';
    const unsigned bits = operands[0].bits;
    struct equation equation = {.symbol = step->detail, .bits = bits};
    enum reading reading;
    bool holds;

    if (!operand_value(step, BEFORE, &operands[0], &equation.a) ||
        !operand_value(step, BEFORE, &operands[1], &equation.b))
        return false;
    equation.result =
        is_minus ? equation.a - equation.b : equation.a & equation.b;
    reading = equation_reading(&equation, &holds);
    tell(step, is_minus ? "compares %r with %r: " : "tests ", equation.a, bits,
         reading, equation.b, bits, reading);
    if (!tell_equation(step, &equation))
        return false;
    tell(step, is_minus ? " " : ": ");
    tell(step, set ? "sets %f" : "clears all status flags", set);
    tell_origin(step, 0, equation.a, &equation);
    tell_origin(step, 1, equation.b, &equation);
    return true;
}
