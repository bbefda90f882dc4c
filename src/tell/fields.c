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
#include "tell/fields.h"

#include <string.h>

#include "base/mem.h"

#define INDENT 5u
#define NARROW 60u /* columns: on lines of their own, bits stand closer */

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

/* One instruction on its way to the pen. */
struct layout {
    struct pen *pen;
    unsigned indent;
    const struct insn *insn;
    unsigned unwritten; /* bit i: byte i */
    struct insn_bits bits[INSN_MAX_BITS];
    size_t bit_count;
    struct cell cells[INSN_MAX_FIELDS];
    size_t count; /* of the cells that are filled and shown */
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

void fields_meaning(const struct insn *insn, const struct insn_field *field,
                    struct buf *out)
{
    fields_value(field, out);
    if (field->is_relative)
        buf_printf(out, ", from the end of the instruction to 0x%llx",
                   (unsigned long long)(insn->addr + insn->length +
                                        (uint64_t)field->value));
}

bool field_is_number(const struct insn_field *field)
{
    return field->kind == FIELD_IMMEDIATE || field->kind == FIELD_DISPLACEMENT;
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

/* Which of a field's bytes were not written, as a mask of its own. */
static unsigned missing_of(const struct insn_field *field, unsigned unwritten)
{
    return unwritten >> field->offset & ((1u << field->size) - 1);
}

/* A whole field says what it is for; of a number any byte is enough. */
static bool says_something(const struct insn_field *field, unsigned unwritten)
{
    unsigned missing = missing_of(field, unwritten);

    return missing == 0 ||
           (field_is_number(field) && missing != (1u << field->size) - 1);
}

/* The digit is in the byte behind the opcode. */
static void append_name(const struct insn_field *field, unsigned unwritten,
                        struct buf *out)
{
    bool next_written = !(unwritten >> (field->offset + field->size) & 1);

    field_name(field, out);
    if (field->kind == FIELD_OPCODE && field->digit >= 0 && next_written)
        buf_printf(out, " /%d", field->digit);
}

static void append_byte(const struct insn *insn, unsigned i, unsigned unwritten,
                        struct buf *out)
{
    if (unwritten >> i & 1)
        buf_append_text(out, FIELDS_UNWRITTEN);
    else
        buf_printf(out, "%02x", insn->bytes[i]);
}

static void append_bytes(const struct insn *insn, unsigned first, unsigned size,
                         unsigned unwritten, struct buf *out)
{
    for (unsigned i = first; i < first + size; i++) {
        buf_append_text(out, i > first ? " " : "");
        append_byte(insn, i, unwritten, out);
    }
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
static const struct insn_bits *bits_of(const struct layout *layout,
                                       size_t field, size_t *count)
{
    const struct insn_bits *all = layout->bits;
    size_t first = 0;

    while (first < layout->bit_count && all[first].field != field)
        first++;
    *count = 0;
    while (first + *count < layout->bit_count &&
           all[first + *count].field == field)
        ++*count;
    return all + first;
}

static void fill_cell(struct cell *cell, const struct layout *layout, size_t i)
{
    const struct insn *insn = layout->insn;
    const struct insn_field *field = &insn->fields[i];
    unsigned unwritten = layout->unwritten;

    cell->role = style_field(field->kind);
    append_bytes(insn, field->offset, field->size, unwritten,
                 &cell->lines[LINE_BYTES]);
    if (!says_something(field, unwritten))
        return;
    append_name(field, unwritten, &cell->lines[LINE_NAME]);
    if (field_is_number(field)) {
        fields_value(field, &cell->lines[LINE_LABELS]);
        append_use(insn, field, &cell->lines[LINE_BITS],
                   &cell->lines[LINE_MORE]);
    } else {
        size_t count;
        const struct insn_bits *bits = bits_of(layout, i, &count);

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

static size_t row_width(const struct layout *layout)
{
    size_t width = layout->indent;

    for (size_t i = 0; i < layout->count; i++)
        width += cell_width(&layout->cells[i]) + (i > 0 ? 2 : 0);
    return width;
}

static void write_offset(struct pen *pen, uint64_t offset)
{
    pen_print(pen, ROLE_ADDRESS, "+%llu", (unsigned long long)offset);
    if (pen->column >= INDENT)
        pen_end(pen);
}

static bool line_empty(const struct layout *layout, size_t line)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->cells[i].lines[line].len > 0)
            return false;
    return true;
}

static void write_side_by_side(struct layout *layout)
{
    for (size_t line = 0; line < LINES; line++) {
        unsigned column = layout->indent;

        if (line_empty(layout, line))
            continue;
        for (size_t i = 0; i < layout->count; i++) {
            struct cell *cell = &layout->cells[i];

            if (cell->lines[line].len > 0) {
                pen_column(layout->pen, column);
                pen_text(layout->pen, cell->role, buf_text(&cell->lines[line]));
            }
            column += (unsigned)cell_width(cell) + 2;
        }
        pen_end(layout->pen);
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

/* The value of a number. Where a line has no room for it in hex, which its
 * bytes show anyway, it is told in decimal only: "= 65532". */
static void write_value(struct layout *layout, struct cell *cell)
{
    struct pen *pen = layout->pen;
    const char *value = buf_text(&cell->lines[LINE_LABELS]);
    unsigned column = layout->indent + 24;

    if (column + pen_width(value) > pen_line_width(pen) && strstr(value, "= "))
        value = strstr(value, "= ");
    pen_item(pen, layout->indent + 11, pen_width(value));
    pen_gap(pen, column);
    pen_text(pen, cell->role, value);
}

/* What a number means, on as many lines as it takes. */
static void write_number(struct layout *layout, struct cell *cell)
{
    if (cell->lines[LINE_LABELS].len > 0)
        write_value(layout, cell);
    for (size_t line = LINE_BITS; line < LINES; line++) {
        if (cell->lines[line].len == 0)
            continue;
        pen_item(layout->pen, layout->indent + 11, cell->lines[line].len);
        pen_text(layout->pen, cell->role, buf_text(&cell->lines[line]));
    }
}

static void write_line(struct layout *layout, size_t i)
{
    struct pen *pen = layout->pen;
    struct cell *cell = &layout->cells[i];
    const struct insn_field *field = &layout->insn->fields[i];
    bool says = says_something(field, layout->unwritten);
    bool narrow = pen_line_width(pen) < NARROW;

    pen_column(pen, layout->indent);
    pen_text(pen, cell->role, buf_text(&cell->lines[LINE_NAME]));
    pen_gap(pen, layout->indent + 11);
    pen_text(pen, cell->role, buf_text(&cell->lines[LINE_BYTES]));
    if (field_is_number(field)) {
        write_number(layout, cell);
    } else if (says) {
        size_t count;
        const struct insn_bits *bits = bits_of(layout, i, &count);

        pen_item(pen, layout->indent + 11, 8);
        pen_gap(pen, layout->indent + (narrow ? 16 : 24));
        write_bits(pen, cell->role, bits, count);
    }
    pen_end(pen);
}

static void write_lines(struct layout *layout)
{
    const struct insn *insn = layout->insn;
    struct buf byte = {0};

    pen_column(layout->pen, layout->indent);
    for (unsigned i = 0; i < insn->length; i++) {
        buf_append_text(&byte, i ? " " : "");
        append_byte(insn, i, layout->unwritten, &byte);
        pen_text(layout->pen, ROLE_BYTE, buf_text(&byte));
        buf_clear(&byte);
    }
    pen_end(layout->pen);
    for (size_t i = 0; i < layout->count; i++)
        write_line(layout, i);
    buf_release(&byte);
}

/* Which fields there are behind one that tells so cannot be known without it.
 */
static void layout_init(struct layout *layout)
{
    bool known = true;

    layout->bit_count = insn_split(layout->insn, layout->bits);
    for (size_t i = 0; known && i < layout->insn->field_count; i++) {
        const struct insn_field *field = &layout->insn->fields[i];

        fill_cell(&layout->cells[i], layout, i);
        layout->count++;
        known =
            field_is_number(field) || missing_of(field, layout->unwritten) == 0;
    }
}

static void layout_release(struct layout *layout)
{
    for (size_t i = 0; i < layout->count; i++)
        for (size_t line = 0; line < LINES; line++)
            buf_release(&layout->cells[i].lines[line]);
}

/* Returns whether they stand side by side. */
static bool write_cells(struct layout *layout)
{
    bool fit = row_width(layout) <= pen_line_width(layout->pen);

    if (fit)
        write_side_by_side(layout);
    else
        write_lines(layout);
    return fit;
}

void fields_write(struct pen *pen, const struct insn *insn, uint64_t offset)
{
    struct layout layout = {.pen = pen, .indent = INDENT, .insn = insn};

    layout_init(&layout);
    write_offset(pen, offset);
    write_cells(&layout);
    pen_column(pen, INDENT);
    pen_text(pen, ROLE_NOTE, "= ");
    pen_text(pen, ROLE_MNEMONIC, insn->text);
    pen_end(pen);
    layout_release(&layout);
}

bool fields_write_partly(struct pen *pen, const struct insn *insn,
                         unsigned unwritten)
{
    struct layout layout = {.pen = pen, .insn = insn, .unwritten = unwritten};
    bool side_by_side;

    layout_init(&layout);
    side_by_side = write_cells(&layout);
    layout_release(&layout);
    return side_by_side;
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
