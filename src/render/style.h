/* SPDX-License-Identifier: MIT */
/*
 * render/style.h - what a piece of text is, and how that looks.
 *
 * Whoever makes text says its role; only the table in style.c knows colours.
 * A role never carries meaning that the text alone would lack.
 */
#ifndef JITTRACE_RENDER_STYLE_H
#define JITTRACE_RENDER_STYLE_H

#include "x86/insn.h"

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
    ROLE_CHANGED, /* a register that changed */
    ROLE_RESULT,  /* what came of it */
    ROLES,
};

/* The escape sequence that starts a role (ECMA-48 SGR), or "" for none. */
const char *style_ansi(enum role role);

/* The sequence that ends any role. */
#define STYLE_ANSI_END "\033[0m"

enum role style_field(enum field_kind kind);

#endif
