/* SPDX-License-Identifier: MIT */
/*
 * Which registers an instruction reads and writes, from its operands. A write
 * to a part of a register is a write to it, and no reading.
 */
#include "cpu/touch.h"

#include <string.h>

static bool is_any_of(const struct insn *insn, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(insn->mnemonic, *names) == 0)
            return true;
    return false;
}

/* xor eax, eax and the like: the result does not depend on the register. */
static bool makes_zero(const struct insn *insn)
{
    static const char *const names[] = {"xor",   "sub",   "pxor",   "xorps",
                                        "xorpd", "vpxor", "vxorps", "vxorpd",
                                        "psubd", "psubq", NULL};
    const struct insn_operand *last, *before;
    uint8_t count = 0;

    while (count < insn->operand_count && !insn->operands[count].hidden)
        count++;
    if (count < 2 || !is_any_of(insn, names))
        return false;
    last = &insn->operands[count - 1];
    before = &insn->operands[count - 2];
    return last->kind == OPERAND_REGISTER && before->kind == OPERAND_REGISTER &&
           last->reg == before->reg && last->vector == before->vector &&
           last->high == before->high &&
           (last->reg != REG_NONE || last->vector > 0);
}

static uint32_t bit_of(enum reg reg)
{
    return reg < REG_COUNT ? UINT32_C(1) << reg : 0;
}

void insn_touches(const struct insn *insn, struct insn_touch *out)
{
    static const char *const movers[] = {"mov", "push", "movd", "movq", NULL};
    const bool zero = makes_zero(insn);

    *out = (struct insn_touch){.moves = is_any_of(insn, movers)};
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];
        uint32_t vector =
            operand->vector ? UINT32_C(1) << (operand->vector - 1) : 0;

        if (operand->kind != OPERAND_REGISTER) {
            out->read |= bit_of(operand->base) | bit_of(operand->index);
            continue;
        }
        out->is_x87 |= operand->x87 > 0;
        if (operand->read && !zero) {
            out->read |= bit_of(operand->reg);
            out->vectors_read |= vector;
        }
        if (operand->written) {
            out->written |= bit_of(operand->reg);
            out->vectors_written |= vector;
        }
    }
}
