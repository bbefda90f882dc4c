/* SPDX-License-Identifier: MIT */
/*
 * What a store is a part of: a field of the instruction that tell/focus.h finds,
 * some fields, a whole instruction, or several.
 */
#include "tell/story_parts.h"

#include <string.h>

#include "tell/fields.h"
#include "tell/focus.h"

#define SHOWN   16u /* bytes of a store, in hex */
#define CHANGED 4u  /* bytes of which the old ones are shown, too */
#define LISTED  4u  /* instructions of a long store */

static void say_bytes(const struct story *story, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        say(story, i ? " %02x" : "%02x", bytes.data[i]);
}

void say_stored(const struct story *story)
{
    const struct event_write *write = &story->event->write;

    say_place(story, write->offset, write->new.len);
    say(story, " = ");
    if (write->new.len == 1)
        say(story, "0x%02x", write->new.data[0]);
    else if (write->new.len <= SHOWN)
        say_bytes(story, write->new);
    else
        say(story, "%zu bytes", write->new.len);
}

/* --- one field ----------------------------------------------------------- */

static bool field_is_whole(const struct focus *focus,
                           const struct insn_field *field)
{
    unsigned bits = ((1u << field->size) - 1) << field->offset;

    return !(focus->unwritten & bits);
}

static void say_field_name(const struct story *story,
                           const struct insn_field *field)
{
    field_name(field, story->out);
}

static void say_of_mnemonic(const struct story *story, const struct insn *insn)
{
    if (insn->mnemonic[0])
        say(story, " of %s", insn->mnemonic);
}

static void say_value(const struct story *story, const struct focus *focus,
                      const struct insn_field *field)
{
    fields_value(field, story->out);
    if (field->is_relative)
        say(story, ", from the end of the instruction to 0x%llx",
            (unsigned long long)(focus->addr + focus->insn.length +
                                 (uint64_t)field->value));
}

/* Bytes [from, end) of an immediate or a displacement. */
static void say_number(const struct story *story, const struct focus *focus,
                       const struct insn_field *field, unsigned from,
                       unsigned end, bool is_new)
{
    if (end - from == field->size) {
        say(story, "The ");
        say_field_name(story, field);
        say_of_mnemonic(story, &focus->insn);
        say(story, field->size > 1 ? ", lowest byte first: " : ": ");
        say_value(story, focus, field);
        say(story, ".");
        return;
    }
    say(story, "Bits %u..%u of the ", 8 * end - 1, 8 * from);
    say_field_name(story, field);
    say_of_mnemonic(story, &focus->insn);
    say(story, from == 0 && end == 1 ? ": the lowest byte comes first." : ".");
    if (!field_is_whole(focus, field))
        return;
    say(story, " The ");
    say_field_name(story, field);
    say(story, is_new ? " is complete: " : " is now ");
    say_value(story, focus, field);
    say(story, ".");
}

/* Intel SDM vol. 2, 2.2.1.2 */
static void say_rex(const struct story *story, uint8_t rex)
{
    static const struct {
        uint8_t bit;
        const char *meaning;
    } meanings[] = {
        {8, "W=1, the operands have 64 bits"},
        {4, "R=1, a high bit for reg"},
        {2, "X=1, a high bit for index"},
        {1, "B=1, a high bit for rm, base or the opcode's register"},
    };
    const char *joint = ": ";

    say(story, "The REX prefix");
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (!(rex & meanings[i].bit))
            continue;
        say(story, "%s%s", joint, meanings[i].meaning);
        joint = "; ";
    }
    say(story, rex & 0xf ? "." : ", none of its bits W, R, X, B set.");
}

static void say_prefix(const struct story *story, const struct insn *insn,
                       unsigned byte)
{
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count = insn_split(insn, bits);

    for (size_t i = 0; i < count; i++)
        if (bits[i].byte == byte) {
            say(story, "A prefix of the opcode: %s.", bits[i].label);
            return;
        }
}

/* Whether an opcode is the start of a longer one (SDM vol. 2, 2.1.2). */
static bool is_escape(const struct insn *insn, const struct insn_field *opcode)
{
    const uint8_t *bytes = insn->bytes + opcode->offset;

    return bytes[0] == 0x0f &&
           (opcode->size == 1 ||
            (opcode->size == 2 && (bytes[1] == 0x38 || bytes[1] == 0x3a)));
}

static void say_opcode(const struct story *story, const struct insn *insn,
                       const struct insn_field *field)
{
    if (is_escape(insn, field)) {
        say(story, "The beginning of an opcode that has more bytes.");
        return;
    }
    say(story, "The opcode");
    if (insn->mnemonic[0])
        say_of_mnemonic(story, insn);
    else
        say(story, "; three bits of ModRM, the next byte, will say which "
                   "instruction it is");
    if (field->names_register)
        say(story, ", and in its lowest three bits a register");
    say(story, ".");
}

static const struct insn_field *field_of(const struct insn *insn,
                                         enum field_kind kind)
{
    for (unsigned i = 0; i < insn->field_count; i++)
        if (insn->fields[i].kind == kind)
            return &insn->fields[i];
    return NULL;
}

/* Intel SDM vol. 2, table 2-2 */
static void say_modrm(const struct story *story, const struct insn *insn,
                      uint8_t modrm)
{
    static const char *const distance[] = {"", ", with a disp8",
                                           ", with a disp32"};
    const struct insn_field *opcode = field_of(insn, FIELD_OPCODE);
    unsigned mod = modrm >> 6, rm = modrm & 7;

    say(story, "ModRM: mod=%u%u, ", mod >> 1, mod & 1);
    if (mod == 3)
        say(story, "rm is a register");
    else if (mod == 0 && rm == 5)
        say(story, "memory at a disp32 from rip");
    else
        say(story, "memory%s%s", distance[mod],
            rm == 4 ? ", and a SIB byte next" : "");
    if (opcode && opcode->digit >= 0)
        say(story, "; reg belongs to the opcode, /%d", opcode->digit);
    say(story, ".");
}

static void say_field(const struct story *story, const struct focus *focus,
                      const struct insn_field *field, unsigned from,
                      unsigned end, bool is_new)
{
    const struct insn *insn = &focus->insn;
    uint8_t byte = insn->bytes[field->offset + from];

    switch (field->kind) {
    case FIELD_PREFIX:
        say_prefix(story, insn, field->offset + from);
        break;
    case FIELD_REX:
        say_rex(story, byte);
        break;
    case FIELD_VEX:
        say(story, "%s ", end - from < field->size ? "A byte of the" : "The");
        say_field_name(story, field);
        say(story, " prefix.");
        break;
    case FIELD_OPCODE:
        say_opcode(story, insn, field);
        break;
    case FIELD_MODRM:
        say_modrm(story, insn, byte);
        break;
    case FIELD_SIB:
        say(story, "SIB: the base, index and scale of the address.");
        break;
    case FIELD_DISPLACEMENT:
    case FIELD_IMMEDIATE:
        say_number(story, focus, field, from, end, is_new);
        break;
    }
}

/* --- more than a field --------------------------------------------------- */

/* "The REX, opcode and ModRM of mov." */
static void say_fields(const struct story *story, const struct insn *insn,
                       unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        say(story, i == first ? "The " : i == last ? " and " : ", ");
        say_field_name(story, &insn->fields[i]);
    }
    say_of_mnemonic(story, insn);
    say(story, ".");
}

/* The instructions that a store reaches into. */
static void say_instructions(const struct story *story,
                             const struct focus *focus)
{
    uint64_t end = focus->store_addr + focus->store_length;
    const struct view *view = story_view(story);
    uint64_t at = focus->addr;
    struct insn insn;

    say(story, " Read as instructions: ");
    for (unsigned count = 0; at < end; count++) {
        bool known = story_decode(view, at, &insn);

        if (count > 0)
            say(story, "; ");
        if (!known || count == LISTED || at + insn.length > end) {
            say(story, !known            ? "and what is none yet"
                       : count == LISTED ? "and more"
                                         : "and the beginning of one more");
            break;
        }
        say(story, "%s", insn.text);
        at += insn.length;
    }
    say(story, ".");
}

/* What the instruction is now. */
static void say_reading(const struct story *story, const struct focus *focus,
                        bool is_number, bool is_new)
{
    const char *text = focus->insn.text;

    if (!focus->text_known)
        return;
    if (focus->state == INSN_PARTLY)
        say(story, " So far it reads %s.", text);
    else if (!is_new)
        say(story, " Now it reads %s.", text);
    else if (!is_number)
        say(story, " The instruction is complete: %s.", text);
}

/* The index of the field that a byte of the instruction is in. */
static unsigned field_at(const struct insn *insn, unsigned byte)
{
    unsigned i = 0;

    while (i + 1 < insn->field_count &&
           byte >= insn->fields[i].offset + insn->fields[i].size)
        i++;
    return i;
}

static void say_parts(const struct story *story, const struct focus *focus,
                      bool is_new)
{
    const struct insn *insn = &focus->insn;
    unsigned from = (unsigned)(focus->store_addr - focus->addr);
    unsigned end = from + (unsigned)focus->store_length;
    unsigned first = field_at(insn, from), last = field_at(insn, end - 1);
    const struct insn_field *field = &insn->fields[first];
    bool is_number =
        field->kind == FIELD_DISPLACEMENT || field->kind == FIELD_IMMEDIATE;

    say(story, " ");
    if (end - from == insn->length && focus->state == INSN_DECODED) {
        say(story,
            insn->length == 1 ? "One byte is the whole instruction: %s."
                              : "A whole instruction: %s.",
            insn->text);
        return;
    }
    if (first == last)
        say_field(story, focus, field, from - field->offset,
                  end - field->offset, is_new);
    else
        say_fields(story, insn, first, last);
    say_reading(story, focus, first == last && is_number, is_new);
}

static void say_meaning(const struct story *story, const struct focus *focus,
                        bool is_new)
{
    const char *it = focus->store_length > 1 ? "they are" : "it is";

    if (focus->state == INSN_UNKNOWN && focus->addr < focus->store_addr)
        say(story, " The instruction that it belongs to is not known yet.");
    else if (focus->state == INSN_UNKNOWN && focus->store_length > SHOWN)
        say(story, " They do not begin with an instruction.");
    else if (focus->state == INSN_UNKNOWN)
        say(story, " What %s a part of cannot be known yet.", it);
    else if (focus->store_addr + focus->store_length >
             focus->addr + focus->insn.length)
        say_instructions(story, focus);
    else
        say_parts(story, focus, is_new);
}

/* --- the store ----------------------------------------------------------- */

static void say_old(const struct story *story)
{
    const struct event_write *write = &story->event->write;

    if (!write->old.data || write->new.len > CHANGED || write->by)
        return;
    say(story, write->new.len == write->old.len &&
                       !memcmp(write->new.data, write->old.data, write->old.len)
                   ? " (already "
                   : " (was ");
    say_bytes(story, write->old);
    say(story, ")");
}

static void say_writer(const struct story *story)
{
    const struct event_write *write = &story->event->write;
    const struct region *region = view_region_at(story_view(story), write->pc);

    if (event_is_elsewhere(write)) {
        say(story, ", found changed; how was not seen");
    } else if (write->by) {
        say(story, ", by the kernel: %s", write->by);
    } else if (region) {
        say(story, ", by generated code at ");
        say_place(story, write->pc - region->start, 1);
    }
}

void say_write(const struct story *story)
{
    uint64_t addr = story->event->write.addr;
    bool is_new =
        story->seq == 0 ||
        !pages_written(&history_view(story->history, story->seq - 1)->pages,
                       addr);
    struct focus focus;

    say_stored(story);
    say_old(story);
    say_writer(story);
    say(story, ".");
    focus_find(story->history, story->seq, &focus);
    if (focus.kind == FOCUS_STORED)
        say_meaning(story, &focus, is_new);
}
