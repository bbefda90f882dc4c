/* SPDX-License-Identifier: MIT */
/*
 * Where two encodings part, and what that means.
 *
 * Both are taken apart instruction by instruction up to the first pair that is
 * not the same, byte by byte. Then the most particular name that fits is given:
 * an instruction is missing or is one too many; it is the same instruction in
 * another encoding, or the same one with fewer bits; two registers are swapped;
 * or else the first field, bit by bit, that is another one.
 */
#include "grader/encoding.h"

#include <string.h>

#include "cpu/insn.h"
#include "cpu/split.h"

/* One instruction of each, the first that differ. */
struct pair {
    const struct insn *want;
    const struct insn *got;
    struct difference *out;
};

void difference_release(struct difference *difference)
{
    buf_release(&difference->what);
    buf_release(&difference->details);
}

void encoding_hex(struct bytes bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, "%s%02x", i ? " " : "", bytes.data[i]);
}

/* --- details ------------------------------------------------------------- */

/* The instruction, with what it jumps to as a place in the code: it was decoded
 * as if code[0] were at address 0. */
static void append_text(const struct insn *insn, struct buf *out)
{
    const struct insn_operand *to = &insn->operands[0];

    if (insn->operand_count > 0 && to->kind == OPERAND_IMMEDIATE &&
        (insn->kind == INSN_JUMP || insn->kind == INSN_CALL ||
         insn->kind == INSN_BRANCH))
        buf_printf(out, "%s code[%lld]", insn->mnemonic,
                   (long long)to->immediate);
    else
        buf_append_text(out, insn->text);
}

static struct bytes bytes_of(const struct insn *insn)
{
    return (struct bytes){insn->bytes, insn->length};
}

/* "expected  48 01 f8              add rax, rdi" */
static void add_line(struct buf *out, const char *name, struct bytes bytes,
                     const char *text)
{
    struct buf hex = {0};

    encoding_hex(bytes, &hex);
    buf_printf(out, *text ? "%-8s  %-20s  %s\n" : "%-8s  %s%s\n", name,
               buf_text(&hex), text);
    buf_release(&hex);
}

static void append_binary(unsigned value, unsigned width, struct buf *out)
{
    while (width-- > 0)
        buf_printf(out, "%u", value >> width & 1);
}

/* "REX 0100 W=1 R=0 X=0 B=0", "ModRM mod=11 reg=111 rm=000" */
static void append_field(const struct insn *insn,
                         const struct insn_field *field, struct buf *out)
{
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count = insn_split(insn, bits);

    field_name(field, out);
    for (size_t i = 0; i < count; i++) {
        bool named = bits[i].label[0] < '0' || bits[i].label[0] > '9';

        if (&insn->fields[bits[i].field] != field)
            continue;
        buf_append_text(out, " ");
        if (named && bits[i].width < 8)
            buf_printf(out, "%s=", bits[i].label);
        append_binary(bits[i].value, bits[i].width, out);
    }
}

static const struct insn_field *find_field(const struct insn *insn,
                                           enum field_kind kind)
{
    for (size_t i = 0; i < insn->field_count; i++)
        if (insn->fields[i].kind == kind)
            return &insn->fields[i];
    return NULL;
}

static bool same_field(const struct pair *pair, const struct insn_field *a,
                       const struct insn_field *b)
{
    if (!a || !b)
        return a == b;
    return a->size == b->size &&
           memcmp(pair->want->bytes + a->offset, pair->got->bytes + b->offset,
                  a->size) == 0;
}

static void add_bits(struct buf *out, const char *name, const struct insn *insn,
                     enum field_kind kind)
{
    static const char *const missing[] = {[FIELD_PREFIX] = "prefix",
                                          [FIELD_REX] = "REX",
                                          [FIELD_VEX] = "VEX",
                                          [FIELD_OPCODE] = "opcode",
                                          [FIELD_MODRM] = "ModRM",
                                          [FIELD_SIB] = "SIB",
                                          [FIELD_DISPLACEMENT] = "displacement",
                                          [FIELD_IMMEDIATE] = "immediate"};
    const struct insn_field *field = find_field(insn, kind);

    buf_printf(out, "%-8s  ", name);
    if (field)
        append_field(insn, field, out);
    else
        buf_printf(out, "no %s", missing[kind]);
    buf_append_text(out, "\n");
}

/* Both instructions, and the bits of each field that is not the same. */
static void add_pair(const struct pair *pair)
{
    struct buf *out = &pair->out->details;

    add_line(out, "expected", bytes_of(pair->want), pair->want->text);
    add_line(out, "actual", bytes_of(pair->got), pair->got->text);
    for (unsigned kind = FIELD_PREFIX; kind <= FIELD_IMMEDIATE; kind++) {
        if (same_field(pair, find_field(pair->want, kind),
                       find_field(pair->got, kind)))
            continue;
        add_bits(out, "expected", pair->want, kind);
        add_bits(out, "actual", pair->got, kind);
    }
}

/* --- the same instruction, nearly ---------------------------------------- */

static bool same_bytes(const struct insn *a, const struct insn *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void append_opcode(const struct insn *insn, struct buf *out)
{
    const struct insn_field *opcode = find_field(insn, FIELD_OPCODE);

    buf_append_text(out, "opcode ");
    encoding_hex((struct bytes){insn->bytes + opcode->offset, opcode->size},
                 out);
}

/* "opcode b8 and imm64", "opcode 03 and ModRM c7" */
static void append_form(const struct pair *pair, const struct insn *insn,
                        struct buf *out)
{
    append_opcode(insn, out);
    for (unsigned kind = FIELD_MODRM; kind <= FIELD_IMMEDIATE; kind++) {
        const struct insn_field *field = find_field(insn, kind);

        if (!field || same_field(pair, find_field(pair->want, kind),
                                 find_field(pair->got, kind)))
            continue;
        buf_append_text(out, " and ");
        field_name(field, out);
        if (kind == FIELD_IMMEDIATE || kind == FIELD_DISPLACEMENT)
            continue;
        buf_append_text(out, " ");
        encoding_hex((struct bytes){insn->bytes + field->offset, field->size},
                     out);
    }
}

static bool is_other_form(const struct pair *pair)
{
    struct buf *what = &pair->out->what;

    if (strcmp(pair->want->text, pair->got->text) != 0)
        return false;
    buf_printf(what, "%s has another encoding: ", pair->want->text);
    append_form(pair, pair->got, what);
    buf_append_text(what, " where ");
    append_form(pair, pair->want, what);
    buf_append_text(what, " belong");
    return true;
}

static uint8_t byte_of(const struct insn *insn, enum field_kind kind)
{
    const struct insn_field *field = find_field(insn, kind);

    return field ? insn->bytes[field->offset] : 0;
}

static bool same_opcode(const struct pair *pair)
{
    return same_field(pair, find_field(pair->want, FIELD_OPCODE),
                      find_field(pair->got, FIELD_OPCODE));
}

/* The same on the lower half of the registers: mov eax for mov rax. */
static bool is_narrower(const struct pair *pair)
{
    const struct insn_operand *want = &pair->want->operands[0];
    const struct insn_operand *got = &pair->got->operands[0];
    const struct insn_field *rex = find_field(pair->got, FIELD_REX);
    struct buf *what = &pair->out->what;

    if (strcmp(pair->want->mnemonic, pair->got->mnemonic) != 0 ||
        want->kind != OPERAND_REGISTER || got->kind != OPERAND_REGISTER ||
        want->reg != got->reg || got->bits >= want->bits)
        return false;
    if (got->bits == 32 && same_opcode(pair))
        buf_printf(what, "REX.W is %s in %s: this is a 32-bit operation, %s",
                   rex ? "0" : "missing", pair->want->mnemonic,
                   pair->got->text);
    else if (got->bits == 32)
        buf_printf(what,
                   "%s (opcode %02x) clears the upper half of %s: the sign of "
                   "a negative term is lost",
                   pair->got->text, byte_of(pair->got, FIELD_OPCODE),
                   reg_name(want->reg));
    else
        buf_printf(what,
                   "%s is a %u-bit operation: the upper %u bits of %s stay as "
                   "they were",
                   pair->got->text, got->bits, 64u - got->bits,
                   reg_name(want->reg));
    return true;
}

static bool is_larger_return(const struct pair *pair)
{
    const struct insn_field *imm = find_field(pair->got, FIELD_IMMEDIATE);

    if (pair->want->kind != INSN_RETURN || pair->got->kind != INSN_RETURN ||
        !imm)
        return false;
    buf_printf(&pair->out->what,
               "%s (opcode c2) where ret (opcode c3) belongs: it also takes "
               "%lld bytes off the caller's stack",
               pair->got->text, (long long)imm->value);
    return true;
}

/* ModRM has mod in bits 7..6, reg in 5..3 and rm in 2..0. */
static bool is_other_modrm(const struct pair *pair)
{
    uint8_t want = byte_of(pair->want, FIELD_MODRM);
    uint8_t got = byte_of(pair->got, FIELD_MODRM);
    struct buf *what = &pair->out->what;

    if (!same_opcode(pair) || want == got ||
        !find_field(pair->got, FIELD_MODRM))
        return false;
    if ((want & 7) == (got >> 3 & 7) && (want >> 3 & 7) == (got & 7) &&
        want >> 6 == got >> 6) {
        buf_printf(what,
                   "reg and rm are swapped in the ModRM of %s: this is %s",
                   pair->want->mnemonic, pair->got->text);
        return true;
    }
    buf_append_text(what, "ModRM.");
    if (want >> 6 != got >> 6) {
        buf_append_text(what, "mod is ");
        append_binary(got >> 6, 2, what);
        buf_append_text(what, ", not ");
        append_binary(want >> 6, 2, what);
    } else {
        bool in_reg = (want >> 3 & 7) != (got >> 3 & 7);

        buf_append_text(what, in_reg ? "reg is " : "rm is ");
        append_binary(in_reg ? got >> 3 & 7 : got & 7, 3, what);
        buf_append_text(what, ", not ");
        append_binary(in_reg ? want >> 3 & 7 : want & 7, 3, what);
    }
    buf_printf(what, ": this is %s", pair->got->text);
    return true;
}

static bool is_other_rex(const struct pair *pair)
{
    static const char names[] = "BXRW";
    uint8_t want = byte_of(pair->want, FIELD_REX);
    uint8_t got = byte_of(pair->got, FIELD_REX);

    if (!same_opcode(pair) || want == got)
        return false;
    for (int bit = 3; bit >= 0; bit--)
        if ((want ^ got) >> bit & 1) {
            buf_printf(&pair->out->what, "REX.%c is %d in %s: this is %s",
                       names[bit], got >> bit & 1, pair->want->mnemonic,
                       pair->got->text);
            return true;
        }
    return false;
}

static bool is_other_value(const struct pair *pair)
{
    const struct insn_field *want = find_field(pair->want, FIELD_IMMEDIATE);
    const struct insn_field *got = find_field(pair->got, FIELD_IMMEDIATE);
    struct difference *out = pair->out;

    if (!want || !got || want->offset != got->offset ||
        want->size != got->size || pair->want->length != pair->got->length ||
        memcmp(pair->want->bytes, pair->got->bytes, want->offset) != 0)
        return false;
    out->in_immediate = true;
    out->immediate_offset = out->offset + want->offset;
    out->immediate_size = want->size;
    out->immediate = got->value;
    buf_printf(&out->what, "the immediate of %s is %lld where %lld belongs",
               pair->want->mnemonic, (long long)got->value,
               (long long)want->value);
    return true;
}

/* Another mnemonic, or none of the above. */
static bool is_other(const struct pair *pair)
{
    struct buf *what = &pair->out->what;

    append_text(pair->got, what);
    buf_append_text(what, " (");
    append_opcode(pair->got, what);
    buf_printf(what, ") stands where %s (", pair->want->text);
    append_opcode(pair->want, what);
    buf_append_text(what, ") belongs");
    return true;
}

static void name_pair(const struct pair *pair)
{
    static bool (*const names[])(const struct pair *) = {
        is_other_value, is_other_form, is_narrower, is_larger_return,
        is_other_modrm, is_other_rex,  is_other};

    for (size_t i = 0; !names[i](pair);)
        i++;
    add_pair(pair);
}

/* --- one too many, one too few ------------------------------------------- */

static struct bytes rest(struct bytes code, size_t offset)
{
    return (struct bytes){code.data + offset, code.len - offset};
}

/* The instruction behind insn, in code that insn is at the offset of. */
static bool next_is(struct bytes code, size_t offset, const struct insn *insn,
                    const struct insn *wanted)
{
    struct insn next;
    struct bytes behind = rest(code, offset + insn->length);

    return insn_decode(behind.data, behind.len, 0, &next) > 0 &&
           same_bytes(&next, wanted);
}

static void name_missing(struct bytes got, size_t offset,
                         const struct insn *want, struct difference *out)
{
    struct bytes behind = rest(got, offset);

    buf_printf(&out->what, "%s is missing%s", want->text,
               behind.len ? "" : ": the code ends before it");
    add_line(&out->details, "expected", bytes_of(want), want->text);
    add_line(&out->details, "actual", behind, behind.len ? "" : "nothing");
}

static void name_extra(struct bytes got, size_t offset,
                       const struct insn *extra, const struct insn *want,
                       struct difference *out)
{
    append_text(extra, &out->what);
    buf_printf(&out->what, " at code[%zu] is one instruction too many", offset);
    add_line(&out->details, "expected", bytes_of(want), want->text);
    add_line(&out->details, "actual", bytes_of(extra), extra->text);
    add_line(&out->details, "then", rest(got, offset + extra->length), "");
}

static void name_behind(struct bytes got, size_t offset, struct difference *out)
{
    struct bytes behind = rest(got, offset);
    struct insn insn;
    bool known = insn_decode(behind.data, behind.len, offset, &insn) > 0;

    buf_printf(&out->what, "%zu byte%s too many behind the last instruction",
               behind.len, behind.len == 1 ? "" : "s");
    if (known) {
        buf_append_text(&out->what, ": ");
        append_text(&insn, &out->what);
    }
    add_line(&out->details, "expected", (struct bytes){NULL, 0}, "nothing");
    add_line(&out->details, "actual", behind, known ? insn.text : "");
}

static void name_garbage(struct bytes got, size_t offset, bool cut,
                         const struct insn *want, struct difference *out)
{
    struct bytes behind = rest(got, offset);

    if (cut)
        buf_printf(&out->what,
                   "the code ends in the middle of an instruction, %zu bytes "
                   "behind code[%zu]",
                   behind.len, offset);
    else
        buf_printf(&out->what, "what begins at code[%zu] is no instruction",
                   offset);
    if (behind.len > INSN_MAX_LENGTH)
        behind.len = INSN_MAX_LENGTH;
    add_line(&out->details, "expected", bytes_of(want), want->text);
    add_line(&out->details, "actual", behind, "");
}

/* Where want is the instruction at offset, and something else was got. */
static void name_difference(struct bytes want_code, struct bytes got_code,
                            size_t offset, const struct insn *want,
                            struct difference *out)
{
    struct bytes behind = rest(got_code, offset);
    struct insn got;
    int decoded = insn_decode(behind.data, behind.len, offset, &got);

    if (behind.len == 0)
        name_missing(got_code, offset, want, out);
    else if (decoded <= 0)
        name_garbage(got_code, offset, decoded == 0, want, out);
    else if (next_is(want_code, offset, want, &got))
        name_missing(got_code, offset, want, out);
    else if (next_is(got_code, offset, &got, want))
        name_extra(got_code, offset, &got, want, out);
    else
        name_pair(&(struct pair){want, &got, out});
}

bool encoding_compare(struct bytes want, struct bytes got,
                      struct difference *out)
{
    size_t offset = 0;
    struct insn insn;

    if (want.len == got.len && memcmp(want.data, got.data, got.len) == 0)
        return false;
    while (offset < want.len) {
        insn_decode(want.data + offset, want.len - offset, offset, &insn);
        out->offset = offset;
        if (got.len < offset + insn.length ||
            memcmp(got.data + offset, insn.bytes, insn.length) != 0) {
            name_difference(want, got, offset, &insn, out);
            return true;
        }
        offset += insn.length;
    }
    out->offset = offset;
    name_behind(got, offset, out);
    return true;
}
