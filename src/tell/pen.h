/* SPDX-License-Identifier: MIT */
/*
 * tell/pen.h - lines of text with roles, and the column they have reached.
 *
 * Whoever makes text says its role, what it is; only a table in pen.c knows
 * colours. A role never carries meaning that the text alone would lack.
 *
 * A pen counts the columns that a reader sees: escape sequences have none,
 * UTF-8 characters have one. Text that comes from a traced program is never
 * trusted: what is not shown as it is (base/utf8.h) becomes "\xNN", a tab
 * becomes a blank. Blanks are written only when something follows them, so no
 * line ends in one.
 */
#ifndef JITTRACE_TELL_PEN_H
#define JITTRACE_TELL_PEN_H

#include "cpu/insn.h"
#include "trace/event.h"

/* Columns of a line, where nobody says otherwise. */
#define PEN_WIDTH 80u

enum role {
    ROLE_PLAIN,
    ROLE_HEADING,
    ROLE_NOTE,    /* an explanation */
    ROLE_WARNING, /* something is not as a reader would expect */
    ROLE_ADDRESS,
    ROLE_SOURCE, /* a line of the program's source */
    ROLE_CALL,   /* a system call */
    ROLE_PROTECTION,
    ROLE_BYTE,     /* a byte that was written */
    ROLE_BYTE_NEW, /* the byte that this event is about */
    ROLE_UNWRITTEN,
    ROLE_PREFIX, /* the fields of an instruction */
    ROLE_REX,
    ROLE_OPCODE,
    ROLE_MODRM,
    ROLE_SIB,
    ROLE_DISPLACEMENT,
    ROLE_IMMEDIATE,
    ROLE_REG, /* the registers that it names, by enum insn_slot */
    ROLE_INDEX,
    ROLE_BASE,
    ROLE_VVVV,
    ROLE_MNEMONIC, /* an instruction in words */
    ROLE_REGISTER,
    ROLE_CHANGED,  /* a register that changed */
    ROLE_RESULT,   /* what came of it */
    ROLE_JUMP,     /* arrows beside code */
    ROLE_FRAME,    /* lines between parts of a screen, and their titles */
    ROLE_CURRENT,  /* the one of several that we are at */
    ROLE_EXECUTED, /* bytes and lines that the CPU has just executed */
    ROLE_NEXT,     /* those that come next */
    ROLE_KEY,      /* what one can press */
    ROLES,
};

/* How a role looks on a terminal, for whoever does not write escapes. */
struct look {
    enum look_color {
        LOOK_NO_COLOR,
        LOOK_RED,
        LOOK_GREEN,
        LOOK_MAGENTA,
    } color;
    bool bold;
    bool underline;
    bool reverse;
};
struct look style_look(enum role role);

/* Its name, for a style sheet: "byte-new". */
const char *style_name(enum role role);

/* Appends the escape sequence that starts a role (ECMA-48, 8.3.117 SGR).
 * Returns false, and appends nothing, for a role without a look of its own. */
bool style_begin(enum role role, struct buf *out);

enum role style_field(enum field_kind kind);
enum role style_slot(enum insn_slot slot, enum role none);

/* All zero is a valid pen without colour. */
struct pen {
    struct buf out;
    bool color;       /* roles become escape sequences */
    bool keep_roles;  /* or, instead, are kept in roles: */
    struct buf roles; /* for each byte of out the enum role it has */
    unsigned width;   /* columns of a line; 0: PEN_WIDTH */
    unsigned column;  /* of what comes next, from 0 */
    unsigned due;     /* blanks up to this column come first */
    bool text_above;  /* the line above is not empty */
};

void pen_release(struct pen *pen);

void pen_text(struct pen *pen, enum role role, const char *text);
void pen_print(struct pen *pen, enum role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "0x1000" */
void pen_hex(struct pen *pen, enum role role, uint64_t value);

/* "jit.c:42  code[3] = imm;", as far as it is known and there is room. */
void pen_source(struct pen *pen, const struct srcline *source);

/* As pen_print, and ends the line. */
void pen_line(struct pen *pen, enum role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As much of text as the line has room for, with "..." for the rest. pen_cut
 * drops blanks at the end of text. */
void pen_cut(struct pen *pen, enum role role, const char *text);
void pen_cut_bytes(struct pen *pen, enum role role, struct bytes text);

/* How many columns a line has. */
unsigned pen_line_width(const struct pen *pen);

/* What comes next begins at column, or further right if that is taken. */
void pen_column(struct pen *pen, unsigned column);

/* As pen_column, but two blanks away from what is there. */
void pen_gap(struct pen *pen, unsigned column);

/* Begins an item of a list that flows over the lines: two blanks after what is
 * there, or on a new line at column indent if its width does not fit. */
void pen_item(struct pen *pen, unsigned indent, size_t width);

/* Ends the line. */
void pen_end(struct pen *pen);

/* An empty line, unless the line above is one or there is none. */
void pen_blank(struct pen *pen);

/* Whole lines that are fit to print as they are. */
void pen_lines(struct pen *pen, struct buf *lines);

/* Words, wrapped, from where the line is; further lines begin at indent. A word
 * that no line has room for is broken. Ends the last line. */
void pen_words(struct pen *pen, enum role role, unsigned indent,
               const char *text);

/* A name, then words that stand in a column of their own. Ends the line. */
void pen_entry(struct pen *pen, const char *name, enum role role,
               const char *text);

/* How many columns a text takes. */
size_t pen_width(const char *text);

#endif
