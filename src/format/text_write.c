/* SPDX-License-Identifier: MIT */
/*
 * Stage 3: stores.
 *
 * Which bits of an immediate a byte holds can be said at once only if all bytes
 * of its instruction before the immediate are already there. A compiler may
 * store in any order, so stores are also summed up once they turn out to be
 * code (text_imm.c). What was in the page before is not decoded together with
 * what is stored now: text->stored knows the new bytes.
 */
#include "format/text_parts.h"

#include <string.h>

#define ROW          16u
#define ROWS_SHOWN   4u
#define INDENT       5u
#define STORE_COLUMN 17u
#define NOTE_COLUMN  46u

void text_append_place(struct buf *out, uint64_t offset, uint64_t len)
{
    buf_printf(out, "code[%llu", (unsigned long long)offset);
    if (len > 1)
        buf_printf(out, "..%llu", (unsigned long long)(offset + len - 1));
    buf_append_text(out, "]");
}

void text_append_hex(struct buf *out, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, i ? " %02x" : "%02x", bytes.data[i]);
}

static void append_store(const struct event_write *write, struct buf *out)
{
    text_append_place(out, write->offset, write->new.len);
    buf_append_text(out, " = ");
    if (write->new.len == 1)
        buf_printf(out, "0x%02x", write->new.data[0]);
    else if (write->new.len <= ROW)
        text_append_hex(out, write->new);
    else
        buf_printf(out, "%zu bytes", write->new.len);
}

static void append_change(const struct event_write *write, struct buf *out)
{
    if (!write->old.data || write->new.len > 8)
        return;
    if (write->new.len > 1)
        buf_append_text(out, "was ");
    text_append_hex(out, write->old);
    if (write->new.len == 1)
        buf_printf(out, " -> %02x", write->new.data[0]);
}

/* Who stored: a line of source, else an instruction, else a system call. */
static void tell_writer(struct text *text, const struct event *event)
{
    struct pen *pen = &text->pen;

    if (event_is_elsewhere(&event->write)) {
        pen_item(pen, INDENT, 31);
        pen_print(pen, ROLE_NOTE, "found changed, how was not seen");
    } else if (event->write.by) {
        pen_item(pen, INDENT, 15 + pen_width(event->write.by));
        pen_print(pen, ROLE_NOTE, "by the kernel: ");
        pen_cut(pen, ROLE_CALL, event->write.by);
    } else if (event->source.file) {
        pen_item(pen, INDENT, pen_width(event->source.file) + 20);
        text_source(text, event);
    } else if (event->write.text) {
        pen_item(pen, INDENT, pen_width(event->write.text));
        pen_cut(pen, ROLE_MNEMONIC, event->write.text);
    }
}

static void tell_store(struct text *text, const struct event *event)
{
    struct pen *pen = &text->pen;
    struct buf part = {0};

    append_store(&event->write, &part);
    pen_text(pen, ROLE_RESULT, buf_text(&part));
    buf_clear(&part);
    append_change(&event->write, &part);
    if (part.len > 0) {
        pen_item(pen, INDENT, part.len);
        if (pen->column > 0 && pen->column < STORE_COLUMN)
            pen_column(pen, STORE_COLUMN);
        pen_text(pen, ROLE_PLAIN, buf_text(&part));
    }
    buf_release(&part);
    tell_writer(text, event);
    pen_end(pen);
}

/* One row of the dump, up to its last written byte. */
static void write_row(struct text *text, uint64_t base, uint64_t row,
                      struct bytes store, uint64_t store_addr)
{
    const struct pages *pages = &text->view.pages;
    struct pen *pen = &text->pen;
    unsigned cells = ROW;

    while (cells > 0 && !pages_written(pages, row + cells - 1))
        cells--;
    pen_column(pen, 4);
    pen_print(pen, ROLE_ADDRESS, "%08llx:", (unsigned long long)(row - base));
    for (unsigned i = 0; i < cells; i++) {
        uint64_t addr = row + i;
        bool new = addr >= store_addr &&addr - store_addr < store.len;
        uint8_t byte;

        pages_read(pages, addr, 1, &byte);
        pen_column(pen, pen->column + 1);
        if (pages_written(pages, addr))
            pen_print(pen, new ? ROLE_BYTE_NEW : ROLE_BYTE, "%02x", byte);
        else
            pen_text(pen, ROLE_UNWRITTEN, "..");
    }
}

/* Whether the program stored all of [addr, end) lately. */
static bool all_stored(const struct text *text, uint64_t addr, uint64_t end)
{
    for (; addr < end; addr++)
        if (!pages_written(&text->stored, addr))
            return false;
    return true;
}

/* As insn_decode, on what the page holds at addr. */
static int decode_at(const struct text *text, uint64_t addr, struct insn *insn)
{
    uint8_t bytes[INSN_MAX_LENGTH];

    pages_read(&text->view.pages, addr, sizeof bytes, bytes);
    return insn_decode(bytes, sizeof bytes, addr, insn);
}

/*
 * Decodes the instruction that a store is a part of, if it can be known. Moves
 * the boundary over the instructions that are complete.
 */
static bool decode_around(struct text *text, uint64_t base, uint64_t store,
                          struct insn *insn)
{
    uint64_t *boundary = &text_area(text, base)->boundary;

    while (*boundary <= store) {
        if (!pages_written(&text->stored, *boundary) ||
            decode_at(text, *boundary, insn) <= 0)
            return false;
        if (store < *boundary + insn->length)
            return true;
        if (!all_stored(text, *boundary, *boundary + insn->length))
            return false;
        *boundary += insn->length;
    }
    return false;
}

static const struct insn_field *immediate_at(const struct insn *insn,
                                             uint64_t addr, size_t len)
{
    for (size_t i = 0; i < insn->field_count; i++) {
        const struct insn_field *field = &insn->fields[i];
        uint64_t start = insn->addr + field->offset;

        if (field->kind == FIELD_IMMEDIATE && addr >= start &&
            addr + len <= start + field->size)
            return field;
    }
    return NULL;
}

void text_append_bits(struct buf *out, uint8_t byte)
{
    for (int i = 7; i >= 0; i--)
        buf_append_text(out, byte >> i & 1 ? "1" : "0");
}

/* Which bits of an immediate a store holds, if that is known by now. */
static void tell_bits(struct text *text, uint64_t base, uint64_t addr,
                      struct bytes store)
{
    const struct insn_field *field;
    struct pen *pen = &text->pen;
    struct buf note = {0};
    struct insn insn;
    uint64_t start, low;

    if (!decode_around(text, base, addr, &insn))
        return;
    field = immediate_at(&insn, addr, store.len);
    if (!field)
        return;
    start = insn.addr + field->offset;
    if (!all_stored(text, insn.addr, start))
        return;
    pages_write(&text->explained, addr, store);
    low = 8 * (addr - start);
    buf_printf(&note, "imm bits %llu..%llu",
               (unsigned long long)(low + 8 * store.len - 1),
               (unsigned long long)low);
    if (store.len == 1) {
        buf_append_text(&note, " = ");
        text_append_bits(&note, store.data[0]);
    }
    if (pen->column + 2 + note.len > PEN_WIDTH)
        pen_end(pen);
    pen_gap(pen, NOTE_COLUMN);
    pen_text(pen, ROLE_IMMEDIATE, buf_text(&note));
    buf_release(&note);
}

static void tell_dump(struct text *text, uint64_t base, uint64_t addr,
                      struct bytes store)
{
    uint64_t row = addr - (addr - base) % ROW;

    for (unsigned rows = 0; row < addr + store.len; rows++, row += ROW) {
        if (rows > 0)
            pen_end(&text->pen);
        if (rows == ROWS_SHOWN) {
            pen_column(&text->pen, 4);
            pen_print(&text->pen, ROLE_NOTE, "... and %llu bytes more",
                      (unsigned long long)(addr + store.len - row));
            break;
        }
        write_row(text, base, row, store, addr);
    }
    tell_bits(text, base, addr, store);
    pen_end(&text->pen);
}

/* Says once where the memory is executed that is written to at base. */
static void tell_twin(struct text *text, uint64_t base, uint64_t twin)
{
    text_name_code(text, base);
    if (text->twin == twin)
        return;
    text->twin = twin;
    pen_print(&text->pen, ROLE_NOTE,
              "the same memory is mapped for execution at ");
    pen_print(&text->pen, ROLE_ADDRESS, "0x%llx", (unsigned long long)twin);
    pen_end(&text->pen);
}

void text_write(struct text *text, const struct event *event)
{
    const struct event_write *write = &event->write;
    uint64_t base = write->addr - write->offset;

    if (write->new.len == 0)
        return;
    text_note_fresh(text, base, write->addr, write->addr + write->new.len - 1);
    if (write->also.known)
        tell_twin(text, base, write->also.value - write->offset);
    text_name_code(text, base);
    if (view_is_inside(&text->view, event->tid)) {
        pen_column(&text->pen, 5);
        tell_store(text, event);
        return;
    }
    pages_write(&text->stored, write->addr, write->new);
    tell_store(text, event);
    tell_dump(text, base, write->addr, write->new);
}
