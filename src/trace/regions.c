/* SPDX-License-Identifier: MIT */
#include "trace/regions.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The texts of a region that was copied become its own. */
static void own_texts(struct region *region)
{
    region->maps = mem_copy_text(region->maps);
    region->origin.call = mem_copy_text(region->origin.call);
    region->origin.file = mem_copy_text(region->origin.file);
}

static void free_texts(const struct region *region)
{
    free(region->maps);
    free(region->origin.call);
    free(region->origin.file);
}

static size_t text_memory(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

void regions_release(struct regions *regions)
{
    for (size_t i = 0; i < regions->count; i++)
        free_texts(&regions->list[i]);
    free(regions->list);
    *regions = (struct regions){0};
}

void regions_copy(struct regions *to, const struct regions *from)
{
    to->list = mem_copy(from->list, from->count * sizeof *from->list);
    to->count = to->capacity = from->count;
    to->mappings = from->mappings;
    for (size_t i = 0; i < to->count; i++)
        own_texts(&to->list[i]);
}

size_t regions_memory(const struct regions *regions)
{
    size_t sum = regions->capacity * sizeof *regions->list;

    for (size_t i = 0; i < regions->count; i++)
        sum += text_memory(regions->list[i].maps) +
               text_memory(regions->list[i].origin.call) +
               text_memory(regions->list[i].origin.file);
    return sum;
}

/* The index of the first region that ends above addr. */
static size_t index_from(const struct regions *regions, uint64_t addr)
{
    size_t low = 0, high = regions->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct region *region = &regions->list[middle];

        if (region->addr + region->length > addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct region *regions_from(const struct regions *regions, uint64_t addr)
{
    size_t i = index_from(regions, addr);

    return i < regions->count ? &regions->list[i] : NULL;
}

struct region *regions_at(const struct regions *regions, uint64_t addr)
{
    struct region *region = regions_from(regions, addr);

    return region && region->addr <= addr ? region : NULL;
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
    own_texts(&upper);
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
        free_texts(&regions->list[last++]);
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
                           .prot = prot,
                           .generation = 1});
    return &regions->list[at];
}

/* Gives all parts of a mapping the same generation, in use or not. */
static void set_generation(struct regions *regions, uint64_t mapping,
                           unsigned generation, bool in_use)
{
    for (size_t i = 0; i < regions->count; i++) {
        struct region *part = &regions->list[i];

        if (part->mapping != mapping)
            continue;
        part->generation = generation;
        part->in_use = in_use;
    }
}

void regions_use(struct regions *regions, const struct region *region)
{
    if (!region->in_use)
        set_generation(regions, region->mapping, region->generation, true);
}

void regions_change(struct regions *regions, const struct region *region)
{
    if (region->in_use)
        set_generation(regions, region->mapping, region->generation + 1, false);
}

void region_set_maps(struct region *region, const char *maps)
{
    char *copy = mem_copy_text(maps);

    free(region->maps);
    region->maps = copy;
}

void region_set_origin(struct region *region,
                       const struct region_origin *origin)
{
    struct region old = *region;

    region->maps = NULL;
    region->origin = *origin;
    own_texts(region);
    region->maps = old.maps;
    old.maps = NULL;
    free_texts(&old);
}
