/* SPDX-License-Identifier: MIT */
#include "tell/style.h"

/*
 * Only what is legible on black and on white: of the colours red, green and
 * magenta. Yellow and cyan vanish on white, blue on black.
 */
static const struct look looks[ROLES] = {
    [ROLE_PLAIN] = {.color = LOOK_NO_COLOR},
    [ROLE_HEADING] = {.bold = true},
    [ROLE_NOTE] = {.color = LOOK_NO_COLOR},
    [ROLE_WARNING] = {.color = LOOK_RED, .bold = true},
    [ROLE_ADDRESS] = {.color = LOOK_NO_COLOR},
    [ROLE_SOURCE] = {.color = LOOK_MAGENTA},
    [ROLE_CALL] = {.bold = true},
    [ROLE_PROTECTION] = {.color = LOOK_MAGENTA, .bold = true},
    [ROLE_BYTE] = {.color = LOOK_NO_COLOR},
    [ROLE_BYTE_NEW] = {.bold = true, .reverse = true},
    [ROLE_UNWRITTEN] = {.color = LOOK_NO_COLOR},
    [ROLE_PREFIX] = {.color = LOOK_RED},
    [ROLE_REX] = {.color = LOOK_MAGENTA},
    [ROLE_OPCODE] = {.bold = true},
    [ROLE_MODRM] = {.underline = true},
    [ROLE_SIB] = {.color = LOOK_RED, .underline = true},
    [ROLE_DISPLACEMENT] = {.color = LOOK_MAGENTA, .underline = true},
    [ROLE_IMMEDIATE] = {.color = LOOK_GREEN},
    [ROLE_MNEMONIC] = {.bold = true},
    [ROLE_REGISTER] = {.color = LOOK_NO_COLOR},
    [ROLE_CHANGED] = {.color = LOOK_GREEN},
    [ROLE_RESULT] = {.color = LOOK_GREEN, .bold = true},
    [ROLE_FRAME] = {.color = LOOK_NO_COLOR},
    [ROLE_CURRENT] = {.reverse = true},
    [ROLE_EXECUTED] = {.color = LOOK_GREEN, .bold = true},
    [ROLE_NEXT] = {.underline = true},
    [ROLE_KEY] = {.bold = true},
};

/* SGR parameters (ECMA-48, 8.3.117); 0 stands for none. */
static const unsigned color_code[] = {
    [LOOK_NO_COLOR] = 0,
    [LOOK_RED] = 31,
    [LOOK_GREEN] = 32,
    [LOOK_MAGENTA] = 35,
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

struct look style_look(enum role role)
{
    return looks[role];
}

bool style_begin(enum role role, struct buf *out)
{
    struct look look = looks[role];
    const unsigned codes[] = {look.bold ? 1 : 0, look.underline ? 4 : 0,
                              look.reverse ? 7 : 0, color_code[look.color]};
    const char *separator = "\033[";

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (!codes[i])
            continue;
        buf_printf(out, "%s%u", separator, codes[i]);
        separator = ";";
    }
    if (*separator != ';')
        return false;
    buf_append_text(out, "m");
    return true;
}

enum role style_field(enum field_kind kind)
{
    return of_field[kind];
}
