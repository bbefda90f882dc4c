/* SPDX-License-Identifier: MIT */
#include "tell/pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define NAME_COLUMN  2u
#define ENTRY_COLUMN 14u

void pen_release(struct pen *pen)
{
    buf_release(&pen->out);
    buf_release(&pen->roles);
}

unsigned pen_line_width(const struct pen *pen)
{
    return pen->width ? pen->width : PEN_WIDTH;
}

/* Gives a role to what was appended since the last time. */
static void keep_role(struct pen *pen, enum role role)
{
    uint8_t kept = (uint8_t)role;

    while (pen->keep_roles && pen->roles.len < pen->out.len)
        buf_append(&pen->roles, &kept, 1);
}

/* Appends the first character of text as shown. Returns how long it was. */
static size_t clean(const uint8_t *text, size_t len, struct buf *out,
                    unsigned *columns)
{
    if (text[0] != '\t')
        return utf8_show(text, len, out, columns);
    *columns = 1;
    buf_append_text(out, " ");
    return 1;
}

static void write_due(struct pen *pen)
{
    for (; pen->column < pen->due; pen->column++)
        buf_append(&pen->out, " ", 1);
    keep_role(pen, ROLE_PLAIN);
}

/* Writes text as far as the columns before limit go. Returns what is left. */
static struct bytes write_until(struct pen *pen, enum role role,
                                struct bytes text, unsigned limit)
{
    bool begun;

    write_due(pen);
    begun = pen->color && !pen->keep_roles && style_begin(role, &pen->out);
    while (text.len > 0) {
        size_t mark = pen->out.len;
        unsigned columns;
        size_t used = clean(text.data, text.len, &pen->out, &columns);

        if (columns > limit || pen->column > limit - columns) {
            pen->out.len = mark;
            break;
        }
        pen->column += columns;
        text.data += used;
        text.len -= used;
    }
    if (begun)
        buf_append_text(&pen->out, STYLE_ANSI_END);
    keep_role(pen, role);
    return text;
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

void pen_bytes(struct pen *pen, enum role role, struct bytes text)
{
    if (text.len > 0)
        write_until(pen, role, text, (unsigned)-1);
}

void pen_text(struct pen *pen, enum role role, const char *text)
{
    pen_bytes(pen, role, bytes_of(text));
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

/* Counts no further than it takes to be above limit. */
static size_t width_of(struct bytes rest, size_t limit)
{
    struct buf shown = {0};
    size_t width = 0;

    while (rest.len > 0 && width <= limit) {
        unsigned columns;
        size_t used = clean(rest.data, rest.len, &shown, &columns);

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
    unsigned from = pen->column > pen->due ? pen->column : pen->due;
    unsigned width = pen_line_width(pen);

    if (from + width_of(text, width) <= width) {
        pen_bytes(pen, role, text);
    } else if (from + 4 <= width) {
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
    if (pen->column == 0)
        pen->due = indent;
    else
        pen->due = pen->column + 2;
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
            pen->due = (pen->due > pen->column ? pen->due : pen->column) + 1;
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
