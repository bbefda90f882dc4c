/* SPDX-License-Identifier: MIT */
/*
 * The end of stage 3: the numbers within what was stored.
 *
 * A store is only bytes until they are executed, or may be. At that moment they
 * are decoded as a whole, in whatever order they were stored, and the first
 * immediates are told: that their lowest byte comes first, and their sign.
 */
#include "format/text_parts.h"

#include "tell/fields.h"
#include "tell/sweep.h"

#define IMMEDIATES_TOLD 4u /* the first time, then one */

/* The bytes of an immediate one by one, lowest first. */
static void tell_each_byte(struct text *text, uint64_t base,
                           const struct insn *insn,
                           const struct insn_field *field)
{
    struct pen *pen = &text->pen;
    struct buf item = {0};

    for (unsigned i = 0; i < field->size; i++) {
        uint64_t addr = insn->addr + field->offset + i;

        buf_clear(&item);
        text_append_place(&item, addr - base, 1);
        buf_printf(&item, " holds bits %u..%u = ", 8 * i + 7, 8 * i);
        text_append_bits(&item, insn->bytes[field->offset + i]);
        pen_item(pen, 2, item.len);
        if (pen->column > 0)
            pen_gap(pen, 41);
        pen_text(pen, ROLE_IMMEDIATE, buf_text(&item));
    }
    pen_end(pen);
    buf_release(&item);
}

static void tell_sign(struct pen *pen, const struct insn_field *field)
{
    unsigned bits = 8u * field->size;
    unsigned long long value = fields_bits(field);
    struct buf line = {0};

    if (!field->is_signed)
        buf_printf(&line, "a number without a sign: %llu", value);
    else if (field->value < 0)
        buf_printf(&line,
                   "bit %u is 1: negative in two's complement, "
                   "0x%llx - 2^%u = %lld",
                   bits - 1, value, bits, (long long)field->value);
    else
        buf_printf(&line, "bit %u is 0: not negative, 0x%0*llx = %lld",
                   bits - 1, 2 * field->size, value, (long long)field->value);
    pen_column(pen, 2);
    pen_words(pen, ROLE_NOTE, 4, buf_text(&line));
    buf_release(&line);
}

static bool all_explained(const struct text *text, const struct insn *insn,
                          const struct insn_field *field)
{
    for (unsigned i = 0; i < field->size; i++)
        if (!pages_written(&text->explained, insn->addr + field->offset + i))
            return false;
    return true;
}

static void tell_immediate(struct text *text, uint64_t base,
                           const struct insn *insn,
                           const struct insn_field *field, bool in_full)
{
    uint64_t addr = insn->addr + field->offset;
    struct pen *pen = &text->pen;
    struct buf line = {0};

    pen_blank(pen);
    text_name_code(text, base);
    field_name(field, &line);
    buf_append_text(&line, " of ");
    pen_text(pen, ROLE_NOTE, buf_text(&line));
    pen_text(pen, ROLE_MNEMONIC, insn->text);
    pen_text(pen, ROLE_NOTE, ", stored little-endian:");
    pen_end(pen);
    buf_clear(&line);
    text_append_place(&line, addr - base, field->size);
    buf_append_text(&line, " = ");
    text_append_hex(&line,
                    (struct bytes){insn->bytes + field->offset, field->size});
    buf_printf(&line, " is 0x%0*llx, lowest byte first", 2 * field->size,
               (unsigned long long)fields_bits(field));
    pen_column(pen, 2);
    pen_words(pen, ROLE_IMMEDIATE, 4, buf_text(&line));
    buf_release(&line);
    if (in_full && !all_explained(text, insn, field))
        tell_each_byte(text, base, insn, field);
    tell_sign(pen, field);
}

/* Whether a field is worth a word here: wide, and at least in part new. */
static bool is_new_number(const struct text *text, const struct insn *insn,
                          const struct insn_field *field)
{
    uint64_t addr = insn->addr + field->offset;

    if (field->kind != FIELD_IMMEDIATE || field->size < 2)
        return false;
    for (unsigned i = 0; i < field->size; i++)
        if (pages_written(&text->stored, addr + i))
            return true;
    return false;
}

static void tell_immediates(struct text *text, uint64_t base, uint64_t first,
                            uint64_t last)
{
    struct sweep sweep;
    enum sweep_found found;
    bool first_time = text_first_time(text, TOPIC_IMMEDIATES);
    uint64_t told = first_time ? IMMEDIATES_TOLD : 1, count = 0;

    sweep_init(&sweep, &text->view.pages, first, last + 1);
    while ((found = sweep_next(&sweep)) != SWEEP_END) {
        for (size_t i = 0; found == SWEEP_INSN && i < sweep.insn.field_count;
             i++) {
            const struct insn_field *field = &sweep.insn.fields[i];

            if (is_new_number(text, &sweep.insn, field) && count++ < told)
                tell_immediate(text, base, &sweep.insn, field, first_time);
        }
    }
    if (count > told) {
        pen_print(&text->pen, ROLE_NOTE,
                  "... and %llu more immediates of two or more bytes",
                  (unsigned long long)(count - told));
        pen_end(&text->pen);
    }
}

void text_sum_up(struct text *text, uint64_t addr, uint64_t length)
{
    uint64_t base = text_base(text, addr, 0);
    uint64_t first, last;

    if (!pages_extent(&text->stored, addr, length, &first, &last))
        return;
    tell_immediates(text, base, first, last);
    pages_forget(&text->stored, addr, length);
    pages_forget(&text->explained, addr, length);
    text_area(text, base)->boundary = base;
}
