/* SPDX-License-Identifier: MIT */
#include "support/equal.h"

#include <string.h>

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

static bool same_vregs(const struct vreg_changes *a,
                       const struct vreg_changes *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].reg != b->list[i].reg ||
            !same_bytes(a->list[i].old_bytes, b->list[i].old_bytes) ||
            !same_bytes(a->list[i].new_bytes, b->list[i].new_bytes))
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

/* The line and the text of a place without a file say nothing. */
static bool same_source(const struct srcline *a, const struct srcline *b)
{
    if (!same_text(a->file, b->file) || !same_text(a->excerpt, b->excerpt) ||
        (a->excerpt && a->excerpt_line != b->excerpt_line))
        return false;
    return !a->file || (a->line == b->line && same_text(a->text, b->text));
}

static bool same_callers(const struct callers *a, const struct callers *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_source(&a->list[i].source, &b->list[i].source) ||
            !same_text(a->list[i].symbol, b->list[i].symbol))
            return false;
    return true;
}

static bool same_callee(const struct callee *a, const struct callee *b)
{
    if (!a->symbol || !b->symbol)
        return a->symbol == b->symbol;
    return same_text(a->symbol, b->symbol) && same_text(a->module, b->module) &&
           same_text(a->known_by, b->known_by) &&
           same_texts(&a->params, &b->params) &&
           same_text(a->result, b->result);
}

static bool same_rows(const struct line_rows *a, const struct line_rows *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->list[i].offset != b->list[i].offset ||
            a->list[i].line != b->list[i].line ||
            !same_text(a->list[i].file, b->list[i].file))
            return false;
    return true;
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
    case FIELD_TYPE_VREGS:
    case FIELD_TYPE_VALUES:
        return same_vregs(a, b);
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        return same_accesses(a, b);
    case FIELD_TYPE_CALLERS:
        return same_callers(a, b);
    case FIELD_TYPE_CALLEE:
        return same_callee(a, b);
    case FIELD_TYPE_ROWS:
        return same_rows(a, b);
    }
    return false;
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
