/* SPDX-License-Identifier: MIT */
/*
 * labels.c - one sorted array of stretches that do not overlap. A stretch may
 * be what is left of a label, so several may belong to the same one:
 *
 *     stretch [0x00, 0x10) ─┬─▶ label "stubs" 0x00, 64 bytes
 *     stretch [0x10, 0x20) ─│─▶ label "fib"   0x10, 16 bytes
 *     stretch [0x20, 0x40) ─┘
 */
#include "trace/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

struct stretch {
    uint64_t from;
    uint64_t to;
    struct label *label;
};

struct labels_table {
    size_t uses; /* by struct labels */
    uint64_t added;
    size_t count;
    size_t capacity;
    struct stretch *list; /* sorted */
};

static void drop_label(struct label *label)
{
    if (--label->uses == 0)
        free(label);
}

void labels_release(struct labels *labels)
{
    struct labels_table *table = labels->table;

    labels->table = NULL;
    if (!table || --table->uses > 0)
        return;
    for (size_t i = 0; i < table->count; i++)
        drop_label(table->list[i].label);
    free(table->list);
    free(table);
}

void labels_copy(struct labels *to, const struct labels *from)
{
    *to = *from;
    if (to->table)
        to->table->uses++;
}

/* The table to be changed: it is there, and nobody else's. */
static struct labels_table *own_table(struct labels *labels)
{
    struct labels_table *from = labels->table, *own;

    if (from && from->uses == 1)
        return from;
    own = mem_alloc(sizeof *own);
    own->uses = 1;
    if (from) {
        from->uses--;
        own->added = from->added;
        own->count = own->capacity = from->count;
        own->list = mem_copy(from->list, from->count * sizeof *from->list);
        for (size_t i = 0; i < own->count; i++)
            own->list[i].label->uses++;
    }
    labels->table = own;
    return own;
}

/* The index of the first stretch that ends above addr. */
static size_t index_from(const struct labels_table *table, uint64_t addr)
{
    size_t low = 0, high = table ? table->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->list[middle].to > addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert(struct labels_table *table, size_t i, struct stretch stretch)
{
    table->list = mem_grow(table->list, table->count, &table->capacity,
                           sizeof *table->list);
    memmove(&table->list[i + 1], &table->list[i],
            (table->count - i) * sizeof *table->list);
    table->list[i] = stretch;
    table->count++;
    stretch.label->uses++;
}

/* Cuts a stretch in two where addr is inside of it; returns index_from(addr). */
static size_t cut(struct labels_table *table, uint64_t addr)
{
    size_t i = index_from(table, addr);
    struct stretch *stretch = &table->list[i];

    if (i == table->count || stretch->from >= addr)
        return i;
    insert(table, i, (struct stretch){stretch->from, addr, stretch->label});
    table->list[i + 1].from = addr;
    return i + 1;
}

/* Removes all names of [addr, end). Returns the index where it would be. */
static size_t clear(struct labels_table *table, uint64_t addr, uint64_t end)
{
    size_t first = cut(table, addr), last = first;

    if (first == table->count || table->list[first].from >= end)
        return first;
    last = cut(table, end);
    for (size_t i = first; i < last; i++)
        drop_label(table->list[i].label);
    memmove(&table->list[first], &table->list[last],
            (table->count - last) * sizeof *table->list);
    table->count -= last - first;
    return first;
}

bool labels_add(struct labels *labels, uint64_t addr, uint64_t length,
                const char *name)
{
    size_t size = sizeof(struct label) + strlen(name) + 1;
    uint64_t from, to;
    const struct label *known = labels_from(labels, addr, &from, &to);
    struct labels_table *table;
    struct label *label;

    if (known && known->addr == addr && known->length == length &&
        from == addr && to == addr + length && !strcmp(known->name, name))
        return false;
    label = mem_alloc(size);
    label->addr = addr;
    label->length = length;
    memcpy(label->name, name, strlen(name) + 1);
    table = own_table(labels);
    label->order = table->added++;
    insert(table, clear(table, addr, addr + length),
           (struct stretch){addr, addr + length, label});
    return true;
}

void labels_forget(struct labels *labels, uint64_t addr, uint64_t length)
{
    const struct labels_table *table = labels->table;
    size_t i = index_from(table, addr);

    if (table && i < table->count && table->list[i].from < addr + length)
        clear(own_table(labels), addr, addr + length);
}

void labels_drop(struct labels *labels, struct label *label)
{
    struct labels_table *table = own_table(labels);
    size_t i = index_from(table, label->addr), kept = i;
    uint64_t end = label->addr + label->length;

    for (; i < table->count && table->list[i].from < end; i++)
        if (table->list[i].label != label)
            table->list[kept++] = table->list[i];
    memmove(&table->list[kept], &table->list[i],
            (table->count - i) * sizeof *table->list);
    table->count -= i - kept;
    label->uses -= i - kept; /* a stretch each */
    if (label->uses == 0)
        free(label);
}

struct label *labels_from(const struct labels *labels, uint64_t addr,
                          uint64_t *from, uint64_t *to)
{
    const struct labels_table *table = labels->table;
    size_t i = index_from(table, addr);

    if (!table || i == table->count)
        return NULL;
    *from = table->list[i].from;
    *to = table->list[i].to;
    return table->list[i].label;
}

const struct label *labels_at(const struct labels *labels, uint64_t addr)
{
    uint64_t from, to;
    const struct label *label = labels_from(labels, addr, &from, &to);

    return label && from <= addr ? label : NULL;
}

/* A cut name ends with a whole character, if it is UTF-8. */
static void append_name(const char *name, struct buf *out)
{
    struct bytes text = {(const uint8_t *)name, strlen(name)};

    if (text.len <= LABELS_SHOWN) {
        buf_append(out, name, text.len);
        return;
    }
    buf_append(out, name, utf8_cut(text, LABELS_SHOWN - 3));
    buf_append_text(out, "...");
}

bool labels_describe(const struct labels *labels, uint64_t addr,
                     struct buf *out)
{
    const struct label *label = labels_at(labels, addr);

    if (!label)
        return false;
    append_name(label->name, out);
    if (addr > label->addr)
        buf_printf(out, "+0x%llx", (unsigned long long)(addr - label->addr));
    return true;
}

size_t labels_memory(const struct labels *labels)
{
    const struct labels_table *table = labels->table;
    size_t sum = 0;

    if (!table)
        return 0;
    sum = sizeof *table + table->capacity * sizeof *table->list;
    for (size_t i = 0; i < table->count; i++) {
        const struct label *label = table->list[i].label;

        sum += (sizeof *label + strlen(label->name) + 1) / label->uses;
    }
    return sum / table->uses;
}
