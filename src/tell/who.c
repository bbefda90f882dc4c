/* SPDX-License-Identifier: MIT */
/*
 * One byte: what it is, of which instruction, and how it came to be.
 *
 *     code[3], the byte at 0x7f4384645003: fc
 *         +0   48 c7 c0[fc]ff ff ff  mov rax, -4
 *         the lowest byte of the imm32 of mov, 0xfffffffc = -4
 *     event 1   00        mapped by mmap(NULL, 4096, ...), all zero
 *                         babyjit.c:62  uint8_t *code = mmap(NULL, size, ...
 *     event 5   00 -> fc  stored at main+0x127: mov byte ptr [rax], dl
 *                         (thread 4242)
 *                         babyjit.c:77  code[3] = (uint8_t)imm;
 *
 * Where an instruction begins is known for certain when it was executed. Else
 * the code is read from its beginning, which data may mislead; then it is said
 * that it was not seen being executed.
 */
#include "tell/who.h"

#include <string.h>

#include "tell/fields.h"
#include "tell/sweep.h"

#define INDENT 4u
#define COLUMN 22u /* of what is said of an event */

static void append_byte(bool known, uint8_t byte, struct buf *out)
{
    if (known)
        buf_printf(out, "%02x", byte);
    else
        buf_append_text(out, "\?\?");
}

/* --- the instruction ----------------------------------------------------- */

/* The instruction that a byte belongs to. */
struct part {
    struct insn insn;
    unsigned byte; /* which of its bytes */
    bool executed; /* as it is */
};

static bool decode_at(const struct view *view, uint64_t at, uint64_t addr,
                      struct part *part)
{
    uint8_t bytes[INSN_MAX_LENGTH];

    pages_read(&view->pages, at, sizeof bytes, bytes);
    if (insn_decode(bytes, sizeof bytes, at, &part->insn) <= 0 ||
        addr - at >= part->insn.length)
        return false;
    part->byte = (unsigned)(addr - at);
    return true;
}

/* Looks for the latest step that executed the byte, back to event `oldest`. */
static bool find_executed(const struct store *store, const struct view *view,
                          uint64_t oldest, uint64_t addr, struct part *part)
{
    struct unpacked unpacked = {0};
    bool found = false;

    for (uint64_t i = view->applied; !found && i-- > oldest;) {
        const struct event_step *step = &unpacked.event.step;

        store_read(store, i, &unpacked);
        if (unpacked.event.kind != EVENT_STEP ||
            addr - step->addr >= step->bytes.len ||
            !decode_at(view, step->addr, addr, part))
            continue;
        found = true;
        part->executed =
            part->insn.length == step->bytes.len &&
            !memcmp(part->insn.bytes, step->bytes.data, step->bytes.len);
    }
    unpacked_release(&unpacked);
    return found;
}

static bool find_part(const struct store *store, const struct view *view,
                      uint64_t oldest, uint64_t addr, struct part *part)
{
    enum sweep_found found;
    struct sweep sweep;

    *part = (struct part){0};
    if (!pages_written(&view->pages, addr))
        return false;
    if (find_executed(store, view, oldest, addr, part))
        return true;
    sweep_init(&sweep, &view->pages, addr, addr + 1);
    while ((found = sweep_next(&sweep)) != SWEEP_END)
        if (found == SWEEP_INSN && addr - sweep.insn.addr < sweep.insn.length)
            return decode_at(view, sweep.insn.addr, addr, part);
    return false;
}

static const struct insn_field *field_at(const struct insn *insn, unsigned byte)
{
    for (unsigned i = 0; i < insn->field_count; i++)
        if (byte - insn->fields[i].offset < insn->fields[i].size)
            return &insn->fields[i];
    return NULL;
}

/* "W=1 R=0 X=0 B=0", "mod=11 reg=000 rm=000", or what a prefix means. */
static void append_bits(const struct insn *insn, unsigned byte, struct buf *out)
{
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count = insn_split(insn, bits);
    const char *joint = ": ";

    for (size_t i = 0; i < count; i++) {
        bool fixed = strspn(bits[i].label, "01") == strlen(bits[i].label);

        if (bits[i].byte != byte || fixed || !strcmp(bits[i].label, "opcode"))
            continue;
        buf_printf(out, "%s%s", joint, bits[i].label);
        if (bits[i].width < 8)
            buf_append_text(out, "=");
        for (unsigned bit = bits[i].width; bits[i].width < 8 && bit-- > 0;)
            buf_append_text(out, bits[i].value >> bit & 1 ? "1" : "0");
        joint = " ";
    }
}

/* "the lowest byte of the imm32, 0xfffffffc = -4" */
static void append_number(const struct insn *insn,
                          const struct insn_field *field, unsigned at,
                          struct buf *out)
{
    if (field->size == 1)
        buf_append_text(out, "the ");
    else if (at == 0)
        buf_append_text(out, "the lowest byte of the ");
    else if (at + 1 == field->size)
        buf_append_text(out, "the highest byte of the ");
    else
        buf_printf(out, "bits %u..%u of the ", 8 * at + 7, 8 * at);
    field_name(field, out);
    buf_printf(out, " of %s, ", insn->mnemonic);
    fields_value(field, out);
    if (field->is_relative)
        buf_printf(out, ", from the end of the instruction to 0x%llx",
                   (unsigned long long)(insn->addr + insn->length +
                                        (uint64_t)field->value));
}

/* What a byte of an instruction is for. */
static void append_purpose(const struct part *part, struct buf *out)
{
    const struct insn_field *field = field_at(&part->insn, part->byte);
    unsigned at;

    if (!field)
        return;
    at = part->byte - field->offset;
    if (field->kind == FIELD_DISPLACEMENT || field->kind == FIELD_IMMEDIATE) {
        append_number(&part->insn, field, at, out);
        return;
    }
    if (field->kind == FIELD_PREFIX)
        buf_append_text(out, "a prefix");
    else if (field->size > 1)
        buf_printf(out, "byte %u of %u of the ", at + 1, field->size);
    else
        buf_append_text(out, "the ");
    if (field->kind != FIELD_PREFIX)
        field_name(field, out);
    if (field->kind == FIELD_REX || field->kind == FIELD_VEX)
        buf_append_text(out, " prefix");
    buf_printf(out, " of %s", part->insn.mnemonic);
    append_bits(&part->insn, part->byte, out);
}

/* "+0   48 c7 c0[fc]ff ff ff  mov rax, -4" */
static void write_insn(struct pen *pen, const struct part *part, uint64_t base)
{
    const struct insn *insn = &part->insn;

    pen_column(pen, INDENT);
    pen_print(pen, ROLE_ADDRESS, "+%llu",
              (unsigned long long)(insn->addr - base));
    if (pen->column < INDENT + 4)
        pen_column(pen, INDENT + 4);
    for (unsigned i = 0; i < insn->length; i++) {
        const struct insn_field *field = field_at(insn, i);
        bool is_it = i == part->byte;

        pen_text(pen, ROLE_BYTE_NEW,
                 is_it                          ? "["
                 : i > 0 && i - 1 == part->byte ? "]"
                                                : " ");
        pen_print(pen,
                  is_it   ? ROLE_BYTE_NEW
                  : field ? style_field(field->kind)
                          : ROLE_BYTE,
                  "%02x", insn->bytes[i]);
    }
    if (part->byte + 1u == insn->length)
        pen_text(pen, ROLE_BYTE_NEW, "]");
    pen_gap(pen, 0);
    pen_cut(pen, ROLE_MNEMONIC, insn->text);
    pen_end(pen);
}

static void write_part(struct pen *pen, const struct store *store,
                       const struct view *view, uint64_t oldest, uint64_t addr,
                       uint64_t base)
{
    struct buf purpose = {0};
    struct part part;

    if (!find_part(store, view, oldest, addr, &part)) {
        pen_column(pen, INDENT);
        pen_words(pen, ROLE_NOTE, INDENT,
                  pages_written(&view->pages, addr)
                      ? "of no instruction, as far as can be told"
                      : "nothing was seen being stored there");
        return;
    }
    write_insn(pen, &part, base);
    append_purpose(&part, &purpose);
    if (!part.executed)
        buf_append_text(&purpose, " (not seen being executed)");
    pen_column(pen, INDENT);
    pen_words(pen, ROLE_NOTE, INDENT, buf_text(&purpose));
    buf_release(&purpose);
}

/* --- changes ------------------------------------------------------------- */

/* Addresses are the names of places in generated code. */
static bool is_generated(const struct origin *origin)
{
    return origin->symbol ? !strncmp(origin->symbol, "0x", 2)
                          : origin->event == EVENT_STEP;
}

static void append_place(const struct origin *origin, struct buf *out)
{
    buf_append_text(out, is_generated(origin) ? " by generated code at "
                         : origin->symbol     ? " at "
                                              : " by the instruction at ");
    if (origin->symbol)
        buf_append_text(out, origin->symbol);
    else
        buf_printf(out, "0x%llx", (unsigned long long)origin->pc);
}

static const char *found_when(const struct origin *origin)
{
    switch (origin->event) {
    case EVENT_PROTECT:
        return "when the protection was changed";
    case EVENT_ENTER:
        return "when the code was entered";
    case EVENT_STEP:
        return "when it was executed";
    default:
        return origin->call ? "changed" : "when the next store came";
    }
}

static void append_change(const struct origin *origin, struct buf *out)
{
    const char *call = origin->call ? origin->call : "?";

    switch (origin->kind) {
    case ORIGIN_MAPPED:
        if (!origin->call)
            buf_append_text(out, "memory that was there before");
        else
            buf_printf(out, "mapped by %s", call);
        buf_append_text(out, origin->new_known ? ", all zero"
                                               : "; what it held was not seen");
        break;
    case ORIGIN_MOVED:
        buf_printf(out, "moved by %s", call);
        break;
    case ORIGIN_STORE:
        buf_append_text(out, "stored");
        append_place(origin, out);
        if (origin->text)
            buf_printf(out, ": %s", origin->text);
        break;
    case ORIGIN_KERNEL:
        buf_printf(out, "written by the kernel: %s, called", call);
        append_place(origin, out);
        break;
    case ORIGIN_FOUND:
        buf_printf(out, "found %s; nobody was seen storing it",
                   found_when(origin));
        break;
    case ORIGIN_UNMAPPED:
        buf_printf(out, "unmapped by %s", call);
        break;
    }
    buf_printf(out, " (thread %d)", origin->tid);
}

static void append_values(const struct origin *origin, struct buf *out)
{
    if (origin->kind != ORIGIN_MAPPED && origin->kind != ORIGIN_MOVED) {
        append_byte(origin->old_known, origin->old_byte, out);
        if (origin->kind != ORIGIN_UNMAPPED)
            buf_append_text(out, " -> ");
    }
    if (origin->kind != ORIGIN_UNMAPPED)
        append_byte(origin->new_known, origin->new_byte, out);
}

static void write_change(struct pen *pen, const struct origin *origin)
{
    struct buf text = {0};

    pen_print(pen, ROLE_ADDRESS, "event %llu", (unsigned long long)origin->seq);
    append_values(origin, &text);
    pen_gap(pen, COLUMN - 10);
    pen_text(pen, ROLE_RESULT, buf_text(&text));
    buf_clear(&text);
    append_change(origin, &text);
    pen_gap(pen, COLUMN);
    pen_words(pen, ROLE_PLAIN, COLUMN, buf_text(&text));
    buf_release(&text);
    if (!origin->source.file)
        return;
    pen_column(pen, COLUMN);
    pen_print(pen, ROLE_SOURCE, "%s:%d", origin->source.file,
              origin->source.line);
    if (origin->source.text) {
        pen_gap(pen, 0);
        pen_cut(pen, ROLE_SOURCE, origin->source.text);
    }
    pen_end(pen);
}

/* --- all of it ----------------------------------------------------------- */

/* The mapping that the byte is in began with it. */
static uint64_t oldest_of(const struct origins *origins, size_t count)
{
    uint64_t oldest = 0;

    for (size_t i = 0; i < count; i++)
        if (origins->list[i].kind == ORIGIN_MAPPED ||
            origins->list[i].kind == ORIGIN_MOVED)
            oldest = origins->list[i].seq;
    return oldest;
}

void who_write(struct pen *pen, const struct store *store,
               const struct origins *origins, uint64_t seq, uint64_t base,
               const struct view *view)
{
    size_t count = origins_until(origins, seq);
    const struct origin *last = count > 0 ? &origins->list[count - 1] : NULL;
    bool gone = last && last->kind == ORIGIN_UNMAPPED;
    struct buf byte = {0};

    pen_print(pen, ROLE_HEADING, "code[%llu]",
              (unsigned long long)(origins->addr - base));
    pen_text(pen, ROLE_PLAIN, ", the byte at ");
    pen_print(pen, ROLE_ADDRESS, "0x%llx", (unsigned long long)origins->addr);
    if (gone)
        append_byte(last->old_known, last->old_byte, &byte);
    else
        append_byte(last && last->new_known, last ? last->new_byte : 0, &byte);
    pen_text(pen, ROLE_PLAIN, ": ");
    pen_text(pen, ROLE_BYTE_NEW, buf_text(&byte));
    if (gone)
        pen_text(pen, ROLE_NOTE, ", until it was unmapped");
    pen_end(pen);
    buf_release(&byte);
    write_part(pen, store, view, oldest_of(origins, count), origins->addr,
               base);
    for (size_t i = 0; i < count; i++)
        write_change(pen, &origins->list[i]);
}

/* --- in one line --------------------------------------------------------- */

/* What a change is, where the place of who made it follows. */
static void append_deed(const struct origin *origin, struct buf *out)
{
    switch (origin->kind) {
    case ORIGIN_STORE:
        break;
    case ORIGIN_KERNEL:
        buf_printf(out, "  by the kernel: %s", origin->call);
        break;
    case ORIGIN_FOUND:
        buf_printf(out, "  found %s", found_when(origin));
        break;
    case ORIGIN_MAPPED:
        buf_append_text(out, origin->call ? "  mapped" : "  was there before");
        break;
    case ORIGIN_MOVED:
        buf_append_text(out, "  moved here");
        break;
    case ORIGIN_UNMAPPED:
        buf_append_text(out, "  unmapped");
        break;
    }
}

void who_line(const struct origins *origins, uint64_t seq, uint64_t base,
              struct buf *out)
{
    size_t count = origins_until(origins, seq);
    const struct origin *origin = count ? &origins->list[count - 1] : NULL;

    buf_printf(out, "code[%llu]", (unsigned long long)(origins->addr - base));
    if (!origin) {
        buf_append_text(out, "  no event so far is about this byte");
        return;
    }
    buf_printf(out, "  event %llu: ", (unsigned long long)origin->seq);
    append_values(origin, out);
    append_deed(origin, out);
    if (origin->source.file)
        buf_printf(out, "  %s:%d", origin->source.file, origin->source.line);
    if (is_generated(origin) && (origin->symbol || origin->pc))
        buf_append_text(out, "  generated code at");
    if (origin->symbol)
        buf_printf(out, "  %s", origin->symbol);
    else if (origin->pc)
        buf_printf(out, "  0x%llx", (unsigned long long)origin->pc);
    buf_printf(out, "  thread %d", origin->tid);
    if (origins->count > count)
        buf_printf(out, "  (later: %zu)", origins->count - count);
}
