/* SPDX-License-Identifier: MIT */
#include "tell/insn_text.h"

#include <ctype.h>

enum insn_slot insn_slot_of(const struct insn *insn, enum reg reg)
{
    for (size_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->hidden || reg >= REG_GENERAL)
            continue;
        if (operand->kind == OPERAND_REGISTER && operand->reg == reg)
            return operand->slot;
        if (operand->kind == OPERAND_REGISTER ||
            operand->kind == OPERAND_IMMEDIATE)
            continue;
        if (operand->base == reg)
            return SLOT_BASE;
        if (operand->index == reg)
            return SLOT_INDEX;
    }
    return SLOT_NONE;
}

/* The bits that name what a word of the text is; SLOT_NONE: none do. */
static enum insn_slot slot_of_word(const struct insn *insn, const char *word,
                                   size_t len)
{
    struct buf text = {0};
    enum reg reg = REG_NONE;

    for (size_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_REGISTER &&
            strlen(insn->operands[i].name) == len &&
            !memcmp(insn->operands[i].name, word, len))
            return insn->operands[i].slot;
    buf_append(&text, word, len);
    reg_part_find(buf_text(&text), &reg);
    buf_release(&text);
    return insn_slot_of(insn, reg);
}

/* The role of a word that begins at text[at]. */
static enum role role_of_word(const struct insn *insn, const char *text,
                              size_t at, size_t len, bool in_brackets,
                              enum role role)
{
    if (!isdigit((unsigned char)text[at]))
        return style_slot(slot_of_word(insn, text + at, len), role);
    if (at > 0 && text[at - 1] == '*') /* a scale */
        return role;
    return in_brackets ? ROLE_DISPLACEMENT : ROLE_IMMEDIATE;
}

void insn_write_text(struct pen *pen, enum role role, const struct insn *insn)
{
    const char *text = insn->text;
    bool brackets = false;

    if (pen->column + strlen(text) > pen_line_width(pen))
        pen_cut(pen, role, text);
    else
        for (size_t at = 0, len; text[at]; at += len) {
            struct buf part = {0};
            enum role is = role;

            len = strspn(text + at, "0123456789abcdefghijklmnopqrstuvwxyz_");
            if (len > 0 && at > 0)
                is = role_of_word(insn, text, at, len, brackets, role);
            len += len == 0;
            brackets = (brackets || text[at] == '[') && text[at] != ']';
            buf_append(&part, text + at, len);
            pen_text(pen, is, buf_text(&part));
            buf_release(&part);
        }
}
