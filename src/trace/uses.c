/* SPDX-License-Identifier: MIT */
#include "trace/uses.h"

#include <stdbool.h>

#include "cpu/regs.h"

/* A page is found by its first address. */
struct used_page {
    struct range_value value;
    uint8_t bits[ARCH_PAGE_SIZE / 4];
};

static uint64_t start_of(uint64_t addr)
{
    return addr - addr % ARCH_PAGE_SIZE;
}

enum byte_use uses_at(const struct uses *uses, uint64_t addr)
{
    const struct used_page *page = ranges_at(&uses->ranges, start_of(addr));
    unsigned at = addr % ARCH_PAGE_SIZE;

    return page ? page->bits[at / 4] >> at % 4 * 2 & 3 : USE_NONE;
}

static bool tells_news(enum byte_use before, enum byte_use now)
{
    return now == USE_DATA      ? before == USE_NONE
           : now == USE_CHANGED ? before == USE_RAN
                                : before != now;
}

static void set(struct uses *uses, uint64_t addr, enum byte_use use)
{
    uint64_t start = start_of(addr);
    struct used_page *page = ranges_change(&uses->ranges, start);
    unsigned at = addr % ARCH_PAGE_SIZE, shift = at % 4 * 2;

    if (!page) {
        page = range_value_new(sizeof *page);
        ranges_set(&uses->ranges, start, start + 1, &page->value);
        range_value_drop(&page->value);
    }
    page->bits[at / 4] =
        (uint8_t)((page->bits[at / 4] & ~(3u << shift)) | use << shift);
}

/* Most steps are of a loop and tell nothing new, so that copies stay shared. */
void uses_add(struct uses *uses, uint64_t addr, uint64_t length,
              enum byte_use use)
{
    for (; length > 0; addr++, length--)
        if (tells_news(uses_at(uses, addr), use))
            set(uses, addr, use);
}
