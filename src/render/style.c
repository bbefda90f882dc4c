/* SPDX-License-Identifier: MIT */
#include "render/style.h"

/*
 * Only what is legible on black and on white: of the colours red, green and
 * magenta. Yellow and cyan vanish on white, blue on black.
 */
static const char *const ansi[ROLES] = {
    [ROLE_PLAIN] = "",
    [ROLE_HEADING] = "\033[1m",
    [ROLE_NOTE] = "",
    [ROLE_WARNING] = "\033[1;31m",
    [ROLE_ADDRESS] = "",
    [ROLE_SOURCE] = "\033[35m",
    [ROLE_CALL] = "\033[1m",
    [ROLE_PROTECTION] = "\033[1;35m",
    [ROLE_BYTE] = "",
    [ROLE_BYTE_NEW] = "\033[1;7m",
    [ROLE_UNWRITTEN] = "",
    [ROLE_PREFIX] = "\033[31m",
    [ROLE_REX] = "\033[35m",
    [ROLE_OPCODE] = "\033[1m",
    [ROLE_MODRM] = "\033[4m",
    [ROLE_SIB] = "\033[4;31m",
    [ROLE_DISPLACEMENT] = "\033[4;35m",
    [ROLE_IMMEDIATE] = "\033[32m",
    [ROLE_MNEMONIC] = "\033[1m",
    [ROLE_REGISTER] = "",
    [ROLE_CHANGED] = "\033[32m",
    [ROLE_RESULT] = "\033[1;32m",
};

static const enum role of_field[] = {
    [FIELD_PREFIX] = ROLE_PREFIX,
    [FIELD_REX] = ROLE_REX,
    [FIELD_VEX] = ROLE_REX,
    [FIELD_OPCODE] = ROLE_OPCODE,
    [FIELD_MODRM] = ROLE_MODRM,
    [FIELD_SIB] = ROLE_SIB,
    [FIELD_DISPLACEMENT] = ROLE_DISPLACEMENT,
    [FIELD_IMMEDIATE] = ROLE_IMMEDIATE,
};

const char *style_ansi(enum role role)
{
    return ansi[role];
}

enum role style_field(enum field_kind kind)
{
    return of_field[kind];
}
