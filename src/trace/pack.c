/* SPDX-License-Identifier: MIT */
/*
 * pack.c - the packed form of an event:
 *
 *     byte     kind in the low five bits, in the others what follows of
 *     [rest: a byte that says what follows of the others]
 *     [seq] [tid] [pid] [source: file line text] [excerpt and its line]
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
 *   TEXT            0, or the number of the word plus 1
 *   BYTES           0, or the length plus 1 and the bytes as they are; of the
 *                   stack nothing where stack_at is not known
 *   CHANGES         count; register, signed old value, signed difference
 *   VREGS, VALUES   count; register, old bytes, new bytes
 *   TEXTS, READS, WRITES, CALLERS
 *                   count; the elements
 *   CALLEE          its texts
 *   ROWS            count; the distance to the offset before, file, signed line
 *
 * All arithmetic wraps around, so that there is no value that does not fit.
 *
 * The form is written down once, for both ways: each code_...() takes a value
 * and returns it, packed on the way, or the one that it unpacks.
 */
#include "trace/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* --- words ---------------------------------------------------------------- */

/* A hash table with open addressing (a text is in the first free slot from its
 * hash on), at most three quarters full. Texts lie one behind another in blocks
 * that never move. */
#define BLOCK_SIZE 16384u
#define SLOTS      64u /* at first; always a power of two */

struct words_block {
    struct words_block *next;
    size_t used;
    size_t size;
    char text[];
};

void words_release(struct words *words)
{
    while (words->blocks) {
        struct words_block *next = words->blocks->next;

        free(words->blocks);
        words->blocks = next;
    }
    free(words->list);
    free(words->slots);
    *words = (struct words){0};
}

/* With a last mix of the high bits. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = hash_bytes(HASH_OF_NOTHING, text, strlen(text));

    return hash ^ hash >> 32;
}

/* The slot that has the text, or the free one where it belongs. */
static uint32_t *slot_of(const struct words *words, const char *text)
{
    size_t mask = words->slot_count - 1, i = hash_of(text) & mask;

    while (words->slots[i] &&
           strcmp(words->list[words->slots[i] - 1], text) != 0)
        i = (i + 1) & mask;
    return &words->slots[i];
}

static void grow_slots(struct words *words)
{
    words->slot_count = words->slot_count ? 2 * words->slot_count : SLOTS;
    free(words->slots);
    words->slots = mem_alloc(words->slot_count * sizeof *words->slots);
    for (size_t i = 0; i < words->count; i++)
        *slot_of(words, words->list[i]) = (uint32_t)i + 1;
}

uint32_t words_number(struct words *words, const char *text)
{
    struct words_block *block = words->blocks;
    size_t size = strlen(text) + 1, room = BLOCK_SIZE;
    uint32_t *slot;

    if (words->count >= words->slot_count / 4 * 3)
        grow_slots(words);
    slot = slot_of(words, text);
    if (*slot > 0)
        return *slot - 1;
    BUG_UNLESS(words->count < UINT32_MAX);
    if (!block || block->size - block->used < size) {
        room = size > room ? size : room;
        block = mem_resize(NULL, sizeof *block + room, 1);
        *block = (struct words_block){words->blocks, 0, room};
        words->blocks = block;
        words->block_bytes += sizeof *block + room;
    }
    words->list = mem_grow(words->list, words->count, &words->capacity,
                           sizeof *words->list);
    words->list[words->count++] = memcpy(block->text + block->used, text, size);
    block->used += size;
    *slot = (uint32_t)words->count;
    return *slot - 1;
}

const char *words_text(const struct words *words, uint32_t number)
{
    BUG_UNLESS(number < words->count);
    return words->list[number];
}

size_t words_memory(const struct words *words)
{
    return words->block_bytes + words->capacity * sizeof *words->list +
           words->slot_count * sizeof *words->slots;
}

/* --- the packed form ------------------------------------------------------ */

enum {
    KIND_BITS = 0x1f,
    HAS_TID = 0x20,
    HAS_SOURCE = 0x40,
    HAS_REST = 0x80, /* the second byte, which is the first of these */
    HAS_SEQ = 0x100,
    HAS_PID = 0x200,
    HAS_EXCERPT = 0x400,
};
_Static_assert(EVENT_KINDS <= KIND_BITS + 1, "a kind must fit in its bits");

#define VARINT_MAX 10

struct coder {
    struct words *words;
    struct buf *out;     /* to pack to, or NULL */
    const uint8_t *at;   /* to unpack from */
    struct unpacked *to; /* whose lists are used */
    unsigned lists;      /* how many of them have been */
    uint64_t addr;       /* the last one of this event */
};

static uint64_t code(struct coder *coder, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    uint64_t rest = value;
    size_t len = 0;

    if (!coder->out) {
        value = *coder->at & 0x7f;
        for (unsigned shift = 7; *coder->at++ & 0x80; shift += 7)
            value |= (uint64_t)(*coder->at & 0x7f) << shift;
        return value;
    }
    for (; rest > 0x7f; rest >>= 7)
        bytes[len++] = (uint8_t)(rest | 0x80);
    bytes[len++] = (uint8_t)rest;
    buf_append(coder->out, bytes, len);
    return value;
}

static uint64_t code_signed(struct coder *coder, uint64_t value)
{
    uint64_t coded = code(coder, value << 1 ^ (value >> 63 ? UINT64_MAX : 0));

    return coded >> 1 ^ (coded & 1 ? UINT64_MAX : 0);
}

static uint64_t code_addr(struct coder *coder, uint64_t addr)
{
    return coder->addr += code_signed(coder, addr - coder->addr);
}

static struct bytes code_bytes(struct coder *coder, struct bytes bytes)
{
    uint64_t size = code(coder, bytes.data ? (uint64_t)bytes.len + 1 : 0);

    if (size == 0)
        return (struct bytes){NULL, 0};
    if (coder->out) {
        buf_append(coder->out, bytes.data, bytes.len);
        return bytes;
    }
    coder->at += size - 1;
    return (struct bytes){coder->at - (size - 1), size - 1};
}

static const char *code_text(struct coder *coder, const char *text)
{
    uint64_t number = 0;

    if (coder->out && text)
        number = (uint64_t)words_number(coder->words, text) + 1;
    number = code(coder, number);
    return number ? words_text(coder->words, (uint32_t)(number - 1)) : NULL;
}

static struct opt_u64 code_opt(struct coder *coder, struct opt_u64 value)
{
    value.known = code(coder, value.known);
    if (value.known)
        value.value = code_signed(coder, value.value);
    return value;
}

static void code_regs(struct coder *coder, struct regs *regs)
{
    for (int reg = 0; reg < REG_COUNT; reg++)
        regs->value[reg] = code_signed(coder, regs->value[reg]);
}

/* A list's count, then the list; what is in it is coded by the caller. */
static void *code_list(struct coder *coder, const void *list, size_t *count,
                       size_t size)
{
    unsigned n = coder->lists++;

    *count = code(coder, *count);
    if (coder->out)
        return (void *)list;
    BUG_UNLESS(n < PACK_LISTS);
    if (*count > coder->to->list[n].size / size) {
        free(coder->to->list[n].memory);
        coder->to->list[n].memory = mem_alloc(*count * size);
        coder->to->list[n].size = *count * size;
    }
    return coder->to->list[n].memory;
}

static void code_texts(struct coder *coder, struct texts *texts)
{
    const char **list =
        code_list(coder, texts->list, &texts->count, sizeof *list);

    for (size_t i = 0; i < texts->count; i++) {
        const char *text = code_text(coder, list[i]);

        if (!coder->out)
            list[i] = text;
    }
    texts->list = list;
}

static void code_changes(struct coder *coder, struct reg_changes *changes)
{
    struct reg_change *list =
        code_list(coder, changes->list, &changes->count, sizeof *list);

    for (size_t i = 0; i < changes->count; i++) {
        struct reg_change change = list[i];

        change.reg = (enum reg)code(coder, change.reg);
        change.new_value -= change.old_value;
        change.old_value = code_signed(coder, change.old_value);
        change.new_value =
            change.old_value + code_signed(coder, change.new_value);
        if (!coder->out)
            list[i] = change;
    }
    changes->list = list;
}

static void code_vregs(struct coder *coder, struct vreg_changes *changes)
{
    struct vreg_change *list =
        code_list(coder, changes->list, &changes->count, sizeof *list);

    for (size_t i = 0; i < changes->count; i++) {
        struct vreg_change change = list[i];

        change.reg = (enum vreg)code(coder, change.reg);
        change.old_bytes = code_bytes(coder, change.old_bytes);
        change.new_bytes = code_bytes(coder, change.new_bytes);
        if (!coder->out)
            list[i] = change;
    }
    changes->list = list;
}

static void code_accesses(struct coder *coder, struct mem_accesses *accesses)
{
    struct mem_access *list =
        code_list(coder, accesses->list, &accesses->count, sizeof *list);

    for (size_t i = 0; i < accesses->count; i++) {
        struct mem_access access = list[i];

        access.addr = code_addr(coder, access.addr);
        access.old_bytes = code_bytes(coder, access.old_bytes);
        access.new_bytes = code_bytes(coder, access.new_bytes);
        if (!coder->out)
            list[i] = access;
    }
    accesses->list = list;
}

static void code_source(struct coder *coder, struct srcline *source)
{
    source->file = code_text(coder, source->file);
    source->line = (int)code_signed(coder, (uint64_t)source->line);
    source->text = code_text(coder, source->text);
}

static void code_callers(struct coder *coder, struct callers *callers)
{
    struct caller *list =
        code_list(coder, callers->list, &callers->count, sizeof *list);

    for (size_t i = 0; i < callers->count; i++) {
        struct caller caller = {0};

        if (coder->out)
            caller = list[i];
        code_source(coder, &caller.source);
        caller.symbol = code_text(coder, caller.symbol);
        if (!coder->out)
            list[i] = caller;
    }
    callers->list = list;
}

static void code_callee(struct coder *coder, struct callee *callee)
{
    callee->symbol = code_text(coder, callee->symbol);
    if (!callee->symbol)
        return;
    callee->module = code_text(coder, callee->module);
    callee->known_by = code_text(coder, callee->known_by);
    code_texts(coder, &callee->params);
    callee->result = code_text(coder, callee->result);
}

static void code_rows(struct coder *coder, struct line_rows *rows)
{
    struct line_row *list =
        code_list(coder, rows->list, &rows->count, sizeof *list);
    uint64_t offset = 0;

    for (size_t i = 0; i < rows->count; i++) {
        struct line_row row = {0};

        if (coder->out)
            row = list[i];
        offset += code(coder, row.offset - offset);
        row.offset = offset;
        row.file = code_text(coder, row.file);
        row.line = (int)code_signed(coder, (uint64_t)row.line);
        if (!coder->out)
            list[i] = row;
    }
    rows->list = list;
}

static void code_field(struct coder *coder, enum field_type type, void *field)
{
    uint64_t *number = field; /* of most types, or their bits */
    struct opt_regs *regs = field;

    switch (type) {
    case FIELD_TYPE_ADDR:
        *number = code_addr(coder, *number);
        break;
    case FIELD_TYPE_SIZE:
        *number = code(coder, *number);
        break;
    case FIELD_TYPE_INT:
        *number = code_signed(coder, *number);
        break;
    case FIELD_TYPE_PROT:
        *(unsigned *)field = (unsigned)code(coder, *(unsigned *)field);
        break;
    case FIELD_TYPE_OPT:
    case FIELD_TYPE_OPTINT:
        *(struct opt_u64 *)field = code_opt(coder, *(struct opt_u64 *)field);
        break;
    case FIELD_TYPE_TEXT:
        *(const char **)field = code_text(coder, *(const char **)field);
        break;
    case FIELD_TYPE_TEXTS:
        code_texts(coder, field);
        break;
    case FIELD_TYPE_BYTES:
        *(struct bytes *)field = code_bytes(coder, *(struct bytes *)field);
        break;
    case FIELD_TYPE_REGS:
        code_regs(coder, field);
        break;
    case FIELD_TYPE_OPTREGS:
        regs->known = code(coder, regs->known);
        if (regs->known)
            code_regs(coder, &regs->value);
        break;
    case FIELD_TYPE_CHANGES:
        code_changes(coder, field);
        break;
    case FIELD_TYPE_VREGS:
    case FIELD_TYPE_VALUES:
        code_vregs(coder, field);
        break;
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        code_accesses(coder, field);
        break;
    case FIELD_TYPE_CALLERS:
        code_callers(coder, field);
        break;
    case FIELD_TYPE_CALLEE:
        code_callee(coder, field);
        break;
    case FIELD_TYPE_ROWS:
        code_rows(coder, field);
        break;
    }
}

/* Whether a field has nothing to say, the number i of its kind: the stack, which
 * follows stack_at in event.def, where that is not known. Most steps are such,
 * and a byte of each counts. */
static bool is_void(const struct event *event, const struct event_field *field,
                    size_t i)
{
    const struct opt_u64 *at;

    if (field->type != FIELD_TYPE_BYTES || i == 0 ||
        field[-1].type != FIELD_TYPE_OPT || strcmp(field->name, "stack") != 0)
        return false;
    at = (const void *)((const char *)event + field[-1].offset);
    return !at->known;
}

/* What follows the first byte, which is in head. */
static void code_event(struct coder *coder, unsigned head, struct event *event)
{
    struct srcline *source = &event->source;
    const struct event_field *fields;
    size_t count;

    if (head & HAS_REST)
        head |= (unsigned)code(coder, head >> 8) << 8;
    if (head & HAS_SEQ)
        event->seq = code(coder, event->seq);
    if (head & HAS_TID)
        event->tid = (int)code_signed(coder, (uint64_t)event->tid);
    if (head & HAS_PID)
        event->pid = (int)code_signed(coder, (uint64_t)event->pid);
    if (head & HAS_SOURCE)
        code_source(coder, source);
    if (head & HAS_EXCERPT) {
        source->excerpt = code_text(coder, source->excerpt);
        source->excerpt_line =
            (int)code_signed(coder, (uint64_t)source->excerpt_line);
    }
    fields = event_fields(event->kind, &count);
    for (size_t i = 0; i < count; i++)
        if (!is_void(event, &fields[i], i))
            code_field(coder, fields[i].type, (char *)event + fields[i].offset);
}

void pack_event(const struct event *event, struct pack_usual usual,
                struct words *words, struct buf *out)
{
    struct coder coder = {.words = words, .out = out};
    const struct srcline *source = &event->source;
    bool has_source = source->file || source->text || source->line;
    unsigned head = (event->tid != usual.tid ? HAS_TID : 0) |
                    (has_source ? HAS_SOURCE : 0) |
                    (event->seq != usual.seq ? HAS_SEQ : 0) |
                    (event->pid ? HAS_PID : 0) |
                    (source->excerpt ? HAS_EXCERPT : 0) | event->kind;
    struct event same = *event; /* coding assigns each value to itself */
    uint8_t first;

    head |= head >> 8 ? HAS_REST : 0;
    first = (uint8_t)head;
    buf_append(out, &first, 1);
    code_event(&coder, head, &same);
}

void unpack_event(const uint8_t *packed, struct pack_usual usual,
                  const struct words *words, struct unpacked *out)
{
    struct coder coder = {
        .words = (struct words *)words, .at = packed + 1, .to = out};

    out->event = (struct event){.kind = (enum event_kind)(*packed & KIND_BITS),
                                .seq = usual.seq,
                                .tid = usual.tid};
    code_event(&coder, *packed, &out->event);
}

void unpacked_release(struct unpacked *unpacked)
{
    for (size_t i = 0; i < PACK_LISTS; i++)
        free(unpacked->list[i].memory);
    *unpacked = (struct unpacked){0};
}
