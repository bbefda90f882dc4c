/* SPDX-License-Identifier: MIT */
/*
 * Sentences on arithmetic with vector registers, lane by lane, from the values
 * that these had: "xmm7 = 2.5 * 2.5 = 6.25".
 *
 * Each lane is computed here once more, with the rounding that MXCSR asked for.
 * Where that is not what the CPU has, bit for bit (any NaN is as good as
 * another), there is no sentence: denormals that are taken for zero (DAZ, FTZ),
 * or an instruction that was misunderstood.
 */
#include "cpu/x86/lanes.h"

#include <math.h>

enum operation {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MIN,
    OP_MAX,
    OP_AND,
    OP_ANDN,
    OP_OR,
    OP_XOR,
    OP_SQRT,
    OP_ROUND,
    OP_EQ,
    OP_GT,
    OP_SHL,
    OP_SHR,
    OP_SAR,
    OP_ABS,
};

/* By the stem and by what may follow it. "u": the integers have no sign; else
 * only minimum, maximum, > and >> ask. "1": of one source; "n": shifted by a
 * number, which all lanes have in common. */
static const struct row {
    const char *stem;
    const char *types;
    enum operation operation;
    const char *symbol;
    const char *how;
} rows[] = {
    {"add", "ss sd ps pd", OP_ADD, " + ", ""},
    {"sub", "ss sd ps pd", OP_SUB, " - ", ""},
    {"mul", "ss sd ps pd", OP_MUL, " * ", ""},
    {"div", "ss sd ps pd", OP_DIV, " / ", ""},
    {"min", "ss sd ps pd", OP_MIN, " min ", ""},
    {"max", "ss sd ps pd", OP_MAX, " max ", ""},
    {"sqrt", "ss sd ps pd", OP_SQRT, "sqrt ", "1"},
    {"round", "ss sd ps pd", OP_ROUND, "", "1"},
    {"and", "ps pd", OP_AND, " & ", ""},
    {"andn", "ps pd", OP_ANDN, " &~ ", ""},
    {"or", "ps pd", OP_OR, " | ", ""},
    {"xor", "ps pd", OP_XOR, " ^ ", ""},
    {"padd", "b w d q", OP_ADD, " + ", ""},
    {"psub", "b w d q", OP_SUB, " - ", ""},
    {"pmull", "w d q", OP_MUL, " * ", ""},
    {"pmins", "b w d q", OP_MIN, " min ", ""},
    {"pmaxs", "b w d q", OP_MAX, " max ", ""},
    {"pminu", "b w d q", OP_MIN, " min ", "u"},
    {"pmaxu", "b w d q", OP_MAX, " max ", "u"},
    {"pcmpeq", "b w d q", OP_EQ, " == ", ""},
    {"pcmpgt", "b w d q", OP_GT, " > ", ""},
    {"psll", "w d q", OP_SHL, " << ", "n"},
    {"psrl", "w d q", OP_SHR, " >> ", "n"},
    {"psra", "w d q", OP_SAR, " >> ", "n"},
    {"pabs", "b w d q", OP_ABS, "|", "1"},
    {"pand", "q", OP_AND, " & ", ""},
    {"pandn", "q", OP_ANDN, " &~ ", ""},
    {"por", "q", OP_OR, " | ", ""},
    {"pxor", "q", OP_XOR, " ^ ", ""},
};

/* Whether that word is among these. */
static bool is_among(const char *words, const char *word)
{
    const size_t len = strlen(word);

    for (; *words; words += strspn(words, " ")) {
        if (!strncmp(words, word, len) && (!words[len] || words[len] == ' '))
            return true;
        words += strcspn(words, " ");
    }
    return false;
}

/* pand, por and the like compute with all bits at once, and are written by
 * AVX-512 with a d or q behind; they are told by lanes of 64 bits. */
static const struct row *row_of(const char *name, struct lane_type *type)
{
    static const char *const whole[][2] = {{"pand", "pandq"},
                                           {"pandn", "pandnq"},
                                           {"por", "porq"},
                                           {"pxor", "pxorq"}};

    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (!strcmp(name, whole[i][0]))
            name = whole[i][1];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t len = strlen(rows[i].stem);

        if (strncmp(name, rows[i].stem, len) != 0 ||
            !is_among(rows[i].types, name + len))
            continue;
        *type = lane_type_named(name + len);
        return &rows[i];
    }
    return NULL;
}

/* --- one lane ------------------------------------------------------------- */

/* To a whole number, as the immediate of round says (SDM vol. 2, ROUNDPD): its
 * low two bits, unless bit 2 leaves it to MXCSR. */
static double round_by(double number, unsigned how, unsigned mxcsr)
{
    int saved = rounding_begin(how & 4 ? mxcsr : how);
    volatile double rounded = nearbyint(number);

    rounding_end(saved);
    return rounded;
}

/* Of minimum and maximum the second is the result where one of them is no
 * number, or both are zero (SDM vol. 2, MINPD). */
static uint64_t compute_real(const struct row *row, unsigned bits, uint64_t a,
                             uint64_t b, unsigned how, unsigned mxcsr)
{
    volatile double x = real_of(a, bits), y = real_of(b, bits), result;
    volatile float single;

    switch (row->operation) {
    case OP_MIN:
        return x < y ? a : b;
    case OP_MAX:
        return x > y ? a : b;
    case OP_ROUND:
        result = round_by(x, how, mxcsr);
        return real_bits(result, bits);
    case OP_ADD:
        single = (float)x + (float)y;
        result = x + y;
        break;
    case OP_SUB:
        single = (float)x - (float)y;
        result = x - y;
        break;
    case OP_MUL:
        single = (float)x * (float)y;
        result = x * y;
        break;
    case OP_DIV:
        single = (float)x / (float)y;
        result = x / y;
        break;
    default: /* OP_SQRT */
        single = sqrtf((float)x);
        result = sqrt(x);
        break;
    }
    return real_bits(bits == 32 ? (double)single : result, bits);
}

static uint64_t compute_bits(const struct row *row, unsigned bits, uint64_t a,
                             uint64_t b)
{
    const bool is_signed = *row->how != 'u';
    const __int128 x = wide_extend(a, bits, is_signed);
    const __int128 y = wide_extend(b, bits, is_signed);
    uint64_t result;

    switch (row->operation) {
    case OP_ADD:
        result = a + b;
        break;
    case OP_SUB:
        result = a - b;
        break;
    case OP_MUL:
        result = a * b;
        break;
    case OP_MIN:
        result = x < y ? a : b;
        break;
    case OP_MAX:
        result = x > y ? a : b;
        break;
    case OP_AND:
        result = a & b;
        break;
    case OP_ANDN: /* told the other way round: of the second */
        result = b & ~a;
        break;
    case OP_OR:
        result = a | b;
        break;
    case OP_XOR:
        result = a ^ b;
        break;
    case OP_EQ:
        result = a == b ? UINT64_MAX : 0;
        break;
    case OP_GT:
        result = x > y ? UINT64_MAX : 0;
        break;
    case OP_SHL:
        result = b < bits ? a << b : 0;
        break;
    case OP_SHR:
        result = b < bits ? a >> b : 0;
        break;
    case OP_SAR:
        result = (uint64_t)(x >> (b < bits ? b : bits - 1));
        break;
    default: /* OP_ABS */
        result = (uint64_t)(x < 0 ? -x : x);
        break;
    }
    return value_truncate(result, bits);
}

/* --- sentences ------------------------------------------------------------ */

/* More lanes than these are not spelled out. */
#define MOST_LANES 4

/* Everything that a sentence about lanes is made of. */
struct vector {
    const struct row *row;
    struct lane_type type;
    const struct insn_operand *to, *a, *b;
    struct bytes a_bytes, b_bytes, was, is;
    unsigned lanes;
    uint64_t count; /* of a shift */
};

/* The operands: the result is the first; with two, it is the first source, too.
 * Behind them an immediate may stand, of round and of a shift. */
static bool find_operands(const struct step *step, struct vector *vector)
{
    const struct insn_operand *operands = step->insn->operands;
    const bool counted = *vector->row->how == 'n';
    unsigned count = insn_visible_operands(step->insn);
    const struct insn_operand *last;

    if (count > 2 && operands[count - 1].kind == OPERAND_IMMEDIATE && !counted)
        count--;
    if (count < 2 || count > 3 || !operands[0].vector)
        return false;
    last = &operands[count - 1];
    vector->to = &operands[0];
    vector->a = &operands[count == 3 ? 1 : 0];
    vector->b = last;
    if (*vector->row->how == '1')
        vector->a = last;
    vector->a_bytes = operand_bytes(step, BEFORE, vector->a);
    vector->was = operand_bytes(step, BEFORE, vector->to);
    vector->is = operand_bytes(step, AFTER, vector->to);
    if (counted && last->kind == OPERAND_IMMEDIATE) {
        vector->count = (uint8_t)last->immediate;
    } else {
        vector->b_bytes = operand_bytes(step, BEFORE, last);
        if (counted && vector->b_bytes.len >= 8)
            vector->count = lane_get(vector->b_bytes.data, 64, 0);
        if (!vector->b_bytes.data)
            return false;
    }
    vector->lanes =
        vector->type.is_one ? 1 : vector->to->register_bits / vector->type.bits;
    return vector->a_bytes.data &&
           vector->a_bytes.len * 8 >= vector->lanes * vector->type.bits &&
           (counted ||
            vector->b_bytes.len * 8 >= vector->lanes * vector->type.bits);
}

static uint64_t lane_of(const struct vector *vector, struct bytes bytes,
                        unsigned lane)
{
    return bytes.data ? lane_get(bytes.data, vector->type.bits, lane)
                      : vector->count;
}

/* Whether all lanes of the result are what we make them from the sources. */
static bool is_computed(const struct step *step, const struct vector *vector)
{
    const struct insn *insn = step->insn;
    const unsigned bits = vector->type.bits;
    const unsigned last = insn_visible_operands(insn) - 1;
    const unsigned how = (unsigned)insn->operands[last].immediate;
    const unsigned mxcsr = mxcsr_rounding(step->vregs_before);
    const bool is_logic =
        vector->row->operation >= OP_AND && vector->row->operation <= OP_XOR;
    const int saved = rounding_begin(mxcsr);
    bool all = true;

    for (unsigned i = 0; i < vector->lanes; i++) {
        const uint64_t a = lane_of(vector, vector->a_bytes, i);
        const uint64_t b = *vector->row->how == 'n'
                               ? vector->count
                               : lane_of(vector, vector->b_bytes, i);

        all &= lane_is(lane_of(vector, vector->is, i),
                       vector->type.is_real && !is_logic
                           ? compute_real(vector->row, bits, a, b, how, mxcsr)
                           : compute_bits(vector->row, bits, a, b),
                       vector->type);
    }
    rounding_end(saved);
    return all;
}

/* Bits that are combined are told as bits, and the result as a number, too. */
static void tell_lane(const struct step *step, const struct vector *vector,
                      unsigned lane)
{
    const struct row *row = vector->row;
    const bool is_logic = row->operation >= OP_AND && row->operation <= OP_XOR;
    const struct lane_type bits = {vector->type.bits, false, false};
    const struct lane_type type = is_logic ? bits : vector->type;
    const uint64_t result = lane_of(vector, vector->is, lane);
    uint64_t a = lane_of(vector, vector->a_bytes, lane), b = vector->count;

    if (*row->how == '1') {
        tell(step, row->symbol);
        lane_describe(a, type, step->out);
        tell(step, row->operation == OP_ABS ? "| = " : " = ");
        lane_describe(result, type, step->out);
        return;
    }
    if (*row->how != 'n')
        b = lane_of(vector, vector->b_bytes, lane);
    if (row->operation == OP_ANDN) {
        uint64_t swapped = a;

        a = b;
        b = swapped;
    }
    lane_describe(a, type, step->out);
    tell(step, row->symbol);
    if (*row->how == 'n')
        tell(step, "%u", (unsigned)(b < 256 ? b : 255));
    else
        lane_describe(b, type, step->out);
    tell(step, " = ");
    lane_describe(result, type, step->out);
    if (is_logic && vector->type.is_real) {
        tell(step, " (");
        lane_describe(result, vector->type, step->out);
        tell(step, ")");
    }
}

/* " rounded down", by an immediate or by MXCSR. */
static const char *rounded(const struct step *step, const struct vector *vector)
{
    static const char *const modes[] = {", to the nearest whole number",
                                        ", rounded down", ", rounded up",
                                        ", cut to a whole number"};
    unsigned how =
        (unsigned)vector->to[insn_visible_operands(step->insn) - 1].immediate;

    if (vector->row->operation != OP_ROUND)
        return "";
    return modes[how & 4 ? mxcsr_rounding(step->vregs_before) : how & 3];
}

static bool tell_arithmetic(const struct step *step)
{
    struct vector vector = {.lanes = 0};
    unsigned told = 0, more = 0;

    vector.row = row_of(vector_name(step->insn), &vector.type);
    if (!vector.row || !find_operands(step, &vector) ||
        !is_computed(step, &vector))
        return false;
    operand_name(step, vector.to);
    if (vector.row->operation == OP_XOR && vector.a != vector.b &&
        vector.a->vector == vector.b->vector && vector.a->vector)
        return tell(step, " = 0, exclusive-ored with itself");
    for (unsigned i = 0; i < vector.lanes; i++) {
        if (lane_of(&vector, vector.was, i) == lane_of(&vector, vector.is, i) &&
            vector.lanes > 1)
            continue;
        if (told == MOST_LANES) {
            more++;
            continue;
        }
        tell(step, told++ ? ", " : "");
        tell(step, vector.lanes > 1 ? "[%u] = " : " = ", i);
        tell_lane(step, &vector, i);
    }
    if (more)
        tell(step, ", and %u lanes more", more);
    if (!told)
        tell(step, " stays as it is: all lanes are what they were");
    tell(step, "%s", rounded(step, &vector));
    return vector.b->kind != OPERAND_MEMORY ||
           tell(step, ", loaded from %a (%n)",
                insn_address(step->insn, vector.b, step->before),
                (size_t)vector.b->bits / 8);
}

/* --- products and sums ---------------------------------------------------- */

/* Fused multiply-add: the digits say which operands are multiplied, 1 being the
 * result (SDM vol. 2, VFMADD132PD). */
static bool tell_fused(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const char *name = vector_name(step->insn);
    const bool negates = !strncmp(name, "fnm", 3);
    const char *stem = name + (negates ? 3 : 2);
    const bool subtracts = !strncmp(stem, "sub", 3);
    const struct lane_type type = lane_type_of(name);
    const unsigned digits = (unsigned)(stem[3] - '0') * 100 +
                            (unsigned)(stem[4] - '0') * 10 +
                            (unsigned)(stem[5] - '0');
    unsigned x, y, z, lanes, saved, told = 0;
    struct bytes bytes[3], is, was;

    if (strncmp(name, negates ? "fnm" : "fm", negates ? 3 : 2) != 0 ||
        (!subtracts && strncmp(stem, "add", 3) != 0) || !type.is_real ||
        strlen(stem) != 8 || insn_visible_operands(step->insn) != 3)
        return false;
    x = digits / 100 - 1;
    y = digits / 10 % 10 - 1;
    z = digits % 10 - 1;
    if (x > 2 || y > 2 || z > 2)
        return false;
    lanes = type.is_one ? 1 : operands[0].register_bits / type.bits;
    for (int i = 0; i < 3; i++) {
        bytes[i] = operand_bytes(step, BEFORE, &operands[i]);
        if (!bytes[i].data || bytes[i].len * 8 < lanes * type.bits)
            return false;
    }
    was = bytes[0];
    is = operand_bytes(step, AFTER, &operands[0]);
    operand_name(step, &operands[0]);
    for (unsigned i = 0; i < lanes; i++) {
        const uint64_t a = lane_get(bytes[x].data, type.bits, i);
        const uint64_t b = lane_get(bytes[y].data, type.bits, i);
        const uint64_t c = lane_get(bytes[z].data, type.bits, i);
        const uint64_t now = lane_get(is.data, type.bits, i);
        double p = real_of(a, type.bits), s = real_of(c, type.bits);
        volatile double result;

        p = negates ? -p : p;
        s = subtracts ? -s : s;
        saved = (unsigned)rounding_begin(mxcsr_rounding(step->vregs_before));
        result = type.bits == 32
                     ? (double)fmaf((float)p, (float)real_of(b, 32), (float)s)
                     : fma(p, real_of(b, 64), s);
        rounding_end((int)saved);
        if (!lane_is(now, real_bits(result, type.bits), type))
            return false;
        if (lanes > 1 && now == lane_get(was.data, type.bits, i))
            continue;
        tell(step, told++ ? ", " : "");
        tell(step, lanes > 1 ? "[%u] = " : " = ", i);
        tell(step, negates ? "-" : "");
        lane_describe(a, type, step->out);
        tell(step, " * ");
        lane_describe(b, type, step->out);
        tell(step, subtracts ? " - " : " + ");
        lane_describe(c, type, step->out);
        tell(step, " = ");
        lane_describe(now, type, step->out);
    }
    if (!told)
        tell(step, " stays as it is: all lanes are what they were");
    return operands[2].kind != OPERAND_MEMORY || tell(step, "%F2");
}

/* --- comparisons ---------------------------------------------------------- */

/* comis, ucomis: the flags say what it was (SDM vol. 2, UCOMISD). */
static bool tell_order(const struct step *step)
{
    const struct insn_operand *operands = step->insn->operands;
    const char *name = vector_name(step->insn);
    const struct lane_type type = lane_type_of(name);
    const uint64_t set = step->after->value[REG_FLAGS] & 0x8d5;
    const struct bytes a = operand_bytes(step, BEFORE, &operands[0]);
    const struct bytes b = operand_bytes(step, BEFORE, &operands[1]);
    uint64_t x, y, wanted;
    const char *word;

    if ((strncmp(name, "comis", 5) != 0 && strncmp(name, "ucomis", 6) != 0) ||
        !type.is_real || !a.data || !b.data || b.len * 8 < type.bits)
        return false;
    x = lane_get(a.data, type.bits, 0);
    y = lane_get(b.data, type.bits, 0);
    if (real_is_nan(x, type.bits) || real_is_nan(y, type.bits)) {
        wanted = 0x45;
        word = "unordered, as one is not a number";
    } else if (real_of(x, type.bits) > real_of(y, type.bits)) {
        wanted = 0;
        word = "greater";
    } else if (real_of(x, type.bits) < real_of(y, type.bits)) {
        wanted = 1;
        word = "less";
    } else {
        wanted = 0x40;
        word = "equal";
    }
    if (set != wanted)
        return false;
    tell(step, "compares ");
    lane_describe(x, type, step->out);
    tell(step, " with ");
    lane_describe(y, type, step->out);
    tell(step, ": %s, ", word);
    tell(step, set ? "sets %f" : "clears all status flags", set);
    return tell(step, "%F1");
}

/* cmpss and the like with one of the first eight predicates (SDM vol. 2,
 * CMPPD): lanes of ones where it holds. */
static bool tell_predicate(const struct step *step)
{
    static const char *const words[] = {
        "==", "<",     "<=",     "unordered with",
        "!=", "not <", "not <=", "ordered with"};
    const struct insn_operand *operands = step->insn->operands;
    const unsigned count = insn_visible_operands(step->insn);
    const char *name = vector_name(step->insn);
    const struct lane_type type = lane_type_of(name);
    const struct insn_operand *first = &operands[count == 4 ? 1 : 0];
    const struct insn_operand *second = &operands[count - 2];
    struct bytes a, b, is;
    unsigned lanes, how;

    if (strncmp(name, "cmp", 3) != 0 || !type.is_real || count < 3 ||
        !operands[0].vector || strlen(name) != 5)
        return false;
    how = (unsigned)operands[count - 1].immediate & 0xff;
    lanes = type.is_one ? 1 : operands[0].register_bits / type.bits;
    a = operand_bytes(step, BEFORE, first);
    b = operand_bytes(step, BEFORE, second);
    is = operand_bytes(step, AFTER, &operands[0]);
    if (how >= sizeof words / sizeof *words || !a.data || !b.data ||
        b.len * 8 < lanes * type.bits)
        return false;
    operand_name(step, &operands[0]);
    for (unsigned i = 0; i < lanes; i++) {
        const uint64_t x = lane_get(a.data, type.bits, i);
        const uint64_t y = lane_get(b.data, type.bits, i);
        const double p = real_of(x, type.bits), q = real_of(y, type.bits);
        const bool basic[] = {p == q, p < q, p <= q, isunordered(p, q)};
        const bool holds = basic[how & 3] != (how > 3);

        if (lane_get(is.data, type.bits, i) !=
            (holds ? value_truncate(UINT64_MAX, type.bits) : 0))
            return false;
        tell(step, lanes > 1 ? "%s[%u]: " : "%s: ", i ? ", " : "", i);
        lane_describe(x, type, step->out);
        tell(step, " %s ", words[how]);
        lane_describe(y, type, step->out);
        tell(step, holds ? " holds, all bits 1" : " does not, all bits 0");
    }
    return second->kind != OPERAND_MEMORY ||
           tell(step, count == 4 ? "%F2" : "%F1");
}

bool tell_vector(const struct step *step)
{
    static tell_function *const all[] = {tell_arithmetic, tell_fused,
                                         tell_order, tell_predicate};
    const size_t start = step->out->len;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i](step))
            return true;
        step->out->len = start;
    }
    return false;
}
