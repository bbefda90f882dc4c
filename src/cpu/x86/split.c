/* SPDX-License-Identifier: MIT */
/*
 * Splitting an instruction into labelled bits: what the decoder found, field
 * by field, down to single bits. Nothing is decoded here.
 *
 * The layouts (Intel SDM vol. 2, 2.1.3 ModRM and SIB, 2.2.1 REX, 2.3.5 VEX,
 * 2.7.1 EVEX) are texts: each label is followed by its width in bits, from bit
 * 7 of the first byte on. A "~" marks bits that are stored inverted.
 */
#include "cpu/split.h"

#include <stdio.h>
#include <stdlib.h>

/* Behind the first byte of a VEX prefix of three, and of XOP. */
#define VEX3 " ~R:1 ~X:1 ~B:1 mmmmm:5 W:1 ~vvvv:4 L:1 pp:2"

/* Where the next bits go, and from which bit of the instruction. */
struct splitter {
    const struct insn *insn;
    struct insn_bits *out;
    size_t count;
    uint8_t field;
    unsigned bit; /* from the instruction's first byte, bit 7, on */
};

static void put(struct splitter *splitter, const char *layout)
{
    while (*layout) {
        struct insn_bits *bits = &splitter->out[splitter->count++];
        const char *colon = strchr(layout, ':');
        char *end;
        unsigned width = (unsigned)strtoul(colon + 1, &end, 10);

        bits->slot = SLOT_NONE;
        *bits->meaning = 0;
        snprintf(bits->label, sizeof bits->label, "%.*s", (int)(colon - layout),
                 layout);
        bits->field = splitter->field;
        bits->byte = (uint8_t)(splitter->bit / 8);
        bits->high = (uint8_t)(7 - splitter->bit % 8);
        bits->width = (uint8_t)width;
        bits->value = (uint8_t)(splitter->insn->bytes[bits->byte] >>
                                    (bits->high + 1u - width) &
                                ((1u << width) - 1));
        splitter->bit += width;
        layout = end + strspn(end, " ");
    }
}

/* Intel SDM vol. 2, 2.1.1. A REX byte that another prefix follows is void. */
static const char *prefix_label(const struct insn *insn, uint8_t byte)
{
    static const struct {
        uint8_t byte;
        const char *label;
    } labels[] = {
        {0xf0, "lock"}, {0x2e, "cs"},           {0x36, "ss"},
        {0x3e, "ds"},   {0x26, "es"},           {0x64, "fs"},
        {0x65, "gs"},   {0x66, "operand size"}, {0x67, "address size"},
    };

    if (byte == insn->mandatory_prefix)
        return "mandatory prefix";
    if (byte == 0xf2)
        return insn->repeated ? "repne" : "prefix f2";
    if (byte == 0xf3)
        return insn->repeated ? "rep" : "prefix f3";
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (labels[i].byte == byte)
            return labels[i].label;
    return "REX, ignored";
}

static const char *number_name(const struct insn_field *field)
{
    return field->kind == FIELD_DISPLACEMENT ? "disp"
           : field->is_relative              ? "rel"
                                             : "imm";
}

static void put_field(struct splitter *splitter, const struct insn_field *field)
{
    const struct insn *insn = splitter->insn;
    const uint8_t *bytes = insn->bytes + field->offset;
    char layout[32];

    switch (field->kind) {
    case FIELD_PREFIX:
        for (unsigned i = 0; i < field->size; i++) {
            snprintf(layout, sizeof layout, "%s:8",
                     prefix_label(insn, bytes[i]));
            put(splitter, layout);
        }
        break;
    case FIELD_REX:
        put(splitter, "0100:4 W:1 R:1 X:1 B:1");
        break;
    case FIELD_VEX:
        put(splitter, bytes[0] == 0xc5 ? "11000101:8 ~R:1 ~vvvv:4 L:1 pp:2"
                      : bytes[0] == 0x62
                          ? "01100010:8 ~R:1 ~X:1 ~B:1 ~R':1 0:1 mmm:3 "
                            "W:1 ~vvvv:4 1:1 pp:2 z:1 L'L:2 b:1 ~V':1 "
                            "aaa:3"
                      : bytes[0] == 0xc4 ? "11000100:8" VEX3
                                         : "10001111:8" VEX3);
        break;
    case FIELD_OPCODE:
        for (unsigned i = 1; i < field->size; i++)
            put(splitter, "opcode:8");
        put(splitter, field->names_register ? "opcode:5 reg:3" : "opcode:8");
        break;
    case FIELD_MODRM:
        put(splitter, "mod:2 reg:3 rm:3");
        break;
    case FIELD_SIB:
        put(splitter, "scale:2 index:3 base:3");
        break;
    case FIELD_DISPLACEMENT:
    case FIELD_IMMEDIATE: /* little-endian: the first byte is the lowest */
        for (unsigned i = 0; i < field->size; i++) {
            snprintf(layout, sizeof layout, "%s %u..%u:8", number_name(field),
                     i % 16 * 8 + 7, i % 16 * 8);
            put(splitter, layout);
        }
        break;
    }
}

/* --- what the bits mean -------------------------------------------------- */

/* The operand in memory that ModRM tells of, or NULL. */
static const struct insn_operand *memory_of(const struct insn *insn)
{
    for (size_t i = 0; i < insn->operand_count; i++)
        if ((insn->operands[i].kind == OPERAND_MEMORY ||
             insn->operands[i].kind == OPERAND_ADDRESS) &&
            !insn->operands[i].hidden)
            return &insn->operands[i];
    return NULL;
}

/* Names the register that the bits stand for. */
static void name_register(const struct insn *insn, enum insn_slot slot,
                          struct insn_bits *bits)
{
    const struct insn_operand *memory = memory_of(insn);
    enum reg reg = !memory              ? REG_NONE
                   : slot == SLOT_INDEX ? memory->index
                                        : memory->base;
    struct buf name = {0};

    bits->slot = slot;
    for (size_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_REGISTER &&
            insn->operands[i].slot == slot) {
            snprintf(bits->meaning, sizeof bits->meaning, "%s",
                     insn->operands[i].name);
            return;
        }
    if ((slot == SLOT_INDEX || slot == SLOT_BASE) && reg < REG_GENERAL) {
        reg_part_name(reg, memory->address_bits, false, &name);
        snprintf(bits->meaning, sizeof bits->meaning, "%s", buf_text(&name));
    } else {
        bits->slot = SLOT_NONE;
    }
    buf_release(&name);
}

/* Intel SDM vol. 2, tables 2-2 and 2-3. */
static void say_modrm(const struct insn *insn, unsigned modrm,
                      struct insn_bits *bits)
{
    static const char *const mods[] = {"memory", "memory+disp8",
                                       "memory+disp32", "register"};
    unsigned mod = modrm >> 6, rm = modrm & 7;
    bool is_rip = mod == 0 && rm == 5, is_sib = mod != 3 && rm == 4;
    const char *words = NULL;

    if (!strcmp(bits->label, "mod"))
        words = is_rip ? "rip+disp32" : mods[mod];
    else if (!strcmp(bits->label, "reg"))
        name_register(insn, SLOT_REG, bits);
    else if (is_rip || is_sib)
        words = is_rip ? "rip" : "SIB";
    else
        name_register(insn, SLOT_BASE, bits);
    for (size_t i = 0; i < insn->field_count; i++)
        if (!strcmp(bits->label, "reg") && insn->fields[i].digit >= 0)
            snprintf(bits->meaning, sizeof bits->meaning, "/%d",
                     insn->fields[i].digit);
    if (words)
        snprintf(bits->meaning, sizeof bits->meaning, "%s", words);
}

/* A base of 101 is none where mod is 00, an index of 100 where X is 0. */
static void say_sib(const struct insn *insn, struct insn_bits *bits)
{
    if (!strcmp(bits->label, "scale"))
        snprintf(bits->meaning, sizeof bits->meaning, "*%u", 1u << bits->value);
    else
        name_register(insn, *bits->label == 'i' ? SLOT_INDEX : SLOT_BASE, bits);
    if (!*bits->meaning && memory_of(insn) &&
        (*bits->label == 'b' || bits->value == 4))
        snprintf(bits->meaning, sizeof bits->meaning, "none");
}

/* R, X and B are a part of the register whose highest bit they are. */
static void say_prefix(const struct insn *insn, struct insn_bits *bits)
{
    static const struct {
        const char *label;
        enum insn_slot slot;
    } parts[] = {{"R", SLOT_REG},   {"X", SLOT_INDEX},   {"B", SLOT_BASE},
                 {"~R", SLOT_REG},  {"~X", SLOT_INDEX},  {"~B", SLOT_BASE},
                 {"~R'", SLOT_REG}, {"~vvvv", SLOT_VVVV}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strcmp(bits->label, parts[i].label))
            name_register(insn, parts[i].slot, bits);
    if (*bits->label != '~' || bits->width < 4)
        *bits->meaning = 0; /* the name stands at the other bits */
}

static void say_bits(const struct insn *insn, struct insn_bits *bits)
{
    const struct insn_field *field = &insn->fields[bits->field];

    if (field->kind == FIELD_REX || field->kind == FIELD_VEX)
        say_prefix(insn, bits);
    else if (field->kind == FIELD_OPCODE && !strcmp(bits->label, "reg"))
        name_register(insn, SLOT_BASE, bits);
    else if (field->kind == FIELD_MODRM)
        say_modrm(insn, insn->bytes[bits->byte], bits);
    else if (field->kind == FIELD_SIB)
        say_sib(insn, bits);
}

size_t insn_split(const struct insn *insn, struct insn_bits *out)
{
    struct splitter splitter = {.insn = insn, .out = out};

    for (; splitter.field < insn->field_count; splitter.field++)
        put_field(&splitter, &insn->fields[splitter.field]);
    for (size_t i = 0; i < splitter.count; i++)
        say_bits(insn, &out[i]);
    return splitter.count;
}

void field_name(const struct insn_field *field, struct buf *out)
{
    static const char *const names[] = {
        [FIELD_REX] = "REX",
        [FIELD_OPCODE] = "opcode",
        [FIELD_MODRM] = "ModRM",
        [FIELD_SIB] = "SIB",
    };

    if (field->kind == FIELD_PREFIX)
        buf_append_text(out, field->size > 1 ? "prefixes" : "prefix");
    else if (field->kind == FIELD_VEX)
        buf_append_text(out, field->value == 0x62   ? "EVEX"
                             : field->value == 0x8f ? "XOP"
                                                    : "VEX");
    else if (field->kind == FIELD_DISPLACEMENT ||
             field->kind == FIELD_IMMEDIATE)
        buf_printf(out, "%s%u", number_name(field), field->size * 8u);
    else
        buf_append_text(out, names[field->kind]);
}
