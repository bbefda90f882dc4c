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

#include "tell/phrase.h"

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
    const char *lines[LINES];
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
    struct phrases phrases;
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

/* Which of a field's bytes were not written, as a mask of its own. */
static unsigned missing_of(const struct insn_field *field, unsigned unwritten)
{
    return unwritten >> field->offset & ((1u << field->size) - 1);
}

/* --- cells --------------------------------------------------------------- */

/* Bytes of the instruction, "48 c7 ··". */
static const char *bytes_of(struct layout *layout, unsigned first,
                            unsigned size)
{
    struct buf text = {0};

    for (unsigned i = first; i < first + size; i++) {
        buf_append_text(&text, i > first ? " " : "");
        if (layout->unwritten >> i & 1)
            buf_append_text(&text, FIELDS_UNWRITTEN);
        else
            buf_printf(&text, "%02x", layout->insn->bytes[i]);
    }
    return phrase_of(&layout->phrases, &text);
}

/* A fixed pattern is its own label, and a whole byte needs none. */
static const char *label_of(const struct insn_bits *bits)
{
    bool fixed = bits->label[strspn(bits->label, "01")] == 0;

    return fixed || bits->width == 8 ? "" : bits->label;
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

/* Labels above, bits below, on the same columns. */
static void fill_bits(struct layout *layout, size_t i)
{
    const char **lines = layout->cells[i].lines;
    size_t count;
    const struct insn_bits *bits = bits_of(layout, i, &count);
    struct buf labels = {0}, below = {0};

    for (size_t k = 0; k < count; k++) {
        size_t next = labels.len > below.len ? labels.len : below.len;

        if (k > 0)
            buf_printf(&below, "%*s", (int)(next + 1 - below.len), "");
        if (label_of(&bits[k])[0])
            buf_printf(&labels, "%*s%s", (int)(below.len - labels.len), "",
                       label_of(&bits[k]));
        buf_append_text(&below, phrase_bits(&layout->phrases, bits[k].value,
                                            bits[k].width));
    }
    lines[LINE_LABELS] = phrase_of(&layout->phrases, &labels);
    lines[LINE_BITS] = phrase_of(&layout->phrases, &below);
}

/* A number, and what the CPU makes of it before it uses it. */
static void fill_number(struct layout *layout, size_t i)
{
    const struct insn *insn = layout->insn;
    const struct insn_field *field = &insn->fields[i];
    const char **lines = layout->cells[i].lines;
    uint64_t value = (uint64_t)field->value;
    struct phrases *phrases = &layout->phrases;
    unsigned bits = field->extended_bits;
    struct buf text = {0};

    fields_value(field, &text);
    lines[LINE_LABELS] = phrase_of(phrases, &text);
    if (field->is_relative) {
        lines[LINE_BITS] = "from the end of this";
        lines[LINE_MORE] =
            phrase(phrases, "instruction: 0x%llx",
                   (unsigned long long)(insn->addr + insn->length + value));
    } else if (field->kind == FIELD_IMMEDIATE && bits > 8 * field->size) {
        if (bits < 64)
            value &= (1ull << bits) - 1;
        lines[LINE_BITS] = phrase(phrases, "%s-extended to %u bits:",
                                  field->is_signed ? "sign" : "zero", bits);
        lines[LINE_MORE] = phrase(phrases, "0x%0*llx", (int)bits / 4,
                                  (unsigned long long)value);
    }
}

/* A whole field says what it is for; of a number any byte is enough. */
static bool says_something(const struct layout *layout,
                           const struct insn_field *field)
{
    unsigned missing = missing_of(field, layout->unwritten);

    return missing == 0 ||
           (field_is_number(field) && missing != (1u << field->size) - 1);
}

static unsigned cell_width(const struct cell *cell)
{
    size_t width = 0;

    for (size_t i = 0; i < LINES; i++)
        if (strlen(cell->lines[i]) > width)
            width = strlen(cell->lines[i]);
    return (unsigned)width;
}

/* --- layout -------------------------------------------------------------- */

static void write_side_by_side(struct layout *layout)
{
    for (size_t line = 0; line < LINES; line++) {
        unsigned column = layout->indent;
        bool any = false;

        for (size_t i = 0; i < layout->count; i++) {
            const struct cell *cell = &layout->cells[i];

            if (*cell->lines[line]) {
                pen_column(layout->pen, column);
                pen_text(layout->pen, cell->role, cell->lines[line]);
                any = true;
            }
            column += cell_width(cell) + 2;
        }
        if (any)
            pen_end(layout->pen);
    }
}

/* What a number is and means, on as many lines as it takes. Where a line has no
 * room for it in hex, which its bytes show anyway, it is told in decimal only:
 * "= 65532". */
static void write_number(struct layout *layout, const struct cell *cell)
{
    struct pen *pen = layout->pen;
    const char *value = cell->lines[LINE_LABELS];
    unsigned indent = layout->indent + 11, column = layout->indent + 24;

    if (column + pen_width(value) > pen_line_width(pen) && strstr(value, "= "))
        value = strstr(value, "= ");
    if (*value) {
        pen_item(pen, indent, pen_width(value));
        pen_gap(pen, column);
        pen_text(pen, cell->role, value);
    }
    for (size_t line = LINE_BITS; line < LINES; line++)
        if (*cell->lines[line]) {
            pen_item(pen, indent, strlen(cell->lines[line]));
            pen_text(pen, cell->role, cell->lines[line]);
        }
}

/* "W=1 R=0 X=0 B=0", or plain bits where there are no names. */
static void write_bits(struct layout *layout, size_t i)
{
    struct pen *pen = layout->pen;
    bool narrow = pen_line_width(pen) < NARROW;
    size_t count;
    const struct insn_bits *bits = bits_of(layout, i, &count);
    struct buf text = {0};

    for (size_t k = 0; k < count; k++) {
        const char *label = label_of(&bits[k]);

        buf_printf(&text, "%s%s%s%s", k ? " " : "", label, *label ? "=" : "",
                   phrase_bits(&layout->phrases, bits[k].value, bits[k].width));
    }
    pen_item(pen, layout->indent + 11, 8);
    pen_gap(pen, layout->indent + (narrow ? 16 : 24));
    pen_text(pen, layout->cells[i].role, phrase_of(&layout->phrases, &text));
}

/* A line for all bytes, then one or more for each field. */
static void write_lines(struct layout *layout)
{
    const struct insn *insn = layout->insn;
    struct pen *pen = layout->pen;

    pen_column(pen, layout->indent);
    pen_text(pen, ROLE_BYTE, bytes_of(layout, 0, insn->length));
    pen_end(pen);
    for (size_t i = 0; i < layout->count; i++) {
        const struct cell *cell = &layout->cells[i];

        pen_column(pen, layout->indent);
        pen_text(pen, cell->role, cell->lines[LINE_NAME]);
        pen_gap(pen, layout->indent + 11);
        pen_text(pen, cell->role, cell->lines[LINE_BYTES]);
        if (field_is_number(&insn->fields[i]))
            write_number(layout, cell);
        else if (says_something(layout, &insn->fields[i]))
            write_bits(layout, i);
        pen_end(pen);
    }
}

/* Fills a cell for each field. Which fields there are behind one that tells so
 * cannot be known without it. */
static void layout_init(struct layout *layout)
{
    unsigned unwritten = layout->unwritten;
    bool known = true;

    layout->bit_count = insn_split(layout->insn, layout->bits);
    for (size_t i = 0; known && i < layout->insn->field_count; i++) {
        const struct insn_field *field = &layout->insn->fields[i];
        struct cell *cell = &layout->cells[layout->count++];
        struct buf name = {0};

        known = field_is_number(field) || missing_of(field, unwritten) == 0;
        cell->role = style_field(field->kind);
        for (size_t line = 0; line < LINES; line++)
            cell->lines[line] = "";
        cell->lines[LINE_BYTES] = bytes_of(layout, field->offset, field->size);
        if (!says_something(layout, field))
            continue;
        field_name(field, &name);
        /* The digit is in the byte behind the opcode. */
        if (field->kind == FIELD_OPCODE && field->digit >= 0 &&
            !(unwritten >> (field->offset + field->size) & 1))
            buf_printf(&name, " /%d", field->digit);
        cell->lines[LINE_NAME] = phrase_of(&layout->phrases, &name);
        if (field_is_number(field))
            fill_number(layout, i);
        else
            fill_bits(layout, i);
    }
}

/* Returns whether they stand side by side. */
static bool write_cells(struct layout *layout)
{
    unsigned width = layout->indent;
    bool fit;

    for (size_t i = 0; i < layout->count; i++)
        width += cell_width(&layout->cells[i]) + (i > 0 ? 2 : 0);
    fit = width <= pen_line_width(layout->pen);
    if (fit)
        write_side_by_side(layout);
    else
        write_lines(layout);
    phrases_release(&layout->phrases);
    return fit;
}

void fields_write(struct pen *pen, const struct insn *insn, uint64_t offset)
{
    struct layout layout = {.pen = pen, .indent = INDENT, .insn = insn};

    layout_init(&layout);
    pen_print(pen, ROLE_ADDRESS, "+%llu", (unsigned long long)offset);
    if (pen->column >= INDENT)
        pen_end(pen);
    write_cells(&layout);
    pen_column(pen, INDENT);
    pen_text(pen, ROLE_NOTE, "= ");
    pen_text(pen, ROLE_MNEMONIC, insn->text);
    pen_end(pen);
}

bool fields_write_partly(struct pen *pen, const struct insn *insn,
                         unsigned unwritten)
{
    struct layout layout = {.pen = pen, .insn = insn, .unwritten = unwritten};

    layout_init(&layout);
    return write_cells(&layout);
}

/* --- names --------------------------------------------------------------- */

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
    static const char *const legend[] = {
        ("REX.W=1: 64 bits. R, X, B: one more high bit for reg, index, rm or "
         "base."),
        "mod=11: rm is a register.",
        "/0 to /7: reg is no register but a part of the opcode.",
    };
    struct buf line = {0};

    for (size_t i = 0; i < sizeof legend / sizeof *legend; i++)
        if (names & 1u << i)
            buf_printf(&line, "%s%s", line.len ? " " : "", legend[i]);
    if (line.len > 0)
        pen_words(pen, ROLE_NOTE, 0, buf_text(&line));
    buf_release(&line);
}
