/* SPDX-License-Identifier: MIT */
/*
 * Stores: what was stored where, by whom, and what it is a part of: a field of
 * the instruction that tell/focus.h finds, some fields, a whole instruction, or
 * several.
 *
 * In a paragraph, which bits of an immediate a byte holds can be said at once
 * only if all bytes of its instruction before the immediate are already there.
 * A compiler may store in any order, so stores are also summed up once they
 * turn out to be code (paragraph.c). What was in the page before is not
 * decoded together with what is stored now: telling->stored has the new bytes.
 */

#include "base/mem.h"
#include "cpu/split.h"
#include "tell/code.h"
#include "tell/tell_parts.h"

#define BYTES_SHOWN 16u /* of a store, in hex */
#define OLD_SHOWN   4u  /* of which the old ones are shown, too */
#define LISTED      4u  /* instructions of a long store */

#define ROW          16u
#define ROWS_SHOWN   4u
#define INDENT       5u
#define STORE_COLUMN 17u
#define NOTE_COLUMN  46u

/* " of mov", as far as that is known */
static const char *of_mnemonic(struct story *story, const struct insn *insn)
{
    return insn->mnemonic[0] ? phrase(&story->phrases, " of %s", insn->mnemonic)
                             : "";
}

/* Bytes [from, end) of a field (Intel SDM vol. 2, 2.1 and 2.2.1.2). */
static void say_field(struct story *story, const struct focus *focus,
                      const struct insn_field *field, unsigned from,
                      unsigned end, bool is_new)
{
    static const char *const rex[] = {
        "W=1, the operands have 64 bits",
        "R=1, a high bit for reg",
        "X=1, a high bit for index",
        "B=1, a high bit for rm, base or the opcode's register",
    };
    static const char *const distance[] = {"", ", with a disp8",
                                           ", with a disp32"};
    const struct insn *insn = &focus->insn;
    const uint8_t *bytes = insn->bytes + field->offset;
    unsigned byte = bytes[from], mod = byte >> 6, rm = byte & 7;
    const char *name = fields_name(&story->phrases, field);
    const char *of = of_mnemonic(story, insn), *value, *joint = ": ";
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count, i = 0;

    switch (field->kind) {
    case FIELD_PREFIX:
        count = insn_split(insn, bits);
        while (i < count && bits[i].byte != field->offset + from)
            i++;
        if (i < count)
            say(story, "A prefix of the opcode: %s.", bits[i].label);
        break;
    case FIELD_REX:
        say(story, "The REX prefix");
        for (i = 0; i < 4; i++)
            if (byte & 8u >> i) {
                say(story, "%s%s", joint, rex[i]);
                joint = "; ";
            }
        say(story, byte & 0xf ? "." : ", none of its bits W, R, X, B set.");
        break;
    case FIELD_VEX:
        say(story, "%s %s prefix.",
            end - from < field->size ? "A byte of the" : "The", name);
        break;
    case FIELD_OPCODE:
        /* The start of a longer one (SDM vol. 2, 2.1.2). */
        if (bytes[0] == 0x0f &&
            (field->size == 1 ||
             (field->size == 2 && (bytes[1] == 0x38 || bytes[1] == 0x3a))))
            say(story, "The beginning of an opcode that has more bytes.");
        else
            say(story, "The opcode%s%s.",
                *of ? of
                    : "; three bits of ModRM, the next byte, will say which "
                      "instruction it is",
                field->names_register ? ", and in its lowest three bits a "
                                        "register"
                                      : "");
        break;
    case FIELD_MODRM: /* SDM vol. 2, table 2-2 */
        say(story, "ModRM: mod=%u%u, ", mod >> 1, mod & 1);
        if (mod == 3)
            say(story, "rm is a register");
        else if (mod == 0 && rm == 5)
            say(story, "memory at a disp32 from rip");
        else
            say(story, "memory%s%s", distance[mod],
                rm == 4 ? ", and a SIB byte next" : "");
        for (i = 0; i < insn->field_count; i++)
            if (insn->fields[i].kind == FIELD_OPCODE &&
                insn->fields[i].digit >= 0)
                say(story, "; reg belongs to the opcode, /%d",
                    insn->fields[i].digit);
        say(story, ".");
        break;
    case FIELD_SIB:
        say(story, "SIB: the base, index and scale of the address.");
        break;
    case FIELD_DISPLACEMENT:
    case FIELD_IMMEDIATE:
        value = fields_meaning(&story->phrases, insn, field);
        if (end - from == field->size) {
            say(story, "The %s%s%s: %s.", name, of,
                field->size > 1 ? ", lowest byte first" : "", value);
            break;
        }
        say(story, "Bits %u..%u of the %s%s%s", 8 * end - 1, 8 * from, name, of,
            from == 0 && end == 1 ? ": the lowest byte comes first." : ".");
        if (!(focus->unwritten & ((1u << field->size) - 1) << field->offset))
            say(story, " The %s%s%s.", name,
                is_new ? " is complete: " : " is now ", value);
        break;
    }
}

/* The part of one instruction that a store is, and what that is now. */
static void say_parts(struct story *story, const struct focus *focus,
                      bool is_new)
{
    const struct insn *insn = &focus->insn;
    unsigned from = (unsigned)(focus->store_addr - focus->addr);
    unsigned end = from + (unsigned)focus->store_length;
    const struct insn_field *first = fields_at(insn, from);
    const struct insn_field *last = fields_at(insn, end - 1);

    if (end - from == insn->length && focus->state == INSN_DECODED) {
        say(story, " %s: %s.",
            insn->length == 1 ? "One byte is the whole instruction"
                              : "A whole instruction",
            insn->text);
        return;
    }
    say(story, " ");
    if (first == last) {
        say_field(story, focus, first, from - first->offset,
                  end - first->offset, is_new);
    } else { /* "The REX, opcode and ModRM of mov." */
        for (const struct insn_field *field = first; field <= last; field++)
            say(story, "%s%s",
                field == first  ? "The "
                : field == last ? " and "
                                : ", ",
                fields_name(&story->phrases, field));
        say(story, "%s.", of_mnemonic(story, insn));
    }
    if (!focus->text_known)
        return;
    if (focus->state == INSN_PARTLY)
        say(story, " So far it reads %s.", insn->text);
    else if (!is_new)
        say(story, " Now it reads %s.", insn->text);
    else if (first != last || !field_is_number(first))
        say(story, " The instruction is complete: %s.", insn->text);
}

static void write_words(struct story *story, enum tell_form form)
{
    const struct event_write *write = &story->event->write;
    bool elsewhere = event_is_elsewhere(write), is_new;
    struct phrases *phrases = &story->phrases;
    const struct view *before;
    const struct region *region;
    struct focus focus;
    uint64_t end;

    if (write->new.len == 0 && form != TELL_NEXT) {
        say(story, form == TELL_TITLE ? "a store of no bytes"
                                      : "A store of no bytes.");
        return;
    }
    if (form == TELL_TITLE)
        say(story, "%s%s%s", phrase_store(phrases, write),
            elsewhere                                 ? ", found changed"
            : write->by && !*event_by_whom(write->by) ? " "
            : write->by                               ? " by "
                                                      : "",
            write->by && !elsewhere
                ? phrase_call(phrases, write->by, "the kernel")
                : "");
    if (form == TELL_NEXT)
        say(story, "%s%s",
            elsewhere                                 ? "found changed: "
            : write->by && !*event_by_whom(write->by) ? "INJECTED: "
            : write->by                               ? "the kernel stores to "
                                                      : "a store to ",
            phrase_place(phrases, write->offset, write->new.len));
    if (form != TELL_SENTENCE)
        return;
    before = story_view_before(story);
    is_new = !before || !pages_written(&before->pages, write->addr);
    say(story, "%s", phrase_store(phrases, write));
    if (write->old.data && write->new.len <= OLD_SHOWN && !write->by)
        say(story, " (%s %s)",
            write->new.len == write->old.len &&
                    !memcmp(write->new.data, write->old.data, write->old.len)
                ? "already"
                : "was",
            phrase_bytes(phrases, write->old));
    region = view_region_at(story_view(story), write->pc);
    if (write->process.known)
        say(story, ", by process %" PRIu64, write->process.value);
    if (elsewhere)
        say(story, ", found changed; how was not seen");
    else if (write->by)
        say(story, ", %s%s", event_by_whom(write->by), write->by);
    else if (region)
        say(story, ", by generated code at %s",
            phrase_place(phrases, write->pc - region->start, 1));
    else if (write->via.count > 0) {
        struct chain chain;

        chain_of(story->event, &chain);
        emissions_name(history_emissions(story->history), &chain);
        say(story, ", by %s", phrase_chain(phrases, &chain));
    }
    say(story, ".");
    focus_find(story->history, story->seq, &focus);
    if (focus.kind != FOCUS_STORED)
        return;
    end = focus.store_addr + focus.store_length;
    if (focus.state != INSN_UNKNOWN && end > focus.addr + focus.insn.length) {
        const struct view *view = story_view(story);
        uint64_t at = focus.addr;
        struct insn insn;

        say(story, " Read as instructions: ");
        for (unsigned count = 0; at < end; count++, at += insn.length) {
            bool known =
                view_has_code(view, at) && view_decode(view, at, &insn);

            say(story, count > 0 ? "; " : "");
            if (!known || count == LISTED || at + insn.length > end) {
                say(story, !known            ? "and what is none yet"
                           : count == LISTED ? "and more"
                                             : "and the beginning of one more");
                break;
            }
            say(story, "%s", insn.text);
        }
        say(story, ".");
        return;
    }
    if (focus.state != INSN_UNKNOWN)
        say_parts(story, &focus, is_new);
    else if (focus.addr < focus.store_addr)
        say(story, " The instruction that it belongs to is not known yet.");
    else if (focus.store_length > BYTES_SHOWN)
        say(story, " They do not begin with an instruction.");
    else
        say(story, " What %s a part of cannot be known yet.",
            focus.store_length > 1 ? "they are" : "it is");
}

/* Which bits of an immediate a store holds, if the instruction that it is a
 * part of is known by now. Moves the boundary over those that are complete. */
static void tell_bits(struct telling *telling, uint64_t base,
                      const struct event_write *write)
{
    uint64_t *boundary = &telling_area(telling, base)->boundary, start;
    const struct pages *stored = &telling->stored;
    struct phrases *phrases = &telling->phrases;
    const struct insn_field *field;
    struct pen *pen = &telling->pen;
    size_t len = write->new.len;
    struct insn insn;
    const char *note;
    unsigned low;

    for (;; *boundary += insn.length) {
        if (*boundary > write->addr || !pages_written(stored, *boundary) ||
            !view_decode(&telling->view, *boundary, &insn))
            return;
        if (write->addr < *boundary + insn.length)
            break;
        if (!pages_all_written(stored, *boundary, insn.length))
            return;
    }
    field = fields_at(&insn, (unsigned)(write->addr - insn.addr));
    start = insn.addr + field->offset;
    if (field->kind != FIELD_IMMEDIATE ||
        write->addr + len > start + field->size ||
        !pages_all_written(stored, insn.addr, field->offset))
        return;
    pages_write(&telling->explained, write->addr, write->new);
    low = 8 * (unsigned)(write->addr - start);
    note = phrase(phrases, "imm bits %zu..%u", low + 8 * len - 1, low);
    if (len == 1)
        note = phrase(phrases, "%s = %s", note,
                      phrase_bits(phrases, write->new.data[0], 8));
    if (pen->column + 2 + strlen(note) > PEN_WIDTH)
        pen_end(pen);
    pen_gap(pen, NOTE_COLUMN);
    pen_text(pen, ROLE_IMMEDIATE, note);
}

/* The line that names a store, and through whom, if that was not the last thing
 * told. */
static void tell_storer(struct telling *telling, const struct event *event)
{
    const struct caller *caller;
    struct pen *pen = &telling->pen;
    const char *through;
    struct chain chain;

    chain_of(event, &chain);
    emissions_name(&telling->emissions, &chain);
    caller = &chain.list[chain.named_by];
    pen_item(pen, INDENT, pen_width(caller->source.file) + 20);
    pen_source(pen, &caller->source);
    through = phrase_through(&telling->phrases, &chain);
    if (!*through || word_is(telling->through, through))
        return;
    free(telling->through);
    telling->through = mem_copy_text(through);
    pen_end(pen);
    pen_column(pen, INDENT);
    pen_cut(pen, ROLE_NOTE,
            phrase(&telling->phrases, "in %s, through %s",
                   phrase_function(&telling->phrases, caller->symbol),
                   through));
}

static void write_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_write *write = &event->write;
    const struct pages *pages = &telling->view.pages;
    bool inside = view_is_inside(&telling->view, event->tid);
    uint64_t base = write->addr - write->offset, twin;
    uint64_t end = write->addr + write->new.len, row;
    struct phrases *phrases = &telling->phrases;
    const char *old;
    struct pen *pen = &telling->pen;

    if (write->new.len == 0)
        return;
    telling_note_fresh(telling, base, write->addr, end - 1);
    telling_name_code(telling, base);
    twin = write->also.value - write->offset;
    if (write->also.known && telling->twin != twin) {
        telling->twin = twin;
        pen_text(pen, ROLE_NOTE, "the same memory is mapped for execution at ");
        pen_hex(pen, ROLE_ADDRESS, twin);
        pen_end(pen);
    }
    if (inside)
        pen_column(pen, INDENT);
    else
        pages_write(&telling->stored, write->addr, write->new);
    pen_text(pen, ROLE_RESULT, phrase_store(phrases, write));
    if (write->old.len > 0 && write->new.len <= 8) {
        old = phrase_bytes(phrases, write->old);
        old = write->new.len == 1
                  ? phrase(phrases, "%s -> %02x", old, write->new.data[0])
                  : phrase(phrases, "was %s", old);
        pen_item(pen, INDENT, strlen(old));
        if (pen->column > 0 && pen->column < STORE_COLUMN)
            pen_column(pen, STORE_COLUMN);
        pen_text(pen, ROLE_PLAIN, old);
    }
    /* Who stored: a line of source, else an instruction, else a system call. */
    if (event_is_elsewhere(write)) {
        pen_item(pen, INDENT, 31);
        pen_text(pen, ROLE_NOTE, "found changed, how was not seen");
    } else if (write->by) {
        pen_item(pen, INDENT, 15 + pen_width(write->by));
        pen_text(pen, ROLE_NOTE, event_by_whom(write->by));
        pen_cut(pen, ROLE_CALL, write->by);
    } else if (event->source.file) {
        tell_storer(telling, event);
    } else if (write->text) {
        pen_item(pen, INDENT, pen_width(write->text));
        pen_cut(pen, ROLE_MNEMONIC, write->text);
    }
    pen_end(pen);
    if (inside)
        return;
    row = write->addr - write->offset % ROW;
    for (unsigned rows = 0; row < end; rows++, row += ROW) {
        uint64_t last = row + ROW; /* behind the last written byte */

        if (rows > 0)
            pen_end(pen);
        pen_column(pen, 4);
        if (rows == ROWS_SHOWN) {
            pen_print(pen, ROLE_NOTE, "... and %" PRIu64 " bytes more",
                      end - row);
            break;
        }
        pen_print(pen, ROLE_ADDRESS, "%08" PRIx64 ":", row - base);
        while (last > row && !pages_written(pages, last - 1))
            last--;
        for (uint64_t addr = row; addr < last; addr++) {
            bool is_new = addr - write->addr < write->new.len;
            uint8_t byte;

            pages_read(pages, addr, 1, &byte);
            pen_column(pen, pen->column + 1);
            if (pages_written(pages, addr))
                pen_print(pen, is_new ? ROLE_BYTE_NEW : ROLE_BYTE, "%02x",
                          byte);
            else
                pen_text(pen, ROLE_UNWRITTEN, "..");
        }
    }
    tell_bits(telling, base, write);
    pen_end(pen);
}

const struct tell_kind kind_write = {write_words, write_paragraph,
                                     TELL_SEARCHED(write, by)};
