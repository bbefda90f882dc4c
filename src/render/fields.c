/* SPDX-License-Identifier: MIT */
/*
 * How it is laid out: every field is a cell of a few lines, and the cells stand
 * side by side, so that a field's explanation is on the columns of its bytes.
 *
 *     +0   48            c7         c0           fc ff ff ff
 *          REX           opcode /0  ModRM        imm32
 *               W R X B             mod reg rm   0xfffffffc = -4
 *          0100 1 0 0 0  11000111   11  000 000  sign-extended to 64 bits:
 *                                                0xfffffffffffffffc
 *          = mov rax, -4
 *
 * A line that is empty in all cells is left out.
 */
#include "render/fields.h"

#include <string.h>

#include "base/mem.h"

#define INDENT 5u

enum cell_line {
    LINE_BYTES,
    LINE_NAME,
    LINE_LABELS, /* of the bits; or the value of a number */
    LINE_BITS,
    LINE_MORE,
    LINES,
};

struct cell {
    enum role role;
    struct buf lines[LINES];
};

uint64_t fields_bits(const struct insn_field *field)
{
    uint64_t bits = (uint64_t)field->value;

    return field->size < 8 ? bits & ((1ull << 8 * field->size) - 1) : bits;
}

void fields_value(const struct insn_field *field, struct buf *out)
{
    unsigned long long bits = fields_bits(field);

    buf_printf(out, "0x%0*llx = ", 2 * field->size, bits);
    if (field->is_signed)
        buf_printf(out, "%lld", (long long)field->value);
    else
        buf_printf(out, "%llu", bits);
}

/* What the CPU makes of a number before it uses it, in one or two lines. */
static void append_use(const struct insn *insn, const struct insn_field *field,
                       struct buf *first, struct buf *second)
{
    unsigned bits = field->extended_bits;
    uint64_t value = (uint64_t)field->value;

    if (field->is_relative) {
        buf_append_text(first, "from the end of this");
        buf_printf(second, "instruction: 0x%llx",
                   (unsigned long long)(insn->addr + insn->length + value));
    } else if (field->kind == FIELD_IMMEDIATE && bits > 8 * field->size) {
        if (bits < 64)
            value &= (1ull << bits) - 1;
        buf_printf(first, "%s-extended to %u bits:",
                   field->is_signed ? "sign" : "zero", bits);
        buf_printf(second, "0x%0*llx", (int)bits / 4,
                   (unsigned long long)value);
    }
}

static bool is_number(const struct insn_field *field)
{
    return field->kind == FIELD_IMMEDIATE || field->kind == FIELD_DISPLACEMENT;
}

static void append_name(const struct insn_field *field, struct buf *out)
{
    field_name(field, out);
    if (field->kind == FIELD_OPCODE && field->digit >= 0)
        buf_printf(out, " /%d", field->digit);
}

static void append_bytes(const struct insn *insn,
                         const struct insn_field *field, struct buf *out)
{
    for (unsigned i = 0; i < field->size; i++)
        buf_printf(out, i ? " %02x" : "%02x", insn->bytes[field->offset + i]);
}

static void append_binary(const struct insn_bits *bits, struct buf *out)
{
    for (int i = bits->width - 1; i >= 0; i--)
        buf_append_text(out, bits->value >> i & 1 ? "1" : "0");
}

/* A fixed pattern is its own label, and a whole byte needs none. */
static const char *label_of(const struct insn_bits *bits)
{
    bool fixed = bits->label[strspn(bits->label, "01")] == 0;

    return fixed || bits->width == 8 ? "" : bits->label;
}

static void pad(struct buf *out, size_t len)
{
    while (out->len < len)
        buf_append_text(out, " ");
}

/* Labels above, bits below, on the same columns. */
static void append_columns(const struct insn_bits *bits, size_t count,
                           struct buf *labels, struct buf *below)
{
    for (size_t i = 0; i < count; i++) {
        if (label_of(&bits[i])[0]) {
            pad(labels, below->len);
            buf_append_text(labels, label_of(&bits[i]));
        }
        append_binary(&bits[i], below);
        if (i + 1 < count)
            pad(below,
                labels->len > below->len ? labels->len + 1 : below->len + 1);
    }
}

/* The bits of one field: they are neighbours. Returns the first of them. */
static const struct insn_bits *bits_of(const struct insn_bits *all,
                                       size_t all_count, size_t field,
                                       size_t *count)
{
    size_t first = 0;

    while (first < all_count && all[first].field != field)
        first++;
    *count = 0;
    while (first + *count < all_count && all[first + *count].field == field)
        ++*count;
    return all + first;
}

static void fill_cell(struct cell *cell, const struct insn *insn, size_t i,
                      const struct insn_bits *bits, size_t count)
{
    const struct insn_field *field = &insn->fields[i];

    cell->role = style_field(field->kind);
    append_bytes(insn, field, &cell->lines[LINE_BYTES]);
    append_name(field, &cell->lines[LINE_NAME]);
    if (is_number(field)) {
        fields_value(field, &cell->lines[LINE_LABELS]);
        append_use(insn, field, &cell->lines[LINE_BITS],
                   &cell->lines[LINE_MORE]);
    } else {
        append_columns(bits, count, &cell->lines[LINE_LABELS],
                       &cell->lines[LINE_BITS]);
    }
}

static size_t cell_width(const struct cell *cell)
{
    size_t width = 0;

    for (size_t i = 0; i < LINES; i++)
        if (cell->lines[i].len > width)
            width = cell->lines[i].len;
    return width;
}

static size_t row_width(const struct cell *cells, size_t count)
{
    size_t width = INDENT;

    for (size_t i = 0; i < count; i++)
        width += cell_width(&cells[i]) + (i + 1 < count ? 2 : 0);
    return width;
}

static void write_offset(struct pen *pen, uint64_t offset)
{
    pen_print(pen, ROLE_ADDRESS, "+%llu", (unsigned long long)offset);
    if (pen->column >= INDENT)
        pen_end(pen);
}

static bool line_empty(const struct cell *cells, size_t count, size_t line)
{
    for (size_t i = 0; i < count; i++)
        if (cells[i].lines[line].len > 0)
            return false;
    return true;
}

static void write_side_by_side(struct pen *pen, struct cell *cells,
                               size_t count)
{
    for (size_t line = 0; line < LINES; line++) {
        unsigned column = INDENT;

        if (line_empty(cells, count, line))
            continue;
        for (size_t i = 0; i < count; i++) {
            if (cells[i].lines[line].len > 0) {
                pen_column(pen, column);
                pen_text(pen, cells[i].role, buf_text(&cells[i].lines[line]));
            }
            column += (unsigned)cell_width(&cells[i]) + 2;
        }
        pen_end(pen);
    }
}

/* "W=1 R=0 X=0 B=0", or plain bits where there are no names. */
static void write_bits(struct pen *pen, enum role role,
                       const struct insn_bits *bits, size_t count)
{
    struct buf text = {0};

    for (size_t i = 0; i < count; i++) {
        buf_append_text(&text, i ? " " : "");
        if (label_of(&bits[i])[0])
            buf_printf(&text, "%s=", bits[i].label);
        append_binary(&bits[i], &text);
    }
    pen_text(pen, role, buf_text(&text));
    buf_release(&text);
}

static void write_line(struct pen *pen, struct cell *cell, bool number,
                       const struct insn_bits *bits, size_t count)
{
    pen_column(pen, INDENT);
    pen_text(pen, cell->role, buf_text(&cell->lines[LINE_NAME]));
    pen_gap(pen, INDENT + 11);
    pen_text(pen, cell->role, buf_text(&cell->lines[LINE_BYTES]));
    if (!number) {
        pen_item(pen, INDENT + 11, 8);
        pen_gap(pen, INDENT + 24);
        write_bits(pen, cell->role, bits, count);
    }
    for (size_t i = LINE_LABELS; number && i < LINES; i++) {
        if (cell->lines[i].len == 0)
            continue;
        pen_item(pen, INDENT + 11, cell->lines[i].len);
        if (i == LINE_LABELS)
            pen_gap(pen, INDENT + 24);
        pen_text(pen, cell->role, buf_text(&cell->lines[i]));
    }
    pen_end(pen);
}

static void write_cells(struct pen *pen, const struct insn *insn,
                        struct cell *cells, const struct insn_bits *bits,
                        size_t bit_count)
{
    size_t n;

    if (row_width(cells, insn->field_count) <= PEN_WIDTH) {
        write_side_by_side(pen, cells, insn->field_count);
        return;
    }
    pen_column(pen, INDENT);
    for (size_t i = 0; i < insn->length; i++)
        pen_print(pen, ROLE_BYTE, i ? " %02x" : "%02x", insn->bytes[i]);
    pen_end(pen);
    for (size_t i = 0; i < insn->field_count; i++) {
        const struct insn_bits *own = bits_of(bits, bit_count, i, &n);

        write_line(pen, &cells[i], is_number(&insn->fields[i]), own, n);
    }
}

void fields_write(struct pen *pen, const struct insn *insn, uint64_t offset)
{
    struct cell cells[INSN_MAX_FIELDS] = {0};
    struct insn_bits bits[INSN_MAX_BITS];
    size_t bit_count = insn_split(insn, bits), n;

    for (size_t i = 0; i < insn->field_count; i++) {
        const struct insn_bits *own = bits_of(bits, bit_count, i, &n);

        fill_cell(&cells[i], insn, i, own, n);
    }
    write_offset(pen, offset);
    write_cells(pen, insn, cells, bits, bit_count);
    pen_column(pen, INDENT);
    pen_text(pen, ROLE_NOTE, "= ");
    pen_text(pen, ROLE_MNEMONIC, insn->text);
    pen_end(pen);
    for (size_t i = 0; i < insn->field_count; i++)
        for (size_t line = 0; line < LINES; line++)
            buf_release(&cells[i].lines[line]);
}

unsigned fields_names(const struct insn *insn)
{
    unsigned names = 0;

    for (size_t i = 0; i < insn->field_count; i++) {
        const struct insn_field *field = &insn->fields[i];

        if (field->kind == FIELD_REX)
            names |= FIELDS_REX;
        if (field->kind == FIELD_MODRM && insn->bytes[field->offset] >> 6 == 3)
            names |= FIELDS_MOD_11;
        if (field->kind == FIELD_OPCODE && field->digit >= 0)
            names |= FIELDS_DIGIT;
    }
    return names;
}

void fields_write_legend(struct pen *pen, unsigned names)
{
    struct buf line = {0};

    if (names & FIELDS_REX)
        buf_append_text(&line, "REX.W=1: 64 bits. R, X, B: one more high bit "
                               "for reg, index, rm or base. ");
    if (names & FIELDS_MOD_11)
        buf_append_text(&line, "mod=11: rm is a register. ");
    if (names & FIELDS_DIGIT)
        buf_append_text(&line, "/0 to /7: reg is no register but a part of "
                               "the opcode. ");
    if (line.len > 0) {
        line.len--;
        pen_words(pen, ROLE_NOTE, 0, buf_text(&line));
    }
    buf_release(&line);
}
