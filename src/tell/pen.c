/* SPDX-License-Identifier: MIT */
#include "tell/pen.h"

#include <stdio.h>

#include "base/utf8.h"

#define NAME_COLUMN  2u
#define ENTRY_COLUMN 14u

/* --- how roles look ------------------------------------------------------ */

/* Only what is legible on black and on white: of the colours red, green and
 * magenta. Yellow and cyan vanish on white, blue on black. All others are
 * plain. */
static const struct look looks[ROLES] = {
    [ROLE_HEADING] = {.bold = true},
    [ROLE_WARNING] = {.color = LOOK_RED, .bold = true},
    [ROLE_SOURCE] = {.color = LOOK_MAGENTA},
    [ROLE_CALL] = {.bold = true},
    [ROLE_PROTECTION] = {.color = LOOK_MAGENTA, .bold = true},
    [ROLE_BYTE_NEW] = {.bold = true, .reverse = true},
    [ROLE_PREFIX] = {.color = LOOK_RED},
    [ROLE_REX] = {.color = LOOK_MAGENTA},
    [ROLE_OPCODE] = {.bold = true},
    [ROLE_MODRM] = {.underline = true},
    [ROLE_SIB] = {.color = LOOK_RED, .underline = true},
    [ROLE_DISPLACEMENT] = {.color = LOOK_MAGENTA, .underline = true},
    [ROLE_IMMEDIATE] = {.color = LOOK_GREEN},
    [ROLE_REG] = {.color = LOOK_MAGENTA, .bold = true},
    [ROLE_INDEX] = {.color = LOOK_RED, .bold = true},
    [ROLE_BASE] = {.color = LOOK_GREEN, .bold = true},
    [ROLE_VVVV] = {.bold = true, .underline = true},
    [ROLE_MNEMONIC] = {.bold = true},
    [ROLE_CHANGED] = {.color = LOOK_GREEN},
    [ROLE_RESULT] = {.color = LOOK_GREEN, .bold = true},
    [ROLE_JUMP] = {.color = LOOK_MAGENTA},
    [ROLE_CURRENT] = {.reverse = true},
    [ROLE_EXECUTED] = {.color = LOOK_GREEN, .bold = true},
    [ROLE_NEXT] = {.underline = true},
    [ROLE_KEY] = {.bold = true},
};

struct look style_look(enum role role)
{
    return looks[role];
}

const char *style_name(enum role role)
{
    static const char *const names[ROLES] = {
        [ROLE_PLAIN] = "plain",
        [ROLE_HEADING] = "heading",
        [ROLE_NOTE] = "note",
        [ROLE_WARNING] = "warning",
        [ROLE_ADDRESS] = "address",
        [ROLE_SOURCE] = "source",
        [ROLE_CALL] = "call",
        [ROLE_PROTECTION] = "protection",
        [ROLE_BYTE] = "byte",
        [ROLE_BYTE_NEW] = "byte-new",
        [ROLE_UNWRITTEN] = "unwritten",
        [ROLE_PREFIX] = "prefix",
        [ROLE_REX] = "rex",
        [ROLE_OPCODE] = "opcode",
        [ROLE_MODRM] = "modrm",
        [ROLE_SIB] = "sib",
        [ROLE_DISPLACEMENT] = "displacement",
        [ROLE_IMMEDIATE] = "immediate",
        [ROLE_REG] = "reg",
        [ROLE_INDEX] = "index",
        [ROLE_BASE] = "base",
        [ROLE_VVVV] = "vvvv",
        [ROLE_MNEMONIC] = "mnemonic",
        [ROLE_REGISTER] = "register",
        [ROLE_CHANGED] = "changed",
        [ROLE_RESULT] = "result",
        [ROLE_FRAME] = "frame",
        [ROLE_CURRENT] = "current",
        [ROLE_EXECUTED] = "executed",
        [ROLE_NEXT] = "next",
        [ROLE_KEY] = "key",
        [ROLE_JUMP] = "jump",
    };

    return names[role];
}

enum role style_field(enum field_kind kind)
{
    static const enum role roles[] = {
        [FIELD_PREFIX] = ROLE_PREFIX,
        [FIELD_REX] = ROLE_REX,
        [FIELD_VEX] = ROLE_REX,
        [FIELD_OPCODE] = ROLE_OPCODE,
        [FIELD_MODRM] = ROLE_MODRM,
        [FIELD_SIB] = ROLE_SIB,
        [FIELD_DISPLACEMENT] = ROLE_DISPLACEMENT,
        [FIELD_IMMEDIATE] = ROLE_IMMEDIATE,
    };

    return roles[kind];
}

enum role style_slot(enum insn_slot slot, enum role none)
{
    static const enum role roles[SLOTS] = {
        [SLOT_REG] = ROLE_REG,
        [SLOT_INDEX] = ROLE_INDEX,
        [SLOT_BASE] = ROLE_BASE,
        [SLOT_VVVV] = ROLE_VVVV,
    };

    return slot == SLOT_NONE ? none : roles[slot];
}

bool style_begin(enum role role, struct buf *out)
{
    /* 0 stands for no parameter. */
    static const unsigned colors[] = {0, 31, 32, 35};
    struct look look = looks[role];
    const unsigned codes[] = {look.bold ? 1 : 0, look.underline ? 4 : 0,
                              look.reverse ? 7 : 0, colors[look.color]};
    bool any = false;

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i]) {
            buf_printf(out, "%s%u", any ? ";" : "\033[", codes[i]);
            any = true;
        }
    if (any)
        buf_append_text(out, "m");
    return any;
}

/* --- text ---------------------------------------------------------------- */

void pen_release(struct pen *pen)
{
    buf_release(&pen->out);
    buf_release(&pen->roles);
}

unsigned pen_line_width(const struct pen *pen)
{
    return pen->width ? pen->width : PEN_WIDTH;
}

/* Where what is written next will stand. */
static unsigned next_column(const struct pen *pen)
{
    return pen->column > pen->due ? pen->column : pen->due;
}

/* Gives a role to what was appended since the last time. */
static void keep_role(struct pen *pen, enum role role)
{
    uint8_t kept = (uint8_t)role;

    while (pen->keep_roles && pen->roles.len < pen->out.len)
        buf_append(&pen->roles, &kept, 1);
}

/* Appends the first character of text as shown. Returns how long it was. */
static size_t clean(struct bytes text, struct buf *out, unsigned *columns)
{
    if (text.data[0] != '\t')
        return utf8_show(text.data, text.len, out, columns);
    *columns = 1;
    buf_append_text(out, " ");
    return 1;
}

/* Writes text as far as the columns before limit go. Returns what is left. */
static struct bytes write_until(struct pen *pen, enum role role,
                                struct bytes text, unsigned limit)
{
    bool begun;

    for (; pen->column < pen->due; pen->column++)
        buf_append(&pen->out, " ", 1);
    keep_role(pen, ROLE_PLAIN);
    begun = pen->color && !pen->keep_roles && style_begin(role, &pen->out);
    while (text.len > 0) {
        size_t mark = pen->out.len;
        unsigned columns;
        size_t used = clean(text, &pen->out, &columns);

        if (columns > limit || pen->column > limit - columns) {
            pen->out.len = mark;
            break;
        }
        pen->column += columns;
        text.data += used;
        text.len -= used;
    }
    if (begun)
        buf_append_text(&pen->out, "\033[0m");
    keep_role(pen, role);
    return text;
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

void pen_text(struct pen *pen, enum role role, const char *text)
{
    if (*text)
        write_until(pen, role, bytes_of(text), (unsigned)-1);
}

static void print(struct pen *pen, enum role role, const char *format,
                  va_list args)
{
    struct buf text = {0};

    buf_vprintf(&text, format, args);
    pen_text(pen, role, buf_text(&text));
    buf_release(&text);
}

void pen_print(struct pen *pen, enum role role, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(pen, role, format, args);
    va_end(args);
}

void pen_line(struct pen *pen, enum role role, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(pen, role, format, args);
    va_end(args);
    pen_end(pen);
}

void pen_hex(struct pen *pen, enum role role, uint64_t value)
{
    pen_print(pen, role, "0x%" PRIx64, value);
}

void pen_source(struct pen *pen, const struct srcline *source)
{
    if (source->file)
        pen_print(pen, ROLE_SOURCE, "%s:%d", source->file, source->line);
    if (source->file && source->text) {
        pen_gap(pen, 0);
        pen_cut(pen, ROLE_SOURCE, source->text);
    }
}

/* Counts no further than it takes to be above limit. */
static size_t width_of(struct bytes rest, size_t limit)
{
    struct buf shown = {0};
    size_t width = 0;

    while (rest.len > 0 && width <= limit) {
        unsigned columns;
        size_t used = clean(rest, &shown, &columns);

        width += columns;
        rest.data += used;
        rest.len -= used;
    }
    buf_release(&shown);
    return width;
}

size_t pen_width(const char *text)
{
    return width_of(bytes_of(text), SIZE_MAX);
}

void pen_cut_bytes(struct pen *pen, enum role role, struct bytes text)
{
    unsigned from = next_column(pen), width = pen_line_width(pen);

    if (text.len > 0 && from + width_of(text, width) <= width) {
        write_until(pen, role, text, (unsigned)-1);
    } else if (text.len > 0 && from + 4 <= width) {
        write_until(pen, role, text, width - 3);
        pen_text(pen, role, "...");
    }
}

void pen_cut(struct pen *pen, enum role role, const char *text)
{
    struct bytes rest = bytes_of(text);

    while (rest.len > 0 && rest.data[rest.len - 1] == ' ')
        rest.len--;
    pen_cut_bytes(pen, role, rest);
}

/* --- places -------------------------------------------------------------- */

void pen_column(struct pen *pen, unsigned column)
{
    pen->due = column;
}

void pen_gap(struct pen *pen, unsigned column)
{
    pen->due = pen->column + 2 > column ? pen->column + 2 : column;
}

void pen_item(struct pen *pen, unsigned indent, size_t width)
{
    if (pen->column > indent && pen->column + 2 + width > pen_line_width(pen))
        pen_end(pen);
    pen->due = pen->column ? pen->column + 2 : indent;
}

void pen_end(struct pen *pen)
{
    buf_append_text(&pen->out, "\n");
    keep_role(pen, ROLE_PLAIN);
    pen->text_above = pen->column > 0;
    pen->column = 0;
    pen->due = 0;
}

void pen_blank(struct pen *pen)
{
    if (pen->text_above)
        pen_end(pen);
}

void pen_lines(struct pen *pen, struct buf *lines)
{
    buf_append(&pen->out, lines->data, lines->len);
    keep_role(pen, ROLE_PLAIN);
    pen->text_above = true;
}

/* A word takes as many lines as it needs. However narrow these are, each takes
 * what is shown of one byte at least. */
void pen_words(struct pen *pen, enum role role, unsigned indent,
               const char *text)
{
    unsigned width = pen_line_width(pen);
    unsigned limit = width < indent + 4 ? indent + 4 : width;

    for (bool first = true;; first = false) {
        struct bytes word = {(const uint8_t *)text, strcspn(text, " ")};

        text += word.len;
        if (!first)
            pen->due = next_column(pen) + 1;
        if (!first && word.len > 0 &&
            pen->due + width_of(word, SIZE_MAX) > width) {
            pen_end(pen);
            pen_column(pen, indent);
        }
        while (word.len > 0) {
            word = write_until(pen, role, word, limit);
            if (word.len > 0) {
                pen_end(pen);
                pen_column(pen, indent);
            }
        }
        if (!*text++)
            break;
    }
    pen_end(pen);
}

void pen_entry(struct pen *pen, const char *name, enum role role,
               const char *text)
{
    pen_column(pen, NAME_COLUMN);
    pen_text(pen, ROLE_NOTE, name);
    pen_gap(pen, ENTRY_COLUMN);
    pen_words(pen, role, ENTRY_COLUMN, text);
}
