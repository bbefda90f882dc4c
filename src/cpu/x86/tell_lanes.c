/* SPDX-License-Identifier: MIT */
/*
 * Sentences on what brings the numbers of vector registers elsewhere: moves,
 * conversions, shuffles. As in tell_vector.c only what the values bear out is
 * told.
 */
#include "cpu/x86/lanes.h"

#include <math.h>

#define MOST_LANES 4

/* --- conversions ---------------------------------------------------------- */

/* Of "cvttsd2si" the types are "sd" and "si": false if there are none. */
static bool find_types(const struct step *step, struct lane_type *from,
                       struct lane_type *to, bool *truncates)
{
    const struct insn_operand *operands = step->insn->operands;
    const unsigned last = insn_visible_operands(step->insn) - 1;
    const char *name = vector_name(step->insn);
    const char *two = strchr(name, '2');
    char first[4] = "";
    size_t at;

    if (strncmp(name, "cvt", 3) != 0 || !two || operands[0].is_mmx ||
        operands[last].is_mmx)
        return false;
    *truncates = name[3] == 't';
    at = *truncates ? 4 : 3;
    if (two - name - at > 2)
        return false;
    memcpy(first, name + at, (size_t)(two - name) - at);
    *from = lane_type_named(first);
    *to = lane_type_named(two + 1);
    if (!strcmp(first, "si"))
        from->bits = operands[last].bits;
    if (!strcmp(two + 1, "si"))
        to->bits = operands[0].bits;
    return from->bits && to->bits;
}

/* What does not fit an integer becomes the lowest one (SDM vol. 1, table 4-1:
 * the integer indefinite). */
static uint64_t convert(uint64_t value, struct lane_type from,
                        struct lane_type to, bool truncates)
{
    volatile double number =
        from.is_real ? real_of(value, from.bits)
                     : (double)(int64_t)wide_extend(value, from.bits, true);
    const double limit = to.bits == 32 ? 0x1p31 : 0x1p63;

    if (to.is_real && !from.is_real && to.bits == 32) {
        volatile float single =
            (float)(int64_t)wide_extend(value, from.bits, true);
        return real_bits((double)single, 32);
    }
    if (to.is_real)
        return real_bits(number, to.bits);
    number = truncates ? trunc(number) : nearbyint(number);
    if (!(number < limit && number >= -limit))
        return UINT64_C(1) << (to.bits - 1);
    return value_truncate((uint64_t)(int64_t)number, to.bits);
}

static const char *noun_of(struct lane_type type)
{
    if (type.is_real)
        return type.bits == 32 ? "float" : "double";
    return "whole number";
}

bool tell_convert(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const unsigned last = insn_visible_operands(step->insn) - 1;
    struct lane_type from, to;
    uint8_t source[VREG_BYTES] = {0}, result[VREG_BYTES] = {0};
    struct bytes bytes;
    unsigned lanes = 1;
    uint64_t value;
    bool truncates, fits = true;

    if (!find_types(step, &from, &to, &truncates))
        return false;
    if (!from.is_one && !to.is_one) { /* as many as the wider ones have room */
        lanes = operands[0].register_bits / to.bits;
        if (operands[last].register_bits &&
            operands[last].register_bits / from.bits < lanes)
            lanes = operands[last].register_bits / from.bits;
        if (from.bits != to.bits &&
            lanes * (from.bits > to.bits ? from.bits : to.bits) >
                VREG_BYTES * 8u)
            return false;
    }
    bytes = operand_bytes(step, BEFORE, &operands[last]);
    if (bytes.data && bytes.len * 8 >= lanes * from.bits)
        memcpy(source, bytes.data, lanes * from.bits / 8);
    else if (lanes == 1 && operand_value(step, BEFORE, &operands[last], &value))
        lane_put(source, from.bits, 0, value);
    else
        return false;
    bytes = operand_bytes(step, AFTER, &operands[0]);
    if (bytes.data)
        memcpy(result, bytes.data, lanes * to.bits / 8);
    else if (operand_value(step, AFTER, &operands[0], &value))
        lane_put(result, to.bits, 0, value);
    else
        return false;

    operand_name(step, &operands[0]);
    for (unsigned i = 0; i < lanes; i++) {
        const uint64_t was = lane_get(source, from.bits, i);
        const uint64_t is = lane_get(result, to.bits, i);
        int saved = rounding_begin(mxcsr_rounding(step->vregs_before));
        const uint64_t computed = convert(was, from, to, truncates);

        rounding_end(saved);
        if (!lane_is(is, computed, to))
            return false;
        fits &= to.is_real || is != UINT64_C(1) << (to.bits - 1) ||
                real_of(was, from.bits) == (to.bits == 32 ? -0x1p31 : -0x1p63);
        tell(step, i ? ", " : "");
        tell(step, lanes > 1 ? "[%u] = " : " = ", i);
        lane_describe(was, from, step->out);
        tell(step,
             i            ? " = "
             : truncates  ? " cut to a %s = "
             : to.is_real ? " as a %s = "
                          : " rounded to a %s = ",
             noun_of(to));
        lane_describe(is, to, step->out);
    }
    tell(step, fits ? "" : ", which says that it does not fit");
    if (operands[last].kind == OPERAND_MEMORY)
        return tell(step, ", loaded from %a (%n)",
                    insn_address(step->insn, &operands[last], step->before),
                    (size_t)operands[last].bits / 8);
    tell(step, ", from ");
    operand_name(step, &operands[last]);
    return true;
}

/* --- moves ---------------------------------------------------------------- */

static void tell_whole(const struct step *step, struct bytes bytes,
                       struct lane_type type)
{
    if (type.bits && (type.is_one || type.bits / 8u == bytes.len))
        lane_describe(lane_get(bytes.data, type.bits, 0), type, step->out);
    else
        wide_bytes_describe(bytes, step->out);
}

/* Between a vector and a general register: their low bits. */
static bool tell_crossing(const struct step *step,
                          const struct insn_operand *to,
                          const struct insn_operand *from)
{
    const unsigned bits = to->vector ? from->bits : to->bits;
    const struct insn_operand *vector = to->vector ? to : from;
    const struct bytes bytes =
        operand_bytes(step, to->vector ? AFTER : BEFORE, vector);
    const struct lane_type real = {bits, true, true};
    uint64_t value;

    if (!operand_value(step, to->vector ? BEFORE : AFTER,
                       to->vector ? from : to, &value) ||
        value != lane_get(bytes.data, bits, 0))
        return false;
    operand_name(step, to);
    tell(step, " = ");
    operand_name(step, from);
    tell(step, " = %v", value, bits);
    if (value) {
        tell(step, bits == 32 ? " (as a float " : " (as a double ");
        lane_describe(value, real, step->out);
        tell(step, ")");
    }
    return true;
}

/* One whole, or its lowest lane, as the name says. What a load leaves zero
 * above, and a move as it was, the changes say. */
bool tell_vector_move(const struct step *step)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    const char *name = vector_name(step->insn);
    struct lane_type type = lane_type_of(name);
    struct bytes was, is;
    size_t size;

    if (!insn_is(step->insn,
                 "movd movq movss movsd movap* movup* movdqa* movdqu* lddqu "
                 "movnt* vmovd vmovq vmovss vmovsd vmovap* vmovup* vmovdqa* "
                 "vmovdqu* vlddqu vmovnt*") ||
        insn_visible_operands(step->insn) != 2 || to->is_mmx || from->is_mmx)
        return false;
    if ((to->vector && operand_is_register(from)) ||
        (from->vector && operand_is_register(to)))
        return tell_crossing(step, to, from);
    size = type.is_one || name[3] == 'd' || !type.bits ? type.bits / 8 : 0;
    if (!strcmp(name, "movd") || !strcmp(name, "movq"))
        size = type.bits / 8;
    if (!size)
        size = (to->vector ? to : from)->register_bits / 8u;
    was = operand_bytes(step, BEFORE, from);
    if (!was.data || was.len < size)
        return false;
    was.len = size;
    if (to->kind == OPERAND_MEMORY) {
        const struct mem_access *access =
            access_at(step->writes, step->write_count,
                      insn_address(step->insn, to, step->before));

        if (!access || access->new_bytes.len != size ||
            memcmp(access->new_bytes.data, was.data, size) != 0)
            return false;
        tell(step, "stores ");
        operand_name(step, from);
        tell(step, " = ");
        tell_whole(step, was, type);
        return tell(step, " at %a (%n)", access->addr, size);
    }
    is = operand_bytes(step, AFTER, to);
    if (!is.data || memcmp(is.data, was.data, size) != 0)
        return false;
    operand_name(step, to);
    tell(step, " = ");
    if (from->vector) {
        operand_name(step, from);
        tell(step, " = ");
    }
    tell_whole(step, was, type);
    return from->kind != OPERAND_MEMORY ||
           tell(step, ", loaded from %a (%n)",
                insn_address(step->insn, from, step->before), size);
}

/* --- shuffles ------------------------------------------------------------- */

/* From where each lane of the result comes: lane index[i] of the first source,
 * or of the second if it is `lanes` or more; -1: it is zero. */
struct shuffle {
    unsigned bits, lanes;
    const struct insn_operand *to, *a, *b;
    unsigned how; /* the immediate */
    int index[VREG_BYTES];
};

typedef void shuffle_function(struct shuffle *shuffle, const char *name);

/* Lanes in 128 bits, within which most shuffles stay. */
static unsigned block_of(const struct shuffle *shuffle)
{
    return 128 / shuffle->bits;
}

/* pshufd, vpermilps, vpermilpd: by two bits, or one, of the immediate */
static void by_immediate(struct shuffle *shuffle, const char *name)
{
    const unsigned block = block_of(shuffle);
    const unsigned width = block == 4 ? 2 : 1;

    (void)name;
    for (unsigned i = 0; i < shuffle->lanes; i++) {
        const unsigned shift = width == 2 ? i % block * 2 : i;

        shuffle->index[i] =
            (int)(i / block * block + (shuffle->how >> shift & (block - 1)));
        shuffle->index[i] += (int)shuffle->lanes; /* of the last operand */
    }
}

/* pshuflw, pshufhw: four words of each block */
static void by_half(struct shuffle *shuffle, const char *name)
{
    const unsigned high = strstr(name, "hw") ? 4 : 0;

    for (unsigned i = 0; i < shuffle->lanes; i++) {
        const unsigned at = i % 8;
        const unsigned moved =
            i / 8 * 8 + high + (shuffle->how >> (at % 4 * 2) & 3);

        shuffle->index[i] =
            (int)(shuffle->lanes + (at / 4 * 4 == high ? moved : i));
    }
}

/* shufps, shufpd: the lower half from the first, the upper from the second */
static void by_two(struct shuffle *shuffle, const char *name)
{
    const unsigned block = block_of(shuffle);

    (void)name;
    for (unsigned i = 0; i < shuffle->lanes; i++) {
        const unsigned shift = block == 4 ? i % block * 2 : i;

        shuffle->index[i] =
            (int)(i / block * block + (shuffle->how >> shift & (block - 1)));
        if (i % block >= block / 2)
            shuffle->index[i] += (int)shuffle->lanes;
    }
}

/* unpck, punpck: one of each in turn, of the lower half or the upper ("h") */
static void in_turn(struct shuffle *shuffle, const char *name)
{
    const unsigned block = block_of(shuffle);
    const unsigned half = strstr(name, "pckh") ? block / 2 : 0;

    for (unsigned i = 0; i < shuffle->lanes; i++) {
        shuffle->index[i] = (int)(i / block * block + half + i % block / 2);
        if (i % 2)
            shuffle->index[i] += (int)shuffle->lanes;
    }
}

/* movhlps, movlhps */
static void halves(struct shuffle *shuffle, const char *name)
{
    const bool to_low = !strcmp(name, "movhlps");

    shuffle->index[0] = to_low ? (int)shuffle->lanes + 1 : 0;
    shuffle->index[1] = to_low ? 1 : (int)shuffle->lanes;
}

/* movddup, movsldup: even lanes twice; movshdup: odd ones */
static void twice(struct shuffle *shuffle, const char *name)
{
    for (unsigned i = 0; i < shuffle->lanes; i++)
        shuffle->index[i] = (int)(shuffle->lanes + (i & ~1u) +
                                  (name[3] == 's' && name[4] == 'h'));
}

static void broadcast(struct shuffle *shuffle, const char *name)
{
    (void)name;
    for (unsigned i = 0; i < shuffle->lanes; i++)
        shuffle->index[i] = (int)shuffle->lanes;
}

/* pslldq, psrldq: bytes, within each block */
static void by_bytes(struct shuffle *shuffle, const char *name)
{
    const int by = shuffle->how > 16 ? 16 : (int)shuffle->how;

    for (int i = 0; i < (int)shuffle->lanes; i++) {
        const int from = i % 16 + (strstr(name, "srl") ? by : -by);

        shuffle->index[i] = from >= 0 && from < 16 ? i / 16 * 16 + from : -1;
    }
}

/* By mnemonic, without v. */
static const struct {
    const char *name;
    unsigned bits;
    shuffle_function *find;
    bool is_real;
    bool alone; /* of 128 bits only */
} shuffles[] = {
    {"pshufd", 32, by_immediate, false, false},
    {"pshuflw", 16, by_half, false, false},
    {"pshufhw", 16, by_half, false, false},
    {"permilps", 32, by_immediate, true, false},
    {"permilpd", 64, by_immediate, true, false},
    {"shufps", 32, by_two, true, false},
    {"shufpd", 64, by_two, true, false},
    {"unpcklps", 32, in_turn, true, false},
    {"unpckhps", 32, in_turn, true, false},
    {"unpcklpd", 64, in_turn, true, false},
    {"unpckhpd", 64, in_turn, true, false},
    {"punpcklbw", 8, in_turn, false, false},
    {"punpckhbw", 8, in_turn, false, false},
    {"punpcklwd", 16, in_turn, false, false},
    {"punpckhwd", 16, in_turn, false, false},
    {"punpckldq", 32, in_turn, false, false},
    {"punpckhdq", 32, in_turn, false, false},
    {"punpcklqdq", 64, in_turn, false, false},
    {"punpckhqdq", 64, in_turn, false, false},
    {"movhlps", 64, halves, true, true},
    {"movlhps", 64, halves, true, true},
    {"movddup", 64, twice, true, false},
    {"movsldup", 32, twice, true, false},
    {"movshdup", 32, twice, true, false},
    {"broadcastss", 32, broadcast, true, false},
    {"broadcastsd", 64, broadcast, true, false},
    {"pbroadcastb", 8, broadcast, false, false},
    {"pbroadcastw", 16, broadcast, false, false},
    {"pbroadcastd", 32, broadcast, false, false},
    {"pbroadcastq", 64, broadcast, false, false},
    {"pslldq", 8, by_bytes, false, false},
    {"psrldq", 8, by_bytes, false, false},
};

/* Appends "[0] = xmm1[3] = 5", for what changed. Returns false where a lane is
 * not what it must be. */
static bool tell_lanes(const struct step *step, const struct shuffle *shuffle,
                       struct lane_type type)
{
    const struct bytes first = operand_bytes(step, BEFORE, shuffle->a);
    const struct bytes second = operand_bytes(step, BEFORE, shuffle->b);
    const struct bytes was = operand_bytes(step, BEFORE, shuffle->to);
    const struct bytes is = operand_bytes(step, AFTER, shuffle->to);
    unsigned told = 0, more = 0;

    for (unsigned i = 0; i < shuffle->lanes; i++) {
        const bool is_second = shuffle->index[i] >= (int)shuffle->lanes;
        const unsigned from =
            (unsigned)shuffle->index[i] - (is_second ? shuffle->lanes : 0);
        const struct bytes source = is_second ? second : first;
        const uint64_t now = lane_get(is.data, type.bits, i);
        uint64_t wanted = 0;

        if (shuffle->index[i] >= 0) {
            if (!source.data || source.len * 8 < (from + 1) * type.bits)
                return false;
            wanted = lane_get(source.data, type.bits, from);
        }
        if (now != wanted)
            return false;
        if (now == lane_get(was.data, type.bits, i))
            continue;
        if (told == MOST_LANES) {
            more++;
            continue;
        }
        tell(step, told++ ? ", [%u] = " : "[%u] = ", i);
        if (shuffle->index[i] >= 0 &&
            (is_second ? shuffle->b : shuffle->a)->vector) {
            operand_name(step, is_second ? shuffle->b : shuffle->a);
            tell(step, "[%u] = ", from);
        }
        lane_describe(now, type, step->out);
    }
    if (more)
        tell(step, ", and %u lanes more", more);
    return told || tell(step, " stays as it is: all lanes are what they were");
}

bool tell_shuffle(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const char *name = vector_name(step->insn);
    unsigned count = insn_visible_operands(step->insn);
    struct shuffle shuffle = {.to = &operands[0]};
    size_t i = 0;

    while (i < sizeof shuffles / sizeof *shuffles &&
           strcmp(name, shuffles[i].name) != 0)
        i++;
    if (i == sizeof shuffles / sizeof *shuffles || count < 2 ||
        !operands[0].vector)
        return false;
    if (operands[count - 1].kind == OPERAND_IMMEDIATE)
        shuffle.how = (uint8_t)operands[--count].immediate;
    else if (shuffles[i].find == by_immediate || shuffles[i].find == by_bytes)
        return false; /* by another register */
    shuffle.b = &operands[count - 1];
    shuffle.a = shuffles[i].find == by_bytes ? shuffle.b
                                             : &operands[count == 3 ? 1 : 0];
    shuffle.bits = shuffles[i].bits;
    shuffle.lanes = operands[0].register_bits / shuffle.bits;
    if (shuffles[i].alone && operands[0].register_bits != 128)
        return false;
    shuffles[i].find(&shuffle, name);
    operand_name(step, &operands[0]);
    return tell_lanes(
               step, &shuffle,
               (struct lane_type){shuffle.bits, shuffles[i].is_real, false}) &&
           (shuffle.b->kind != OPERAND_MEMORY ||
            tell(step, ", loaded from %a (%n)",
                 insn_address(step->insn, shuffle.b, step->before),
                 (size_t)shuffle.b->bits / 8));
}
