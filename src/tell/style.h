/* SPDX-License-Identifier: MIT */
/*
 * tell/style.h - what a piece of text is, and how that looks.
 *
 * Whoever makes text says its role; only the table in style.c knows colours.
 * A role never carries meaning that the text alone would lack.
 */
#ifndef JITTRACE_TELL_STYLE_H
#define JITTRACE_TELL_STYLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "cpu/insn.h"

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
    ROLE_MNEMONIC, /* an instruction in words */
    ROLE_REGISTER,
    ROLE_CHANGED,  /* a register that changed */
    ROLE_RESULT,   /* what came of it */
    ROLE_FRAME,    /* lines between parts of a screen, and their titles */
    ROLE_CURRENT,  /* the one of several that we are at */
    ROLE_EXECUTED, /* bytes and lines that the CPU has just executed */
    ROLE_NEXT,     /* those that come next */
    ROLE_KEY,      /* what one can press */
    ROLES,
};

enum look_color {
    LOOK_NO_COLOR,
    LOOK_RED,
    LOOK_GREEN,
    LOOK_MAGENTA,
};

/* How a role looks on a terminal, for whoever does not write escapes. */
struct look {
    enum look_color color;
    bool bold;
    bool underline;
    bool reverse;
};
struct look style_look(enum role role);

/*
 * Appends the escape sequence that starts a role (ECMA-48, 8.3.117 SGR).
 * Returns false, and appends nothing, for a role without a look of its own.
 */
bool style_begin(enum role role, struct buf *out);

/* The sequence that ends any role. */
#define STYLE_ANSI_END "\033[0m"

enum role style_field(enum field_kind kind);

#endif
