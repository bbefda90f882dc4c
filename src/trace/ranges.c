/* SPDX-License-Identifier: MIT */
/*
 * ranges.c - a stretch may be what is left of a longer one, so several may have
 * the same value. Both the list and the values count who has them:
 *
 *     ranges ─┐            ┌ [0x00, 0x10) ─┬─▶ "stubs"
 *     ranges ─┴─▶ a table ─┤ [0x10, 0x20) ─│─▶ "fib"
 *                          └ [0x20, 0x40) ─┘
 */
#include "trace/ranges.h"

#include <string.h>

#include "base/mem.h"

struct ranges_table {
    size_t uses; /* by struct ranges */
    size_t count;
    size_t capacity;
    struct stretch *list; /* sorted */
};

void *range_value_new(size_t size)
{
    struct range_value *value = mem_alloc(size);

    *value = (struct range_value){1, size};
    return value;
}

void range_value_drop(struct range_value *value)
{
    if (--value->uses == 0)
        free(value);
}

void ranges_release(struct ranges *ranges)
{
    struct ranges_table *table = ranges->table;

    ranges->table = NULL;
    if (!table || --table->uses > 0)
        return;
    for (size_t i = 0; i < table->count; i++)
        range_value_drop(table->list[i].value);
    free(table->list);
    free(table);
}

void ranges_copy(struct ranges *to, const struct ranges *from)
{
    *to = *from;
    if (to->table)
        to->table->uses++;
}

/* The table to be changed: it is there, and nobody else's. */
static struct ranges_table *own_table(struct ranges *ranges)
{
    struct ranges_table *from = ranges->table, *own;

    if (from && from->uses == 1)
        return from;
    own = mem_alloc(sizeof *own);
    own->uses = 1;
    if (from) {
        from->uses--;
        own->count = own->capacity = from->count;
        own->list = mem_copy(from->list, from->count * sizeof *from->list);
        for (size_t i = 0; i < own->count; i++)
            own->list[i].value->uses++;
    }
    return ranges->table = own;
}

/* The index of the first stretch that ends above `at`. */
static size_t index_from(const struct ranges_table *table, uint64_t at)
{
    size_t i =
        table ? mem_until(table->list, table->count, sizeof *table->list, at)
              : 0;

    return i - (i > 0 && table->list[i - 1].to > at);
}

static void insert(struct ranges_table *table, size_t i, struct stretch stretch)
{
    table->list = mem_grow(table->list, table->count, &table->capacity,
                           sizeof *table->list);
    memmove(&table->list[i + 1], &table->list[i],
            (table->count - i) * sizeof *table->list);
    table->list[i] = stretch;
    table->count++;
    stretch.value->uses++;
}

/* Cuts a stretch in two where `at` is inside of it; returns index_from(at). */
static size_t cut(struct ranges_table *table, uint64_t at)
{
    size_t i = index_from(table, at);
    struct stretch *stretch = &table->list[i];

    if (i == table->count || stretch->from >= at)
        return i;
    insert(table, i, (struct stretch){stretch->from, at, stretch->value});
    table->list[i + 1].from = at;
    return i + 1;
}

/* Empties [from, to). Returns the index where it would be. */
static size_t clear(struct ranges_table *table, uint64_t from, uint64_t to)
{
    size_t first = cut(table, from), last = first;

    if (first == table->count || table->list[first].from >= to)
        return first;
    last = cut(table, to);
    for (size_t i = first; i < last; i++)
        range_value_drop(table->list[i].value);
    memmove(&table->list[first], &table->list[last],
            (table->count - last) * sizeof *table->list);
    table->count -= last - first;
    return first;
}

void ranges_set(struct ranges *ranges, uint64_t from, uint64_t to,
                struct range_value *value)
{
    struct ranges_table *table = own_table(ranges);

    insert(table, clear(table, from, to), (struct stretch){from, to, value});
}

void ranges_forget(struct ranges *ranges, uint64_t from, uint64_t to)
{
    size_t count;
    const struct stretch *first = ranges_from(ranges, from, &count);

    if (count > 0 && first->from < to)
        clear(own_table(ranges), from, to);
}

const struct stretch *ranges_from(const struct ranges *ranges, uint64_t at,
                                  size_t *count)
{
    size_t i = index_from(ranges->table, at);

    *count = ranges->table ? ranges->table->count - i : 0;
    return *count > 0 ? &ranges->table->list[i] : NULL;
}

void *ranges_at(const struct ranges *ranges, uint64_t at)
{
    const struct ranges_table *table = ranges->table;
    size_t i =
        table ? mem_until(table->list, table->count, sizeof *table->list, at)
              : 0;

    return i > 0 && table->list[i - 1].to > at ? table->list[i - 1].value
                                               : NULL;
}

void *ranges_change(struct ranges *ranges, uint64_t at)
{
    struct range_value *value = ranges_at(ranges, at), *own;
    struct ranges_table *table;

    if (!value || (ranges->table->uses == 1 && value->uses == 1))
        return value;
    own = mem_copy(value, value->size);
    own->uses = 1;
    table = own_table(ranges);
    table->list[index_from(table, at)].value = own;
    range_value_drop(value);
    return own;
}
