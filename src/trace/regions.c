/* SPDX-License-Identifier: MIT */
#include "trace/regions.h"

#include <string.h>

#include "base/mem.h"

void regions_release(struct regions *regions)
{
    free(regions->list);
    *regions = (struct regions){0};
}

void regions_copy(struct regions *to, const struct regions *from)
{
    *to = *from;
    to->list = mem_copy(from->list, from->count * sizeof *from->list);
    to->capacity = from->count;
}

/* The index of the first region that ends above addr. */
static size_t index_from(const struct regions *regions, uint64_t addr)
{
    const struct region *list = regions->list;
    size_t i = mem_until(list, regions->count, sizeof *list, addr);

    return i - (i > 0 && addr - list[i - 1].addr < list[i - 1].length);
}

struct region *regions_from(const struct regions *regions, uint64_t addr)
{
    size_t i = index_from(regions, addr);

    return i < regions->count ? &regions->list[i] : NULL;
}

struct region *regions_at(const struct regions *regions, uint64_t addr)
{
    struct region *list = regions->list;
    size_t i = mem_until(list, regions->count, sizeof *list, addr);

    return i > 0 && addr - list[i - 1].addr < list[i - 1].length ? &list[i - 1]
                                                                 : NULL;
}

static void insert(struct regions *regions, size_t at, struct region region)
{
    regions->list = mem_grow(regions->list, regions->count, &regions->capacity,
                             sizeof *regions->list);
    memmove(&regions->list[at + 1], &regions->list[at],
            (regions->count - at) * sizeof *regions->list);
    regions->list[at] = region;
    regions->count++;
}

/* Makes addr a border; returns the index of the first region at or above. */
static size_t cut_at(struct regions *regions, uint64_t addr)
{
    size_t i = index_from(regions, addr);
    struct region *region, upper;

    if (i == regions->count || regions->list[i].addr >= addr)
        return i;
    region = &regions->list[i];
    upper = *region;
    upper.addr = addr;
    upper.length = region->addr + region->length - addr;
    region->length = addr - region->addr;
    insert(regions, i + 1, upper);
    return i + 1;
}

size_t regions_cut(struct regions *regions, uint64_t addr, uint64_t length)
{
    cut_at(regions, addr + length);
    return cut_at(regions, addr);
}

void regions_unmap(struct regions *regions, uint64_t addr, uint64_t length)
{
    size_t first = regions_cut(regions, addr, length);
    size_t last = first;

    if (first == regions->count)
        return;
    while (last < regions->count && regions->list[last].addr < addr + length)
        last++;
    memmove(&regions->list[first], &regions->list[last],
            (regions->count - last) * sizeof *regions->list);
    regions->count -= last - first;
}

struct region *regions_map(struct regions *regions, uint64_t addr,
                           uint64_t length, unsigned prot)
{
    size_t at;

    regions_unmap(regions, addr, length);
    at = index_from(regions, addr);
    insert(regions, at,
           (struct region){.addr = addr,
                           .length = length,
                           .start = addr,
                           .mapping = ++regions->mappings,
                           .prot = prot});
    return &regions->list[at];
}
