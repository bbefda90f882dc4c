/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - one sorted array of stretches that do not overlap. A stretch may
 * be what is left of a symbol, so several may belong to the same one:
 *
 *     stretch [0x00, 0x10) ─┬─▶ symbol "stubs" 0x00, 64 bytes
 *     stretch [0x10, 0x20) ─│─▶ symbol "fib"   0x10, 16 bytes
 *     stretch [0x20, 0x40) ─┘
 */
#include "trace/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct stretch {
    uint64_t from;
    uint64_t to;
    struct symbol *symbol;
};

struct symbols_table {
    size_t uses; /* by struct symbols */
    uint64_t added;
    size_t count;
    size_t capacity;
    struct stretch *list; /* sorted */
};

static void drop_symbol(struct symbol *symbol)
{
    if (--symbol->uses == 0)
        free(symbol);
}

void symbols_release(struct symbols *symbols)
{
    struct symbols_table *table = symbols->table;

    symbols->table = NULL;
    if (!table || --table->uses > 0)
        return;
    for (size_t i = 0; i < table->count; i++)
        drop_symbol(table->list[i].symbol);
    free(table->list);
    free(table);
}

void symbols_copy(struct symbols *to, const struct symbols *from)
{
    *to = *from;
    if (to->table)
        to->table->uses++;
}

/* The table to be changed: it is there, and nobody else's. */
static struct symbols_table *own_table(struct symbols *symbols)
{
    struct symbols_table *from = symbols->table, *own;

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
            own->list[i].symbol->uses++;
    }
    symbols->table = own;
    return own;
}

/* The index of the first stretch that ends above addr. */
static size_t index_from(const struct symbols_table *table, uint64_t addr)
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

static void insert(struct symbols_table *table, size_t i,
                   struct stretch stretch)
{
    table->list = mem_grow(table->list, table->count, &table->capacity,
                           sizeof *table->list);
    memmove(&table->list[i + 1], &table->list[i],
            (table->count - i) * sizeof *table->list);
    table->list[i] = stretch;
    table->count++;
    stretch.symbol->uses++;
}

/* Cuts a stretch in two where addr is inside of it; returns index_from(addr). */
static size_t cut(struct symbols_table *table, uint64_t addr)
{
    size_t i = index_from(table, addr);
    struct stretch *stretch = &table->list[i];

    if (i == table->count || stretch->from >= addr)
        return i;
    insert(table, i, (struct stretch){stretch->from, addr, stretch->symbol});
    table->list[i + 1].from = addr;
    return i + 1;
}

/* Removes all names of [addr, end). Returns the index where it would be. */
static size_t clear(struct symbols_table *table, uint64_t addr, uint64_t end)
{
    size_t first = cut(table, addr), last = first;

    if (first == table->count || table->list[first].from >= end)
        return first;
    last = cut(table, end);
    for (size_t i = first; i < last; i++)
        drop_symbol(table->list[i].symbol);
    memmove(&table->list[first], &table->list[last],
            (table->count - last) * sizeof *table->list);
    table->count -= last - first;
    return first;
}

bool symbols_add(struct symbols *symbols, uint64_t addr, uint64_t length,
                 const char *name)
{
    size_t size = sizeof(struct symbol) + strlen(name) + 1;
    uint64_t from, to;
    const struct symbol *known = symbols_from(symbols, addr, &from, &to);
    struct symbols_table *table;
    struct symbol *symbol;

    if (known && known->addr == addr && known->length == length &&
        from == addr && to == addr + length && !strcmp(known->name, name))
        return false;
    symbol = mem_alloc(size);
    symbol->addr = addr;
    symbol->length = length;
    memcpy(symbol->name, name, strlen(name) + 1);
    table = own_table(symbols);
    symbol->order = table->added++;
    insert(table, clear(table, addr, addr + length),
           (struct stretch){addr, addr + length, symbol});
    return true;
}

void symbols_forget(struct symbols *symbols, uint64_t addr, uint64_t length)
{
    const struct symbols_table *table = symbols->table;
    size_t i = index_from(table, addr);

    if (table && i < table->count && table->list[i].from < addr + length)
        clear(own_table(symbols), addr, addr + length);
}

void symbols_drop(struct symbols *symbols, struct symbol *symbol)
{
    struct symbols_table *table = own_table(symbols);
    size_t i = index_from(table, symbol->addr), kept = i;
    uint64_t end = symbol->addr + symbol->length;

    symbol->uses++; /* until the last of its stretches is gone */
    for (; i < table->count && table->list[i].from < end; i++) {
        if (table->list[i].symbol == symbol)
            drop_symbol(symbol);
        else
            table->list[kept++] = table->list[i];
    }
    memmove(&table->list[kept], &table->list[i],
            (table->count - i) * sizeof *table->list);
    table->count -= i - kept;
    drop_symbol(symbol);
}

struct symbol *symbols_from(const struct symbols *symbols, uint64_t addr,
                            uint64_t *from, uint64_t *to)
{
    const struct symbols_table *table = symbols->table;
    size_t i = index_from(table, addr);

    if (!table || i == table->count)
        return NULL;
    *from = table->list[i].from;
    *to = table->list[i].to;
    return table->list[i].symbol;
}

const struct symbol *symbols_at(const struct symbols *symbols, uint64_t addr)
{
    uint64_t from, to;
    const struct symbol *symbol = symbols_from(symbols, addr, &from, &to);

    return symbol && from <= addr ? symbol : NULL;
}

/* A cut name ends with a whole character, if it is UTF-8. */
static void append_name(const char *name, struct buf *out)
{
    size_t len = strlen(name), end = SYMBOLS_SHOWN - 3;

    if (len <= SYMBOLS_SHOWN) {
        buf_append(out, name, len);
        return;
    }
    while (end > 0 && (name[end] & 0xc0) == 0x80)
        end--;
    buf_append(out, name, end);
    buf_append_text(out, "...");
}

bool symbols_describe(const struct symbols *symbols, uint64_t addr,
                      struct buf *out)
{
    const struct symbol *symbol = symbols_at(symbols, addr);

    if (!symbol)
        return false;
    append_name(symbol->name, out);
    if (addr > symbol->addr)
        buf_printf(out, "+0x%llx", (unsigned long long)(addr - symbol->addr));
    return true;
}

size_t symbols_memory(const struct symbols *symbols)
{
    const struct symbols_table *table = symbols->table;
    size_t sum = 0;

    if (!table)
        return 0;
    sum = sizeof *table + table->capacity * sizeof *table->list;
    for (size_t i = 0; i < table->count; i++) {
        const struct symbol *symbol = table->list[i].symbol;

        sum += (sizeof *symbol + strlen(symbol->name) + 1) / symbol->uses;
    }
    return sum / table->uses;
}
