/* SPDX-License-Identifier: MIT */
/*
 * event.c - one walk over the fields of an event, for all kinds.
 *
 * A trace of a long run is a million steps, so a copy is one block of memory:
 *
 *     struct event | lists, bytes and texts that it borrows, one by one
 *
 * The block's size is not known before everything in it has been looked at.
 * So the same walk runs twice: once only to count, once to copy. Both place
 * each piece by the same rule, which keeps count and copy from disagreeing.
 */
#include "trace/event.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

static const char *const names[EVENT_KINDS] = {
#define EVENT(kind, name, fields) [EVENT_##kind] = #name,
#include "trace/event.def"
};

bool event_is_elsewhere(const struct event_write *write)
{
    return write->by && strcmp(write->by, WRITTEN_ELSEWHERE) == 0;
}

bool event_ends_watching(const struct event_limit *limit)
{
    static const char *const budgets[] = {
        "32-bit", "entry", "execute",   "frozen",     "handlers",
        "quit",   "vdso",  "trap-flag", "unreadable",
    };

    for (size_t i = 0; limit->budget && i < sizeof budgets / sizeof *budgets;
         i++)
        if (strcmp(budgets[i], limit->budget) == 0)
            return true;
    return false;
}

int event_exit_status(const struct event_exit *end)
{
    return end->signal.known ? 128 + (int)end->signal.value
                             : (int)end->status.value;
}

const char *event_name(enum event_kind kind)
{
    BUG_UNLESS(kind < EVENT_KINDS);
    return names[kind];
}

enum event_kind event_find(const char *name)
{
    unsigned kind = 0;

    while (kind < EVENT_KINDS && strcmp(names[kind], name) != 0)
        kind++;
    return (enum event_kind)kind;
}

/* F is not told whose field it is; `owner` says so, for one case at a time. */
#define F(type, name)          \
    {FIELD_TYPE_##type, #name, \
     offsetof(struct event, start) + offsetof(owner, name)},
#define EVENT(kind, name, fields)                           \
    case EVENT_##kind: {                                    \
        typedef struct event_##name owner;                  \
        static const struct event_field table[] = {fields}; \
        *count = sizeof table / sizeof *table;              \
        return table;                                       \
    }

const struct event_field *event_fields(enum event_kind kind, size_t *count)
{
    switch (kind) {
#include "trace/event.def"
    case EVENT_KINDS:
        break;
    }
    mem_bug(__FILE__, __LINE__, "kind < EVENT_KINDS");
}

/* The block of a copy while it is filled; base is NULL while counting. */
struct packer {
    uint8_t *base;
    size_t used;
};

/* Where the piece is in the block, or NULL while counting. */
static void *pack(struct packer *packer, const void *from, size_t size,
                  size_t align)
{
    size_t at = (packer->used + align - 1) / align * align;

    packer->used = at + size;
    if (!packer->base)
        return NULL;
    if (size)
        memcpy(packer->base + at, from, size);
    return packer->base + at;
}

static const char *pack_text(struct packer *packer, const char *text)
{
    return text ? pack(packer, text, strlen(text) + 1, 1) : NULL;
}

static struct bytes pack_bytes(struct packer *packer, struct bytes from)
{
    const uint8_t *data = NULL;

    if (from.data)
        data = pack(packer, from.data, from.len, 1);
    return (struct bytes){data, from.len};
}

static struct texts pack_texts(struct packer *packer, struct texts from)
{
    const char **list = pack(packer, from.list, from.count * sizeof *list,
                             _Alignof(const char *));

    for (size_t i = 0; i < from.count; i++) {
        const char *text = pack_text(packer, from.list[i]);

        if (list)
            list[i] = text;
    }
    return (struct texts){list, from.count};
}

static struct mem_accesses pack_accesses(struct packer *packer,
                                         struct mem_accesses from)
{
    struct mem_access *list = pack(packer, from.list, from.count * sizeof *list,
                                   _Alignof(struct mem_access));

    for (size_t i = 0; i < from.count; i++) {
        struct bytes was = pack_bytes(packer, from.list[i].old_bytes);
        struct bytes now = pack_bytes(packer, from.list[i].new_bytes);

        if (list) {
            list[i].old_bytes = was;
            list[i].new_bytes = now;
        }
    }
    return (struct mem_accesses){list, from.count};
}

/* What a field borrows; fields that are values came with the struct. */
static void pack_field(struct packer *packer, enum field_type type,
                       const void *from, void *to)
{
    switch (type) {
    case FIELD_TYPE_TEXT:
        *(const char **)to = pack_text(packer, *(const char *const *)from);
        break;
    case FIELD_TYPE_TEXTS:
        *(struct texts *)to = pack_texts(packer, *(const struct texts *)from);
        break;
    case FIELD_TYPE_BYTES:
        *(struct bytes *)to = pack_bytes(packer, *(const struct bytes *)from);
        break;
    case FIELD_TYPE_CHANGES: {
        const struct reg_changes *changes = from;
        size_t size = changes->count * sizeof *changes->list;

        ((struct reg_changes *)to)->list =
            pack(packer, changes->list, size, _Alignof(struct reg_change));
        break;
    }
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        *(struct mem_accesses *)to =
            pack_accesses(packer, *(const struct mem_accesses *)from);
        break;
    case FIELD_TYPE_ADDR:
    case FIELD_TYPE_OPT:
    case FIELD_TYPE_SIZE:
    case FIELD_TYPE_INT:
    case FIELD_TYPE_OPTINT:
    case FIELD_TYPE_PROT:
    case FIELD_TYPE_REGS:
    case FIELD_TYPE_OPTREGS:
        break;
    }
}

static void pack_event(struct packer *packer, const struct event *from,
                       struct event *to)
{
    size_t count;
    const struct event_field *fields = event_fields(from->kind, &count);

    to->source.file = pack_text(packer, from->source.file);
    to->source.text = pack_text(packer, from->source.text);
    to->source.excerpt = pack_text(packer, from->source.excerpt);
    for (size_t i = 0; i < count; i++)
        pack_field(packer, fields[i].type,
                   (const char *)from + fields[i].offset,
                   (char *)to + fields[i].offset);
}

struct event *event_copy(const struct event *event)
{
    struct packer packer = {NULL, sizeof *event};
    struct event counted;
    struct event *copy;

    pack_event(&packer, event, &counted);
    copy = mem_resize(NULL, packer.used, 1);
    *copy = *event;
    packer = (struct packer){(uint8_t *)copy, sizeof *event};
    pack_event(&packer, event, copy);
    return copy;
}

void event_free(struct event *copy)
{
    free(copy);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* No bytes are not the same as zero bytes: data tells. */
static bool same_bytes(struct bytes a, struct bytes b)
{
    if (!a.data || !b.data)
        return a.data == b.data;
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_texts(const struct texts *a, const struct texts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_text(a->list[i], b->list[i]))
            return false;
    return true;
}

static bool same_changes(const struct reg_changes *a,
                         const struct reg_changes *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].reg != b->list[i].reg ||
            a->list[i].old_value != b->list[i].old_value ||
            a->list[i].new_value != b->list[i].new_value)
            return false;
    return true;
}

static bool same_accesses(const struct mem_accesses *a,
                          const struct mem_accesses *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].addr != b->list[i].addr ||
            !same_bytes(a->list[i].old_bytes, b->list[i].old_bytes) ||
            !same_bytes(a->list[i].new_bytes, b->list[i].new_bytes))
            return false;
    return true;
}

static bool same_opt(const struct opt_u64 *a, const struct opt_u64 *b)
{
    return a->known == b->known && (!a->known || a->value == b->value);
}

static bool same_regs(const struct opt_regs *a, const struct opt_regs *b)
{
    return a->known == b->known &&
           (!a->known || memcmp(&a->value, &b->value, sizeof a->value) == 0);
}

static bool same_field(enum field_type type, const void *a, const void *b)
{
    switch (type) {
    case FIELD_TYPE_ADDR:
    case FIELD_TYPE_SIZE:
    case FIELD_TYPE_INT:
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    case FIELD_TYPE_PROT:
        return memcmp(a, b, sizeof(unsigned)) == 0;
    case FIELD_TYPE_REGS:
        return memcmp(a, b, sizeof(struct regs)) == 0;
    case FIELD_TYPE_OPTREGS:
        return same_regs(a, b);
    case FIELD_TYPE_OPT:
    case FIELD_TYPE_OPTINT:
        return same_opt(a, b);
    case FIELD_TYPE_TEXT:
        return same_text(*(const char *const *)a, *(const char *const *)b);
    case FIELD_TYPE_TEXTS:
        return same_texts(a, b);
    case FIELD_TYPE_BYTES:
        return same_bytes(*(const struct bytes *)a, *(const struct bytes *)b);
    case FIELD_TYPE_CHANGES:
        return same_changes(a, b);
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        return same_accesses(a, b);
    }
    return false;
}

/* The line and the text of a place without a file say nothing. */
static bool same_source(const struct srcline *a, const struct srcline *b)
{
    if (!same_text(a->file, b->file) || !same_text(a->excerpt, b->excerpt) ||
        (a->excerpt && a->excerpt_line != b->excerpt_line))
        return false;
    return !a->file || (a->line == b->line && same_text(a->text, b->text));
}

bool event_equal(const struct event *a, const struct event *b)
{
    const struct event_field *fields;
    size_t count;

    if (a->kind != b->kind || a->seq != b->seq || a->tid != b->tid ||
        !same_source(&a->source, &b->source))
        return false;
    fields = event_fields(a->kind, &count);
    for (size_t i = 0; i < count; i++)
        if (!same_field(fields[i].type, (const char *)a + fields[i].offset,
                        (const char *)b + fields[i].offset))
            return false;
    return true;
}

void prot_text(unsigned prot, char *out)
{
    out[0] = prot & PROT_READ ? 'r' : '-';
    out[1] = prot & PROT_WRITE ? 'w' : '-';
    out[2] = prot & PROT_EXEC ? 'x' : '-';
    out[3] = 0;
}
