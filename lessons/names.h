/* SPDX-License-Identifier: MIT */
/*
 * names.h - tells learners which instruction they have written instead.
 *
 * It knows the few that an exercise may be about or taken for: arithmetic, mov
 * and test of two registers, or of one and memory at a register without a
 * displacement; the same with an imm8; neg and not. Intel SDM, volume 2, has
 * them: chapter 2 the prefix REX and the ModRM byte, chapters 3 and 4 the
 * opcodes.
 */
#ifndef JITTRACE_LESSONS_NAMES_H
#define JITTRACE_LESSONS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes for a name, the NUL included. */
#define NAME_SIZE 40

/* Writes the name of register number 0 to 15, with 64 bits or with 32. */
static inline void name_register(unsigned number, bool wide, char text[6])
{
    static const char *const old[] = {"ax", "cx", "dx", "bx",
                                      "sp", "bp", "si", "di"};

    if (number < 8)
        snprintf(text, 6, "%c%s", wide ? 'r' : 'e', old[number]);
    else
        snprintf(text, 6, "r%u%s", number & 15, wide ? "" : "d");
}

/*
 * Writes the name of the instruction at code into text, which has NAME_SIZE
 * bytes. Returns how many bytes the instruction has, or 0 if it is none of those
 * that are known here; code has at least five bytes.
 */
static inline size_t name_instruction(const uint8_t *code, char *text)
{
    static const char *const group[] = {"add", "or",  "adc", "sbb",
                                        "and", "sub", "xor", "cmp"};
    const unsigned rex = (code[0] & 0xf0) == 0x40 ? code[0] : 0;
    const uint8_t *op = code + (rex != 0), modrm = op[1];
    const unsigned digit = modrm >> 3 & 7;
    char reg[8], rm[8];

    name_register(digit | (rex & 4) << 1, rex & 8, reg);
    if (modrm >> 6 == 3) {
        name_register((modrm & 7) | (rex & 1) << 3, rex & 8, rm);
    } else if (modrm >> 6 == 0 && (modrm & 7) != 4 && (modrm & 7) != 5) {
        rm[0] = '[';
        name_register((modrm & 7) | (rex & 1) << 3, true, rm + 1);
        strcat(rm, "]");
    } else {
        return 0;
    }
    if (*op < 0x40 && (*op & 7) == 1) /* group r/m, r */
        snprintf(text, NAME_SIZE, "%s %s, %s", group[*op >> 3], rm, reg);
    else if (*op < 0x40 && (*op & 7) == 3) /* group r, r/m */
        snprintf(text, NAME_SIZE, "%s %s, %s", group[*op >> 3], reg, rm);
    else if (*op == 0x89 || *op == 0x85)
        snprintf(text, NAME_SIZE, "%s %s, %s", *op == 0x89 ? "mov" : "test", rm,
                 reg);
    else if (*op == 0x8b)
        snprintf(text, NAME_SIZE, "mov %s, %s", reg, rm);
    else if (*op == 0xf7 && (digit == 2 || digit == 3) && rm[0] != '[')
        snprintf(text, NAME_SIZE, "%s %s", digit == 2 ? "not" : "neg", rm);
    else if (*op == 0x83 && rm[0] != '[')
        snprintf(text, NAME_SIZE, "%s %s, %d", group[digit], rm, (int8_t)op[2]);
    else
        return 0;
    return (size_t)(op - code) + 2 + (*op == 0x83);
}

#endif
