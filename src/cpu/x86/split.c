/* SPDX-License-Identifier: MIT */
/*
 * Splitting an instruction into labelled bits: what the decoder found, field
 * by field, down to single bits. Nothing is decoded here.
 *
 * The layouts (Intel SDM vol. 2, 2.1.3 ModRM and SIB, 2.2.1 REX, 2.3.5 VEX,
 * 2.7.1 EVEX) are texts: each label is followed by its width in bits, from bit
 * 7 of the first byte on. A "~" marks bits that are stored inverted.
 */
#include "cpu/insn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYOUT_REX   "0100:4 W:1 R:1 X:1 B:1"
#define LAYOUT_MODRM "mod:2 reg:3 rm:3"
#define LAYOUT_SIB   "scale:2 index:3 base:3"
#define LAYOUT_VEX2  "11000101:8 ~R:1 ~vvvv:4 L:1 pp:2"
#define LAYOUT_VEX3  "11000100:8 ~R:1 ~X:1 ~B:1 mmmmm:5 W:1 ~vvvv:4 L:1 pp:2"
#define LAYOUT_XOP   "10001111:8 ~R:1 ~X:1 ~B:1 mmmmm:5 W:1 ~vvvv:4 L:1 pp:2"
#define LAYOUT_EVEX                              \
    "01100010:8 ~R:1 ~X:1 ~B:1 ~R':1 0:1 mmm:3 " \
    "W:1 ~vvvv:4 1:1 pp:2 z:1 L'L:2 b:1 ~V':1 aaa:3"

/* Where the next bits go, and from which bit of the instruction. */
struct splitter {
    const struct insn *insn;
    struct insn_bits *out;
    size_t count;
    uint8_t field;
    unsigned bit; /* from the instruction's first byte, bit 7, on */
};

static void put(struct splitter *splitter, const char *label, unsigned width)
{
    struct insn_bits *bits = &splitter->out[splitter->count++];
    uint8_t byte = (uint8_t)(splitter->bit / 8);
    uint8_t high = (uint8_t)(7 - splitter->bit % 8);

    snprintf(bits->label, sizeof bits->label, "%s", label);
    bits->field = splitter->field;
    bits->byte = byte;
    bits->high = high;
    bits->width = (uint8_t)width;
    bits->value = (uint8_t)(splitter->insn->bytes[byte] >> (high + 1u - width) &
                            ((1u << width) - 1));
    splitter->bit += width;
}

static void put_layout(struct splitter *splitter, const char *layout)
{
    while (*layout) {
        const char *colon = strchr(layout, ':');
        char label[16];
        char *end;
        unsigned width = (unsigned)strtoul(colon + 1, &end, 10);

        snprintf(label, sizeof label, "%.*s", (int)(colon - layout), layout);
        put(splitter, label, width);
        layout = end + strspn(end, " ");
    }
}

/* Intel SDM vol. 2, 2.1.1. A REX byte that another prefix follows is void. */
static const char *prefix_label(const struct insn *insn, uint8_t byte)
{
    if (byte == insn->mandatory_prefix)
        return "mandatory prefix";
    switch (byte) {
    case 0xf0:
        return "lock";
    case 0xf2:
        return insn->repeated ? "repne" : "prefix f2";
    case 0xf3:
        return insn->repeated ? "rep" : "prefix f3";
    case 0x2e:
        return "cs";
    case 0x36:
        return "ss";
    case 0x3e:
        return "ds";
    case 0x26:
        return "es";
    case 0x64:
        return "fs";
    case 0x65:
        return "gs";
    case 0x66:
        return "operand size";
    case 0x67:
        return "address size";
    default:
        return "REX, ignored";
    }
}

static void put_vex(struct splitter *splitter, const struct insn_field *field)
{
    switch (splitter->insn->bytes[field->offset]) {
    case 0xc5:
        put_layout(splitter, LAYOUT_VEX2);
        break;
    case 0xc4:
        put_layout(splitter, LAYOUT_VEX3);
        break;
    case 0x62:
        put_layout(splitter, LAYOUT_EVEX);
        break;
    default:
        put_layout(splitter, LAYOUT_XOP);
        break;
    }
}

static void put_opcode(struct splitter *splitter,
                       const struct insn_field *field)
{
    for (unsigned i = 1; i < field->size; i++)
        put(splitter, "opcode", 8);
    put(splitter, "opcode", field->names_register ? 5 : 8);
    if (field->names_register)
        put(splitter, "reg", 3);
}

static const char *number_name(const struct insn_field *field)
{
    return field->kind == FIELD_DISPLACEMENT ? "disp"
           : field->is_relative              ? "rel"
                                             : "imm";
}

/* Little-endian: the first byte holds the lowest bits. */
static void put_number(struct splitter *splitter,
                       const struct insn_field *field)
{
    for (unsigned i = 0; i < field->size; i++) {
        char label[16];

        snprintf(label, sizeof label, "%s %u..%u", number_name(field),
                 i % 16 * 8 + 7, i % 16 * 8);
        put(splitter, label, 8);
    }
}

static void put_field(struct splitter *splitter, const struct insn_field *field)
{
    switch (field->kind) {
    case FIELD_PREFIX:
        for (unsigned i = 0; i < field->size; i++)
            put(splitter,
                prefix_label(splitter->insn,
                             splitter->insn->bytes[field->offset + i]),
                8);
        break;
    case FIELD_REX:
        put_layout(splitter, LAYOUT_REX);
        break;
    case FIELD_VEX:
        put_vex(splitter, field);
        break;
    case FIELD_OPCODE:
        put_opcode(splitter, field);
        break;
    case FIELD_MODRM:
        put_layout(splitter, LAYOUT_MODRM);
        break;
    case FIELD_SIB:
        put_layout(splitter, LAYOUT_SIB);
        break;
    case FIELD_DISPLACEMENT:
    case FIELD_IMMEDIATE:
        put_number(splitter, field);
        break;
    }
}

size_t insn_split(const struct insn *insn, struct insn_bits *out)
{
    struct splitter splitter = {.insn = insn, .out = out};

    for (uint8_t i = 0; i < insn->field_count; i++) {
        splitter.field = i;
        put_field(&splitter, &insn->fields[i]);
    }
    return splitter.count;
}

static const char *vex_name(const struct insn_field *field)
{
    return field->value == 0x62 ? "EVEX" : field->value == 0x8f ? "XOP" : "VEX";
}

void field_name(const struct insn_field *field, struct buf *out)
{
    switch (field->kind) {
    case FIELD_PREFIX:
        buf_append_text(out, field->size > 1 ? "prefixes" : "prefix");
        break;
    case FIELD_REX:
        buf_append_text(out, "REX");
        break;
    case FIELD_VEX:
        buf_append_text(out, vex_name(field));
        break;
    case FIELD_OPCODE:
        buf_append_text(out, "opcode");
        break;
    case FIELD_MODRM:
        buf_append_text(out, "ModRM");
        break;
    case FIELD_SIB:
        buf_append_text(out, "SIB");
        break;
    case FIELD_DISPLACEMENT:
    case FIELD_IMMEDIATE:
        buf_printf(out, "%s%u", number_name(field), field->size * 8u);
        break;
    }
}
