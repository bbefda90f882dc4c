/* SPDX-License-Identifier: MIT */
#include "cpu/x86/lanes.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *vector_name(const struct insn *insn)
{
    return insn->mnemonic[0] == 'v' ? insn->mnemonic + 1 : insn->mnemonic;
}

struct lane_type lane_type_named(const char *name)
{
    static const struct {
        const char *name;
        struct lane_type type;
    } types[] = {
        {"ss", {32, true, true}},   {"sd", {64, true, true}},
        {"ps", {32, true, false}},  {"pd", {64, true, false}},
        {"b", {8, false, false}},   {"w", {16, false, false}},
        {"d", {32, false, false}},  {"q", {64, false, false}},
        {"dq", {32, false, false}}, {"si", {0, false, true}},
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name))
            return types[i].type;
    return (struct lane_type){0, false, false};
}

/* Moves of whole registers are made by compilers for any type: movaps copies
 * doubles and integers alike. */
struct lane_type lane_type_of(const char *name)
{
    static const char *const untyped[] = {"movaps", "movups", "movdqa",
                                          "movdqu", "lddqu"};
    const char *two = strchr(name, '2');
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof untyped / sizeof *untyped; i++)
        if (!strncmp(name, untyped[i], strlen(untyped[i])))
            return lane_type_named("");
    if (!strncmp(name, "cvt", 3) && two)
        return lane_type_named(two + 1);
    if (len < 3)
        return lane_type_named("");
    if (name[0] != 'p' && (name[len - 2] == 's' || name[len - 2] == 'p'))
        return lane_type_named(name + len - 2);
    if (!strcmp(name, "movd") || !strcmp(name, "movq") || name[0] == 'p')
        return lane_type_named(name + len - 1);
    return lane_type_named("");
}

uint64_t lane_get(const uint8_t *bytes, unsigned bits, unsigned index)
{
    uint64_t value = 0;

    memcpy(&value, bytes + (size_t)index * bits / 8, bits / 8);
    return value;
}

void lane_put(uint8_t *bytes, unsigned bits, unsigned index, uint64_t value)
{
    memcpy(bytes + (size_t)index * bits / 8, &value, bits / 8);
}

double real_of(uint64_t value, unsigned bits)
{
    const uint32_t half = (uint32_t)value;
    double number;
    float single;

    memcpy(&single, &half, sizeof single);
    memcpy(&number, &value, sizeof number);
    return bits == 32 ? (double)single : number;
}

uint64_t real_bits(double number, unsigned bits)
{
    volatile float single = (float)number; /* as is rounded to now */
    float rounded = single;
    uint64_t value = 0;

    if (bits == 32)
        memcpy(&value, &rounded, sizeof rounded);
    else
        memcpy(&value, &number, sizeof number);
    return value;
}

bool real_is_nan(uint64_t value, unsigned bits)
{
    return isnan(real_of(value, bits));
}

bool lane_is(uint64_t value, uint64_t wanted, struct lane_type type)
{
    return value == wanted || (type.is_real && real_is_nan(value, type.bits) &&
                               real_is_nan(wanted, type.bits));
}

/* A whole number that reads better as one: 100, not 1e+02. */
static bool is_short(long double number)
{
    return number == truncl(number) && fabsl(number) < 1e9L;
}

void extended_describe(long double number, struct buf *out)
{
    char text[64];
    int digits = 1;

    if (isnan(number)) {
        buf_append_text(out, "NaN");
        return;
    }
    if (is_short(number))
        digits = snprintf(text, sizeof text, "%.0Lf", number);
    do
        snprintf(text, sizeof text, "%.*Lg", digits, number);
    while (digits++ < 21 && strtold(text, NULL) != number);
    buf_append_text(out, text);
}

void lane_describe(uint64_t value, struct lane_type type, struct buf *out)
{
    const double number = real_of(value, type.bits);
    char text[40];
    int digits = 1;

    if (!type.is_real) {
        value_describe(value, type.bits, out);
        return;
    }
    if (isnan(number)) {
        buf_append_text(out, "NaN");
        return;
    }
    if (is_short(number))
        digits = snprintf(text, sizeof text, "%.0f", number);
    do
        snprintf(text, sizeof text, "%.*g", digits, number);
    while (digits++ < 17 && (type.bits == 32 ? (double)strtof(text, NULL)
                                             : strtod(text, NULL)) != number);
    buf_append_text(out, text);
}

void wide_bytes_describe(struct bytes bytes, struct buf *out)
{
    size_t i = bytes.len;

    while (i > 1 && !bytes.data[i - 1])
        i--;
    buf_printf(out, i == 1 && !bytes.data[0] ? "%x" : "0x%x",
               bytes.data[i - 1]);
    while (--i > 0)
        buf_printf(out, "%02x", bytes.data[i - 1]);
}

long double extended_of(const uint8_t bytes[10])
{
    long double number = 0;

    _Static_assert(LDBL_MANT_DIG == 64, "the format of the x87");
    memcpy(&number, bytes, 10);
    return number;
}

void operand_name(const struct step *step, const struct insn_operand *operand)
{
    if (operand->vector)
        vreg_name((enum vreg)(VREG_VECTOR + operand->vector - 1),
                  operand->register_bits / 8u, step->out);
    else
        reg_part_name(operand->reg, operand->bits, operand->high, step->out);
}

struct bytes operand_bytes(const struct step *step, enum moment moment,
                           const struct insn_operand *operand)
{
    const struct vregs *vregs =
        moment == BEFORE ? step->vregs_before : step->vregs_after;
    const struct mem_access *access;

    if (operand->vector)
        return vregs_value(vregs,
                           (enum vreg)(VREG_VECTOR + operand->vector - 1));
    if (operand->kind != OPERAND_MEMORY || moment != BEFORE)
        return (struct bytes){NULL, 0};
    access = access_at(step->reads, step->read_count,
                       insn_address(step->insn, operand, step->before));
    return access ? access->old_bytes : (struct bytes){NULL, 0};
}

int rounding_begin(unsigned mode)
{
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD,
                                FE_TOWARDZERO};
    int saved = fegetround();

    fesetround(modes[mode & 3]);
    return saved;
}

void rounding_end(int saved)
{
    fesetround(saved);
}

unsigned mxcsr_rounding(const struct vregs *vregs)
{
    return vregs->mxcsr[1] >> 5 & 3;
}
