/* SPDX-License-Identifier: MIT */
/*
 * pack.c - the packed form of an event:
 *
 *     byte     kind in the low four bits, in the others what follows of
 *     [seq] [tid] [source: file line text] [excerpt and its line]
 *     the fields of its kind, in the order of event.def
 *
 *   type            packed as
 *   number          a varint: seven bits a byte, the lowest first, the top bit
 *                   says that more follow; at most ten bytes
 *   signed          a number, after 0 -1 1 -2 2 ... became 0 1 2 3 4 ... Most
 *                   register values are small, negative ones too.
 *   ADDR, accesses  signed, the distance to the address before it in the event
 *   SIZE, PROT      number
 *   INT, REGS       signed
 *   OPT, OPTINT, OPTREGS
 *                   0, or 1 and signed
 *   TEXT            0, or the number of the word plus 1; without words 0, or
 *                   the length plus 1, the text and a NUL
 *   BYTES           0, or the length plus 1 and the bytes as they are
 *   CHANGES         count; register, signed old value, signed difference
 *   TEXTS, READS, WRITES
 *                   count; the elements
 *
 * All arithmetic wraps around, so that there is no value that does not fit.
 */
#include "trace/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    KIND_BITS = 0x0f,
    HAS_SEQ = 0x10,
    HAS_TID = 0x20,
    HAS_SOURCE = 0x40,
    HAS_EXCERPT = 0x80,
};
_Static_assert(EVENT_KINDS <= KIND_BITS + 1, "a kind must fit in its bits");

#define VARINT_MAX 10

/* --- Packing ------------------------------------------------------------- */

struct packing {
    struct words *words;
    struct buf *out;
    uint64_t addr; /* the last one of this event */
};

static void put(struct packing *to, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    size_t len = 0;

    for (; value > 0x7f; value >>= 7)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)value;
    buf_append(to->out, bytes, len);
}

static void put_signed(struct packing *to, uint64_t value)
{
    put(to, value << 1 ^ (value >> 63 ? UINT64_MAX : 0));
}

static void put_addr(struct packing *to, uint64_t addr)
{
    put_signed(to, addr - to->addr);
    to->addr = addr;
}

static void put_text(struct packing *to, const char *text)
{
    if (!text || to->words) {
        put(to, text ? (uint64_t)words_number(to->words, text) + 1 : 0);
        return;
    }
    put(to, (uint64_t)strlen(text) + 1);
    buf_append(to->out, text, strlen(text) + 1);
}

static void put_bytes(struct packing *to, struct bytes bytes)
{
    put(to, bytes.data ? (uint64_t)bytes.len + 1 : 0);
    if (bytes.data)
        buf_append(to->out, bytes.data, bytes.len);
}

static void put_opt(struct packing *to, struct opt_u64 value)
{
    put(to, value.known);
    if (value.known)
        put_signed(to, value.value);
}

static void put_texts(struct packing *to, struct texts texts)
{
    put(to, texts.count);
    for (size_t i = 0; i < texts.count; i++)
        put_text(to, texts.list[i]);
}

static void put_regs(struct packing *to, const struct regs *regs)
{
    for (int reg = 0; reg < REG_COUNT; reg++)
        put_signed(to, regs->value[reg]);
}

static void put_opt_regs(struct packing *to, const struct opt_regs *regs)
{
    put(to, regs->known);
    if (regs->known)
        put_regs(to, &regs->value);
}

static void put_changes(struct packing *to, struct reg_changes changes)
{
    put(to, changes.count);
    for (size_t i = 0; i < changes.count; i++) {
        const struct reg_change *change = &changes.list[i];

        put(to, change->reg);
        put_signed(to, change->old_value);
        put_signed(to, change->new_value - change->old_value);
    }
}

static void put_accesses(struct packing *to, struct mem_accesses accesses)
{
    put(to, accesses.count);
    for (size_t i = 0; i < accesses.count; i++) {
        put_addr(to, accesses.list[i].addr);
        put_bytes(to, accesses.list[i].old_bytes);
        put_bytes(to, accesses.list[i].new_bytes);
    }
}

static void put_field(struct packing *to, enum field_type type,
                      const void *field)
{
    switch (type) {
    case FIELD_TYPE_ADDR:
        put_addr(to, *(const uint64_t *)field);
        break;
    case FIELD_TYPE_SIZE:
        put(to, *(const uint64_t *)field);
        break;
    case FIELD_TYPE_INT:
        put_signed(to, *(const uint64_t *)field); /* the same bits */
        break;
    case FIELD_TYPE_PROT:
        put(to, *(const unsigned *)field);
        break;
    case FIELD_TYPE_OPT:
    case FIELD_TYPE_OPTINT:
        put_opt(to, *(const struct opt_u64 *)field);
        break;
    case FIELD_TYPE_TEXT:
        put_text(to, *(const char *const *)field);
        break;
    case FIELD_TYPE_TEXTS:
        put_texts(to, *(const struct texts *)field);
        break;
    case FIELD_TYPE_BYTES:
        put_bytes(to, *(const struct bytes *)field);
        break;
    case FIELD_TYPE_REGS:
        put_regs(to, field);
        break;
    case FIELD_TYPE_OPTREGS:
        put_opt_regs(to, field);
        break;
    case FIELD_TYPE_CHANGES:
        put_changes(to, *(const struct reg_changes *)field);
        break;
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        put_accesses(to, *(const struct mem_accesses *)field);
        break;
    }
}

/* Kind, number, thread and source. */
static void put_head(struct packing *to, const struct event *event,
                     struct pack_usual usual)
{
    const struct srcline *source = &event->source;
    bool has_source = source->file || source->text || source->line;
    uint8_t head =
        (uint8_t)(event->kind | (event->seq != usual.seq ? HAS_SEQ : 0) |
                  (event->tid != usual.tid ? HAS_TID : 0) |
                  (has_source ? HAS_SOURCE : 0) |
                  (source->excerpt ? HAS_EXCERPT : 0));

    buf_append(to->out, &head, 1);
    if (head & HAS_SEQ)
        put(to, event->seq);
    if (head & HAS_TID)
        put_signed(to, (uint64_t)event->tid);
    if (head & HAS_SOURCE) {
        put_text(to, source->file);
        put_signed(to, (uint64_t)source->line);
        put_text(to, source->text);
    }
    if (head & HAS_EXCERPT) {
        put_text(to, source->excerpt);
        put_signed(to, (uint64_t)source->excerpt_line);
    }
}

void pack_event(const struct event *event, struct pack_usual usual,
                struct words *words, struct buf *out)
{
    struct packing to = {words, out, 0};
    size_t count;
    const struct event_field *fields = event_fields(event->kind, &count);

    put_head(&to, event, usual);
    for (size_t i = 0; i < count; i++)
        put_field(&to, fields[i].type, (const char *)event + fields[i].offset);
}

/* --- Unpacking ----------------------------------------------------------- */

struct unpacking {
    const uint8_t *at;
    const struct words *words;
    struct unpacked *out;
    unsigned lists; /* how many of out's have been taken */
    uint64_t addr;
};

void unpacked_release(struct unpacked *unpacked)
{
    for (size_t i = 0; i < PACK_LISTS; i++)
        free(unpacked->list[i].memory);
    *unpacked = (struct unpacked){0};
}

static uint64_t get(struct unpacking *from)
{
    uint64_t value = *from->at & 0x7f;

    for (unsigned shift = 7; *from->at++ & 0x80; shift += 7)
        value |= (uint64_t)(*from->at & 0x7f) << shift;
    return value;
}

static uint64_t get_signed(struct unpacking *from)
{
    uint64_t value = get(from);

    return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

static uint64_t get_addr(struct unpacking *from)
{
    return from->addr += get_signed(from);
}

static const char *get_text(struct unpacking *from)
{
    uint64_t number = get(from);
    const char *text = (const char *)from->at;

    if (number == 0 || from->words)
        return number ? words_text(from->words, (uint32_t)(number - 1)) : NULL;
    from->at += number;
    return text;
}

static struct bytes get_bytes(struct unpacking *from)
{
    struct bytes bytes = {NULL, get(from)};

    if (bytes.len > 0) {
        bytes.data = from->at;
        from->at += --bytes.len;
    }
    return bytes;
}

static struct opt_u64 get_opt(struct unpacking *from)
{
    struct opt_u64 value = {get(from), 0};

    if (value.known)
        value.value = get_signed(from);
    return value;
}

/* Room for a list of the event, with what happens to be in it. */
static void *get_list(struct unpacking *from, size_t count, size_t size)
{
    unsigned n = from->lists++;

    BUG_UNLESS(n < PACK_LISTS);
    if (count > from->out->list[n].size / size) {
        free(from->out->list[n].memory);
        from->out->list[n].memory = mem_resize(NULL, count, size);
        from->out->list[n].size = count * size;
    }
    return from->out->list[n].memory;
}

static struct texts get_texts(struct unpacking *from)
{
    size_t count = get(from);
    const char **list = get_list(from, count, sizeof *list);

    for (size_t i = 0; i < count; i++)
        list[i] = get_text(from);
    return (struct texts){list, count};
}

static void get_regs(struct unpacking *from, struct regs *regs)
{
    for (int reg = 0; reg < REG_COUNT; reg++)
        regs->value[reg] = get_signed(from);
}

static void get_opt_regs(struct unpacking *from, struct opt_regs *regs)
{
    regs->known = get(from);
    if (regs->known)
        get_regs(from, &regs->value);
}

static struct reg_changes get_changes(struct unpacking *from)
{
    size_t count = get(from);
    struct reg_change *list = get_list(from, count, sizeof *list);

    for (size_t i = 0; i < count; i++) {
        list[i].reg = (enum reg)get(from);
        list[i].old_value = get_signed(from);
        list[i].new_value = list[i].old_value + get_signed(from);
    }
    return (struct reg_changes){list, count};
}

static struct mem_accesses get_accesses(struct unpacking *from)
{
    size_t count = get(from);
    struct mem_access *list = get_list(from, count, sizeof *list);

    for (size_t i = 0; i < count; i++) {
        list[i].addr = get_addr(from);
        list[i].old_bytes = get_bytes(from);
        list[i].new_bytes = get_bytes(from);
    }
    return (struct mem_accesses){list, count};
}

static void get_field(struct unpacking *from, enum field_type type, void *field)
{
    switch (type) {
    case FIELD_TYPE_ADDR:
        *(uint64_t *)field = get_addr(from);
        break;
    case FIELD_TYPE_SIZE:
        *(uint64_t *)field = get(from);
        break;
    case FIELD_TYPE_INT:
        *(uint64_t *)field = get_signed(from);
        break;
    case FIELD_TYPE_PROT:
        *(unsigned *)field = (unsigned)get(from);
        break;
    case FIELD_TYPE_OPT:
    case FIELD_TYPE_OPTINT:
        *(struct opt_u64 *)field = get_opt(from);
        break;
    case FIELD_TYPE_TEXT:
        *(const char **)field = get_text(from);
        break;
    case FIELD_TYPE_TEXTS:
        *(struct texts *)field = get_texts(from);
        break;
    case FIELD_TYPE_BYTES:
        *(struct bytes *)field = get_bytes(from);
        break;
    case FIELD_TYPE_REGS:
        get_regs(from, field);
        break;
    case FIELD_TYPE_OPTREGS:
        get_opt_regs(from, field);
        break;
    case FIELD_TYPE_CHANGES:
        *(struct reg_changes *)field = get_changes(from);
        break;
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        *(struct mem_accesses *)field = get_accesses(from);
        break;
    }
}

static void get_head(struct unpacking *from, struct pack_usual usual)
{
    struct event *event = &from->out->event;
    uint8_t head = *from->at++;

    *event = (struct event){.kind = (enum event_kind)(head & KIND_BITS)};
    event->seq = head & HAS_SEQ ? get(from) : usual.seq;
    event->tid = head & HAS_TID ? (int)get_signed(from) : usual.tid;
    if (head & HAS_SOURCE) {
        event->source.file = get_text(from);
        event->source.line = (int)get_signed(from);
        event->source.text = get_text(from);
    }
    if (head & HAS_EXCERPT) {
        event->source.excerpt = get_text(from);
        event->source.excerpt_line = (int)get_signed(from);
    }
}

void unpack_event(const uint8_t *packed, struct pack_usual usual,
                  const struct words *words, struct unpacked *out)
{
    struct unpacking from = {.at = packed, .words = words, .out = out};
    const struct event_field *fields;
    size_t count;

    get_head(&from, usual);
    fields = event_fields(out->event.kind, &count);
    for (size_t i = 0; i < count; i++)
        get_field(&from, fields[i].type,
                  (char *)&out->event + fields[i].offset);
}
