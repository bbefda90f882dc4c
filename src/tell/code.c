/* SPDX-License-Identifier: MIT */
/*
 * How fields are laid out: every one is a cell of a few lines, and the cells
 * stand side by side, so that a field's explanation is on the columns of its
 * bytes.
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
#include "tell/code.h"

#include "cpu/split.h"

#define ROW       16u
#define LOOK_BACK 8192

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

/* A field; a line that it has not is "". */
struct cell {
    enum role role;
    const struct insn_bits *bits; /* none if it is a number or says nothing */
    size_t bit_count;
    const char *lines[LINES];
    unsigned width;
};

/* One instruction on its way to the pen. */
struct layout {
    struct pen *pen;
    unsigned indent;
    const struct insn *insn;
    unsigned unwritten; /* bit i: byte i */
    unsigned chosen;    /* the number of the current cell, or 0 */
    bool names;         /* what bits mean is told, too */
    struct insn_bits bits[INSN_MAX_BITS];
    unsigned at[INSN_MAX_BITS]; /* the column of each in its cell */
    struct cell cells[INSN_MAX_FIELDS];
    size_t count; /* of the cells that are filled and shown */
    struct phrases phrases;
};

/* --- bytes --------------------------------------------------------------- */

unsigned hexdump_row(struct bytes row, uint64_t offset, unsigned per_row,
                     struct buf *out)
{
    size_t start = out->len, column;

    buf_printf(out, "%08llx: ", (unsigned long long)offset);
    column = out->len - start;
    for (size_t i = 0; i < per_row; i++) {
        if (i < row.len)
            buf_printf(out, "%02x ", row.data[i]);
        else
            buf_append_text(out, "   ");
    }
    buf_append_text(out, " ");
    for (size_t i = 0; i < row.len; i++) {
        bool printable = row.data[i] >= 0x20 && row.data[i] < 0x7f;

        buf_printf(out, "%c", printable ? row.data[i] : '.');
    }
    return (unsigned)column;
}

void hexdump_append(struct bytes bytes, uint64_t offset, struct buf *out)
{
    for (size_t at = 0; at < bytes.len; at += ROW) {
        size_t len = bytes.len - at < ROW ? bytes.len - at : ROW;

        hexdump_row((struct bytes){bytes.data + at, len}, offset + at, ROW,
                    out);
        buf_append_text(out, "\n");
    }
}

/* --- instructions -------------------------------------------------------- */

void sweep_init(struct sweep *sweep, const struct view *view, uint64_t first,
                uint64_t end)
{
    uint64_t start = first;

    while (start > 0 && first - start < LOOK_BACK &&
           pages_written(&view->pages, start - 1))
        start--;
    *sweep = (struct sweep){.view = view, .at = start, .end = end};
}

enum sweep_found sweep_next(struct sweep *sweep)
{
    const struct pages *pages = &sweep->view->pages;
    uint8_t bytes[INSN_MAX_LENGTH];

    if (sweep->at < sweep->end)
        sweep->at = pages_next(pages, sweep->at, sweep->end);
    sweep->bad = sweep->at;
    while (sweep->at < sweep->end && pages_written(pages, sweep->at)) {
        size_t len = sizeof bytes;

        /* The last instruction may reach beyond the end, over bytes that were
         * written. */
        while (sweep->at + len > sweep->end &&
               !pages_written(pages, sweep->at + len - 1))
            len--;
        pages_read(pages, sweep->at, len, bytes);
        if (insn_decode(bytes, len, sweep->at, &sweep->insn) > 0)
            break;
        sweep->at++;
    }
    sweep->bad_length = sweep->at - sweep->bad;
    if (sweep->bad_length > 0)
        return SWEEP_BAD;
    if (sweep->at >= sweep->end)
        return SWEEP_END;
    view_name_target(sweep->view, &sweep->insn);
    sweep->at += sweep->insn.length;
    return SWEEP_INSN;
}

/* --- numbers and names --------------------------------------------------- */

uint64_t fields_bits(const struct insn_field *field)
{
    uint64_t bits = (uint64_t)field->value;

    return field->size < 8 ? bits & ((1ull << 8 * field->size) - 1) : bits;
}

const char *fields_name(struct phrases *phrases, const struct insn_field *field)
{
    struct buf name = {0};

    field_name(field, &name);
    return phrase_of(phrases, &name);
}

/* "0xfffffffc = -4" */
static const char *value_of(struct phrases *phrases,
                            const struct insn_field *field)
{
    uint64_t bits = fields_bits(field);
    int digits = 2 * field->size;

    return field->is_signed ? phrase(phrases, "0x%0*" PRIx64 " = %" PRId64,
                                     digits, bits, field->value)
                            : phrase(phrases, "0x%0*" PRIx64 " = %" PRIu64,
                                     digits, bits, bits);
}

/* Where a distance leads: as the text of its jump or call says. */
static const char *target_of(struct phrases *phrases, const struct insn *insn,
                             const struct insn_field *field)
{
    const char *number =
        insn_distance(insn) == field ? strrchr(insn->text, ' ') : NULL;

    return number ? number + 1
                  : phrase_hex(phrases, insn->addr + insn->length +
                                            (uint64_t)field->value);
}

const char *fields_meaning(struct phrases *phrases, const struct insn *insn,
                           const struct insn_field *field)
{
    const char *value = value_of(phrases, field);

    return field->is_relative
               ? phrase(phrases, "%s, from the end of the instruction to %s",
                        value, target_of(phrases, insn, field))
               : value;
}

bool field_is_number(const struct insn_field *field)
{
    return field->kind == FIELD_IMMEDIATE || field->kind == FIELD_DISPLACEMENT;
}

const struct insn_field *fields_at(const struct insn *insn, unsigned byte)
{
    const struct insn_field *field = insn->fields;

    while (field + 1 < insn->fields + insn->field_count &&
           byte >= (unsigned)field->offset + field->size)
        field++;
    return field;
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

/* What some bits say on a line of their cell, or "". */
static const char *bits_text(struct layout *layout,
                             const struct insn_bits *bits, size_t line)
{
    switch (line) {
    case LINE_LABELS:
        return label_of(bits);
    case LINE_BITS:
        return phrase_bits(&layout->phrases, bits->value, bits->width);
    default:
        return line == LINE_MORE && layout->names ? bits->meaning : "";
    }
}

/* Labels above, bits below, and what they mean: on the same columns. */
static void fill_bits(struct layout *layout, struct cell *cell)
{
    for (size_t i = 0; i < cell->bit_count; i++) {
        const struct insn_bits *bits = &cell->bits[i];
        unsigned from = cell->width + (i > 0);

        layout->at[bits - layout->bits] = from;
        for (size_t line = LINE_LABELS; line < LINES; line++) {
            const char *text = bits_text(layout, bits, line);
            unsigned end = from + (unsigned)strlen(text);

            if (*text)
                cell->lines[line] = text;
            if (end > cell->width)
                cell->width = end;
        }
    }
}

/* Fills a cell for each field. A whole field says what it is for; of a number
 * any byte is enough. Which fields there are behind one that tells so cannot be
 * known without it. */
static void fill_cells(struct layout *layout)
{
    const struct insn *insn = layout->insn;
    const struct insn_bits *bits = layout->bits;
    const struct insn_bits *end = bits + insn_split(insn, layout->bits);
    struct phrases *phrases = &layout->phrases;
    bool known = true;

    for (size_t i = 0; known && i < insn->field_count; i++) {
        const struct insn_field *field = &insn->fields[i];
        unsigned all = (1u << field->size) - 1, extended = field->extended_bits;
        unsigned missing = layout->unwritten >> field->offset & all;
        bool is_number = field_is_number(field);
        bool says = is_number ? missing != all : !missing;
        struct cell *cell = &layout->cells[layout->count++];
        uint64_t value = (uint64_t)field->value;
        const char *name = fields_name(phrases, field);

        *cell = (struct cell){
            i + 1 == layout->chosen ? ROLE_CURRENT : style_field(field->kind),
            bits,
            0,
            {"", "", "", "", ""},
            0};
        for (; bits < end && bits->field == i; bits++)
            cell->bit_count += !is_number && says;
        known = is_number || says;
        cell->lines[LINE_BYTES] = bytes_of(layout, field->offset, field->size);
        /* The digit is in the byte behind the opcode. */
        if (field->kind == FIELD_OPCODE && field->digit >= 0 &&
            !(layout->unwritten >> (field->offset + field->size) & 1))
            name = phrase(phrases, "%s /%d", name, field->digit);
        if (says)
            cell->lines[LINE_NAME] = name;
        if (cell->bit_count)
            fill_bits(layout, cell);
        if (says && is_number)
            cell->lines[LINE_LABELS] = value_of(phrases, field);
        /* What the CPU makes of a number before it uses it. */
        if (says && field->is_relative) {
            cell->lines[LINE_BITS] = "from the end of this";
            cell->lines[LINE_MORE] = phrase(phrases, "instruction: %s",
                                            target_of(phrases, insn, field));
        } else if (says && field->kind == FIELD_IMMEDIATE &&
                   extended > 8u * field->size) {
            if (extended < 64)
                value &= (1ull << extended) - 1;
            cell->lines[LINE_BITS] =
                phrase(phrases, "%s-extended to %u bits:",
                       field->is_signed ? "sign" : "zero", extended);
            cell->lines[LINE_MORE] =
                phrase(phrases, "0x%0*" PRIx64, (int)extended / 4, value);
        }
        for (size_t line = 0; line < LINES; line++)
            if (pen_width(cell->lines[line]) > cell->width)
                cell->width = (unsigned)pen_width(cell->lines[line]);
    }
}

/* --- layout -------------------------------------------------------------- */

/* A part of a register has the role of that, where registers are named. */
static enum role role_of_bits(const struct layout *layout,
                              const struct cell *cell,
                              const struct insn_bits *bits)
{
    return layout->names && cell->role != ROLE_CURRENT
               ? style_slot(bits->slot, cell->role)
               : cell->role;
}

/* "mod=11 reg=111 rm=000" from a column on, or "reg=111 rdi" with names. A
 * narrow line has room for what is said nowhere else. */
static void write_bits(struct layout *layout, const struct cell *cell,
                       unsigned column)
{
    struct pen *pen = layout->pen;
    bool brief = layout->names && pen_line_width(pen) < NARROW;

    pen_gap(pen, column);
    for (size_t i = 0; i < cell->bit_count; i++) {
        const struct insn_bits *bits = &cell->bits[i];
        const char *label = label_of(bits), *text;
        const char *meaning = bits_text(layout, bits, LINE_MORE);
        bool first = !strcmp(label, "mod") || !strcmp(label, "scale");

        if (brief && first)
            label = meaning = "";
        if (brief && *meaning == '/')
            meaning = "";
        text = phrase(&layout->phrases, "%s%s%s%s%s", label, *label ? "=" : "",
                      bits_text(layout, bits, LINE_BITS), *meaning ? " " : "",
                      meaning);
        if (i > 0 && pen->column + 1 + pen_width(text) > pen_line_width(pen)) {
            pen_end(pen);
            pen_column(pen, column);
        } else if (i > 0) {
            pen_column(pen, pen->column + 1);
        }
        pen_text(pen, role_of_bits(layout, cell, bits), text);
    }
    pen_end(pen);
}

/* A line for all bytes, then for each field one, or more where a number does
 * not fit. Where a line has no room for that in hex, which its bytes show
 * anyway, it is told in decimal only: "= 65532". Bits are "W=1 R=0 X=0 B=0", or
 * plain where there are no names. */
static void write_lines(struct layout *layout)
{
    struct pen *pen = layout->pen;
    unsigned width = pen_line_width(pen), indent = layout->indent + 11;
    unsigned column = layout->indent + 24;

    pen_column(pen, layout->indent);
    pen_text(pen, ROLE_BYTE, bytes_of(layout, 0, layout->insn->length));
    pen_end(pen);
    for (size_t i = 0; i < layout->count; i++) {
        const struct cell *cell = &layout->cells[i];
        const char *value = cell->lines[LINE_LABELS];

        pen_column(pen, layout->indent);
        pen_text(pen, cell->role, cell->lines[LINE_NAME]);
        pen_gap(pen, indent);
        pen_text(pen, cell->role, cell->lines[LINE_BYTES]);
        if (cell->bit_count) {
            pen_item(pen, indent, 8);
            write_bits(layout, cell,
                       width < NARROW ? layout->indent + 15 : column);
            continue;
        }
        if (column + pen_width(value) > width && strstr(value, "= "))
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
        pen_end(pen);
    }
}

/* One line of a cell that begins at a column. */
static void write_cell(struct layout *layout, const struct cell *cell,
                       size_t line, unsigned column)
{
    struct pen *pen = layout->pen;

    if (!*cell->lines[line])
        return;
    if (line < LINE_LABELS || !cell->bit_count) {
        pen_column(pen, column);
        pen_text(pen, cell->role, cell->lines[line]);
        return;
    }
    for (size_t i = 0; i < cell->bit_count; i++) {
        const struct insn_bits *bits = &cell->bits[i];
        const char *text = bits_text(layout, bits, line);

        if (!*text)
            continue;
        pen_column(pen, column + layout->at[bits - layout->bits]);
        pen_text(pen, role_of_bits(layout, cell, bits), text);
    }
}

/* Returns whether the fields stand side by side. */
static bool write_fields(struct layout *layout)
{
    unsigned width = layout->indent;
    struct pen *pen = layout->pen;
    bool fit;

    fill_cells(layout);
    for (size_t i = 0; i < layout->count; i++)
        width += layout->cells[i].width + (i > 0 ? 2 : 0);
    fit = width <= pen_line_width(pen);
    for (size_t line = 0; fit && line < LINES; line++) {
        unsigned column = layout->indent;

        for (size_t i = 0; i < layout->count; i++) {
            const struct cell *cell = &layout->cells[i];

            write_cell(layout, cell, line, column);
            column += cell->width + 2;
        }
        if (pen->column > 0)
            pen_end(pen);
    }
    if (!fit)
        write_lines(layout);
    phrases_release(&layout->phrases);
    return fit;
}

void fields_write(struct pen *pen, const struct insn *insn, uint64_t offset)
{
    struct layout layout = {.pen = pen, .indent = INDENT, .insn = insn};

    pen_print(pen, ROLE_ADDRESS, "+%" PRIu64, offset);
    if (pen->column >= INDENT)
        pen_end(pen);
    write_fields(&layout);
    pen_column(pen, INDENT);
    pen_text(pen, ROLE_NOTE, "= ");
    pen_text(pen, ROLE_MNEMONIC, insn->text);
    pen_end(pen);
}

bool fields_write_named(struct pen *pen, const struct insn *insn,
                        unsigned unwritten, unsigned chosen)
{
    struct layout layout = {.pen = pen,
                            .insn = insn,
                            .unwritten = unwritten,
                            .names = true,
                            .chosen = chosen};

    return write_fields(&layout);
}

unsigned fields_shown(const struct insn *insn, unsigned unwritten)
{
    struct layout layout = {.insn = insn, .unwritten = unwritten};

    fill_cells(&layout);
    phrases_release(&layout.phrases);
    return (unsigned)layout.count;
}

/* --- the legend ---------------------------------------------------------- */

enum {
    NAME_REX = 1,
    NAME_MOD_11 = 2,
    NAME_DIGIT = 4,
};

unsigned fields_names(const struct insn *insn)
{
    unsigned names = 0;

    for (size_t i = 0; i < insn->field_count; i++) {
        const struct insn_field *field = &insn->fields[i];

        if (field->kind == FIELD_REX)
            names |= NAME_REX;
        if (field->kind == FIELD_MODRM && insn->bytes[field->offset] >> 6 == 3)
            names |= NAME_MOD_11;
        if (field->kind == FIELD_OPCODE && field->digit >= 0)
            names |= NAME_DIGIT;
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

/* --- one field ----------------------------------------------------------- */

/* "0100, W=1" or "mod=11 (register), reg=000 (/0)" */
static void append_bits(const struct cell *cell, struct buf *out)
{
    for (size_t i = 0; i < cell->bit_count; i++) {
        const struct insn_bits *bits = &cell->bits[i];
        const char *label = label_of(bits);

        buf_printf(out, "%s%s%s", i ? ", " : " = ", label, *label ? "=" : "");
        for (unsigned bit = bits->width; bit-- > 0;)
            buf_append_text(out, bits->value >> bit & 1 ? "1" : "0");
        if (*bits->meaning)
            buf_printf(out, " (%s)", bits->meaning);
    }
}

size_t fields_explain(const struct insn *insn, unsigned unwritten,
                      unsigned chosen, struct buf *out)
{
    struct layout layout = {
        .insn = insn, .unwritten = unwritten, .names = true};
    const struct cell *cell = &layout.cells[chosen - 1];
    size_t start = out->len, length;

    field_name(&insn->fields[chosen - 1], out);
    length = out->len - start;
    fill_cells(&layout);
    buf_printf(out, ", %s", cell->lines[LINE_BYTES]);
    if (!*cell->lines[LINE_NAME])
        buf_append_text(out, ": not written whole yet");
    else if (cell->bit_count > 0)
        append_bits(cell, out);
    else
        buf_printf(out, ": %s%s%s%s%s", cell->lines[LINE_LABELS],
                   *cell->lines[LINE_BITS] ? ", " : "", cell->lines[LINE_BITS],
                   *cell->lines[LINE_MORE] ? " " : "", cell->lines[LINE_MORE]);
    buf_append_text(out, ".");
    phrases_release(&layout.phrases);
    return length;
}
