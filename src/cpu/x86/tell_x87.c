/* SPDX-License-Identifier: MIT */
/*
 * Sentences on the x87: its registers are a stack, st0 is the top. A push makes
 * the old st0 the new st1, so that what is told of an operand is where it was
 * before the instruction, and of a result where it is behind it.
 *
 * Only with the precision that Linux programs have (all 64 bits, SDM vol. 1,
 * 8.1.5.2), for that is what the results are computed with here.
 */
#include "cpu/x86/lanes.h"

#include <math.h>

static long double st_value(const struct vregs *vregs, unsigned number)
{
    return extended_of(vregs->x87[number & 7]);
}

static bool is_same(long double a, long double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

static void append(const struct step *step, long double number)
{
    extended_describe(number, step->out);
}

/* What an operand held before; of memory a number of 16 to 80 bits, a whole one
 * if the instruction takes such. */
static bool value_before(const struct step *step,
                         const struct insn_operand *operand, bool is_whole,
                         long double *out)
{
    const struct bytes bytes = operand_bytes(step, BEFORE, operand);
    uint64_t value;

    if (operand->x87) {
        *out = st_value(step->vregs_before, operand->x87 - 1u);
        return true;
    }
    if (bytes.data && bytes.len == 10 && !is_whole) {
        *out = extended_of(bytes.data);
        return true;
    }
    if (!operand_value(step, BEFORE, operand, &value))
        return false;
    if (is_whole)
        *out = (long double)(int64_t)wide_extend(value, operand->bits, true);
    else if (operand->bits == 32 || operand->bits == 64)
        *out = (long double)real_of(value, operand->bits);
    else
        return false;
    return true;
}

/* ", loaded from ...", or which register it was. */
static bool tell_source(const struct step *step,
                        const struct insn_operand *operand)
{
    if (operand->kind == OPERAND_MEMORY)
        return tell(step, ", loaded from %a (%n)",
                    insn_address(step->insn, operand, step->before),
                    (size_t)operand->bits / 8);
    return true;
}

/* fld, fild, and the constants */
static bool tell_load(const struct step *step)
{
    const struct insn *insn = step->insn;
    const struct insn_operand *from = &insn->operands[0];
    const long double now = st_value(step->vregs_after, 0);
    long double value;

    if (insn_is(insn, "fld1 fldz fldpi fldl2e fldl2t fldlg2 fldln2")) {
        tell(step, "pushes the constant ");
        append(step, now);
        return tell(step, " as st0");
    }
    if (!insn_is(insn, "fld fild") ||
        !value_before(step, from, insn_is(insn, "fild"), &value) ||
        !is_same(value, now))
        return false;
    tell(step, "pushes ");
    if (from->x87)
        tell(step, "st%u = ", from->x87 - 1u);
    append(step, now);
    return tell(step, " as st0") && tell_source(step, from);
}

/* fst, fist, fisttp with or without a pop */
static bool tell_store(const struct step *step)
{
    const struct insn *insn = step->insn;
    const struct insn_operand *to = &insn->operands[0];
    const bool pops = insn->mnemonic[strlen(insn->mnemonic) - 1] == 'p';
    const char *end = pops ? " and pops it" : "";
    const long double value = st_value(step->vregs_before, 0);
    const struct mem_access *access;

    if (!insn_is(insn, "fst fstp fist fistp fisttp"))
        return false;
    if (to->x87) {
        const unsigned number = to->x87 - 1u;

        if (number == 0 && pops) {
            tell(step, "pops st0 = ");
            append(step, value);
            return true;
        }
        if (!is_same(st_value(step->vregs_after, number - pops), value))
            return false;
        tell(step, "copies st0 = ");
        append(step, value);
        return tell(step, " to st%u%s", number, end);
    }
    access = access_at(step->writes, step->write_count,
                       insn_address(insn, to, step->before));
    if (!access || !access->new_bytes.data)
        return false;
    tell(step, "stores st0 = ");
    append(step, value);
    if (insn->mnemonic[1] == 'i') {
        uint64_t number;

        if (!bytes_number(access->new_bytes, to->bits, &number))
            return false;
        tell(step, " as the whole number %v", number, (unsigned)to->bits);
    }
    return tell(step, " at %a (%n)%s", access->addr, access->new_bytes.len,
                end);
}

/* add, sub, mul, div; r: the operands the other way round; p: pops st0 */
static bool tell_computation(const struct step *step)
{
    static const struct {
        const char *name;
        char symbol;
    } names[] = {{"add", '+'}, {"sub", '-'}, {"mul", '*'}, {"div", '/'}};
    const struct insn *insn = step->insn;
    const bool is_whole = insn->mnemonic[1] == 'i';
    const char *name = insn->mnemonic + 1 + is_whole;
    const struct insn_operand *to = NULL, *from = NULL;
    long double a, b, now;
    volatile long double computed;
    bool reversed, pops;
    char symbol = 0;
    int saved;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i].name, 3))
            symbol = names[i].symbol;
    if (!symbol || strlen(name) > 5)
        return false;
    reversed = name[3] == 'r';
    pops = name[strlen(name) - 1] == 'p';
    for (int i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->x87 && operand->written && !to)
            to = operand;
        else if ((operand->x87 || operand->kind == OPERAND_MEMORY) && !from)
            from = operand;
    }
    if (!to || !from || !value_before(step, to, false, &a) ||
        !value_before(step, from, is_whole, &b))
        return false;
    if (reversed) {
        long double swapped = a;

        a = b;
        b = swapped;
    }
    now = st_value(step->vregs_after, to->x87 - 1u - pops);
    saved = rounding_begin(step->vregs_before->fcw[1] >> 2 & 3);
    computed = symbol == '+'   ? a + b
               : symbol == '-' ? a - b
               : symbol == '*' ? a * b
                               : a / b;
    rounding_end(saved);
    if (!is_same(computed, now))
        return false;
    tell(step, "st%u = ", to->x87 - 1u - pops);
    append(step, a);
    buf_printf(step->out, " %c ", symbol);
    append(step, b);
    tell(step, " = ");
    append(step, now);
    tell(step, pops ? ", behind the pop of st0" : "");
    return tell_source(step, from);
}

/* fchs, fabs, fsqrt, fxch */
static bool tell_one(const struct step *step)
{
    const struct insn *insn = step->insn;
    const long double was = st_value(step->vregs_before, 0);
    const long double now = st_value(step->vregs_after, 0);

    if (insn_is(insn, "fxch")) {
        tell(step, "swaps: st0 = ");
        append(step, now);
        tell(step, ", st%u = ", insn->operands[0].x87 - 1u);
        append(step, was);
        return insn->operands[0].x87 > 0;
    }
    if (insn_is(insn, "fchs"))
        tell(step, "st0 = -(");
    else if (insn_is(insn, "fabs"))
        tell(step, "st0 = |");
    else if (insn_is(insn, "fsqrt"))
        tell(step, "st0 = sqrt ");
    else
        return false;
    append(step, was);
    tell(step, insn_is(insn, "fchs")   ? ") = "
               : insn_is(insn, "fabs") ? "| = "
                                       : " = ");
    append(step, now);
    return true;
}

/* fcomi and the like: ZF, PF and CF say it (SDM vol. 2, FCOMI). */
static bool tell_order(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const uint64_t set = step->after->value[REG_FLAGS] & 0x45;
    long double a, b;

    if (!insn_is(step->insn, "fcomi fcomip fucomi fucomip") ||
        !value_before(step, &operands[0], false, &a) ||
        !value_before(step, &operands[1], false, &b) ||
        set != (isunordered(a, b) ? 0x45u
                : a > b           ? 0u
                : a < b           ? 1u
                                  : 0x40u))
        return false;
    tell(step, "compares ");
    append(step, a);
    tell(step, " with ");
    append(step, b);
    return tell(step,
                isunordered(a, b) ? ": unordered, sets %f"
                : a > b           ? ": greater, clears ZF, PF and CF"
                : a < b           ? ": less, sets %f"
                                  : ": equal, sets %f",
                set);
}

bool tell_x87(const struct step *step)
{
    static tell_function *const all[] = {
        tell_load, tell_store, tell_computation, tell_one, tell_order};
    const size_t start = step->out->len;

    if (step->insn->mnemonic[0] != 'f' || (step->vregs_before->fcw[1] & 3) != 3)
        return false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i](step))
            return true;
        step->out->len = start;
    }
    return false;
}
