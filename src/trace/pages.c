/* SPDX-License-Identifier: MIT */
/*
 * pages.c - a copy shares its pages with the original, and pages that differ in
 * their marks alone can share their bytes. Each knows how many have it; who
 * changes one that others have too takes one of its own first.
 */
#include "trace/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cpu/arch.h"

struct content {
    size_t uses; /* how many struct page have it */
    uint8_t bytes[ARCH_PAGE_SIZE];
};

struct page {
    size_t uses; /* how many struct pages have it */
    uint64_t addr;
    struct content *content;
    uint8_t written[ARCH_PAGE_SIZE / 8]; /* a bit for each byte */
};

static void drop_content(struct content *content)
{
    if (--content->uses == 0)
        free(content);
}

static void drop(struct page *page)
{
    if (--page->uses > 0)
        return;
    drop_content(page->content);
    free(page);
}

void pages_release(struct pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        drop(pages->list[i]);
    free(pages->list);
    *pages = (struct pages){0};
}

void pages_copy(struct pages *to, const struct pages *from)
{
    to->list = mem_copy(from->list, from->count * sizeof *from->list);
    to->count = to->capacity = from->count;
    for (size_t i = 0; i < to->count; i++)
        to->list[i]->uses++;
}

/* The index of the first page that ends above addr. */
static size_t index_from(const struct pages *pages, uint64_t addr)
{
    size_t low = 0, high = pages->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (pages->list[middle]->addr + (ARCH_PAGE_SIZE - 1) >= addr)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct page *page_at(const struct pages *pages, uint64_t addr)
{
    size_t i = index_from(pages, addr);

    if (i < pages->count && pages->list[i]->addr <= addr)
        return pages->list[i];
    return NULL;
}

/* The page at addr to be changed: it is there, and nobody else's. */
static struct page *page_need(struct pages *pages, uint64_t addr)
{
    size_t i = index_from(pages, addr);
    struct page *page;

    if (i < pages->count && pages->list[i]->addr <= addr) {
        page = pages->list[i];
        if (page->uses > 1) {
            page->uses--;
            page = pages->list[i] = mem_copy(page, sizeof *page);
            page->uses = 1;
            page->content->uses++;
        }
        if (page->content->uses > 1) {
            page->content->uses--;
            page->content = mem_copy(page->content, sizeof *page->content);
            page->content->uses = 1;
        }
        return page;
    }

    pages->list = mem_grow(pages->list, pages->count, &pages->capacity,
                           sizeof *pages->list);
    memmove(&pages->list[i + 1], &pages->list[i],
            (pages->count++ - i) * sizeof *pages->list);
    page = mem_alloc(sizeof *page);
    page->addr = addr - addr % ARCH_PAGE_SIZE;
    page->content = mem_alloc(sizeof *page->content);
    page->uses = page->content->uses = 1;
    return pages->list[i] = page;
}

/* How many of len bytes from addr on are in its page. */
static size_t part_of(uint64_t addr, size_t len)
{
    size_t rest = ARCH_PAGE_SIZE - addr % ARCH_PAGE_SIZE;

    return rest < len ? rest : len;
}

void pages_write(struct pages *pages, uint64_t addr, struct bytes bytes)
{
    for (size_t done = 0, part; done < bytes.len; done += part) {
        struct page *page = page_need(pages, addr + done);
        size_t at = (addr + done) % ARCH_PAGE_SIZE;

        part = part_of(addr + done, bytes.len - done);
        memcpy(page->content->bytes + at, bytes.data + done, part);
        for (size_t i = at; i < at + part; i++)
            page->written[i / 8] |= (uint8_t)(1u << i % 8);
    }
}

/* How many of the bytes at addr are what is known already. */
static size_t same_until(const struct pages *pages, uint64_t addr,
                         struct bytes bytes)
{
    uint8_t known[ARCH_PAGE_SIZE];

    for (size_t done = 0, part; done < bytes.len; done += part) {
        const uint8_t *data = bytes.data + done;
        size_t i = 0;

        part = part_of(addr + done, bytes.len - done);
        pages_read(pages, addr + done, part, known);
        if (memcmp(known, data, part) == 0)
            continue;
        while (known[i] == data[i])
            i++;
        return done + i;
    }
    return bytes.len;
}

bool pages_hold(const struct pages *pages, uint64_t addr, struct bytes bytes)
{
    return same_until(pages, addr, bytes) == bytes.len;
}

void pages_learn(struct pages *pages, uint64_t addr, struct bytes bytes)
{
    size_t first = same_until(pages, addr, bytes), end = bytes.len;

    if (first == bytes.len)
        return;
    while (pages_hold(pages, addr + end - 1,
                      (struct bytes){bytes.data + end - 1, 1}))
        end--;
    pages_write(pages, addr + first,
                (struct bytes){bytes.data + first, end - first});
}

void pages_read(const struct pages *pages, uint64_t addr, size_t len,
                uint8_t *out)
{
    while (len > 0) {
        const struct page *page = page_at(pages, addr);
        size_t at = addr % ARCH_PAGE_SIZE;
        size_t part = part_of(addr, len);

        if (page)
            memcpy(out, page->content->bytes + at, part);
        else
            memset(out, 0, part);
        addr += part;
        out += part;
        len -= part;
    }
}

static bool is_written(const struct page *page, size_t at)
{
    return page->written[at / 8] >> at % 8 & 1;
}

bool pages_written(const struct pages *pages, uint64_t addr)
{
    const struct page *page = page_at(pages, addr);

    return page && is_written(page, addr % ARCH_PAGE_SIZE);
}

bool pages_all_written(const struct pages *pages, uint64_t addr,
                       uint64_t length)
{
    for (uint64_t i = 0; i < length; i++)
        if (!pages_written(pages, addr + i))
            return false;
    return true;
}

/* The part of [addr, end) that lies in the page. */
static void clip(const struct page *page, uint64_t addr, uint64_t end,
                 size_t *from, size_t *to)
{
    *from = addr > page->addr ? addr - page->addr : 0;
    *to = end < page->addr + ARCH_PAGE_SIZE ? end - page->addr : ARCH_PAGE_SIZE;
}

uint64_t pages_next(const struct pages *pages, uint64_t addr, uint64_t end)
{
    size_t i = index_from(pages, addr), from, to;

    for (; i < pages->count && pages->list[i]->addr < end; i++) {
        const struct page *page = pages->list[i];

        clip(page, addr, end, &from, &to);
        while (from < to &&
               !is_written(page, from)) /* by whole bytes of bits */
            from += page->written[from / 8] >> from % 8 ? 1 : 8 - from % 8;
        if (from < to)
            return page->addr + from;
    }
    return end;
}

bool pages_extent(const struct pages *pages, uint64_t addr, uint64_t length,
                  uint64_t *first, uint64_t *last)
{
    size_t i = index_from(pages, addr + length - 1) + 1, from, to;
    uint64_t end = addr + length;

    *first = pages_next(pages, addr, end);
    if (*first == end)
        return false;
    for (;;) { /* there is one, so this ends */
        const struct page *page;

        if (--i >= pages->count || pages->list[i]->addr >= end)
            continue;
        page = pages->list[i];
        clip(page, addr, end, &from, &to);
        while (to > from && !is_written(page, to - 1))
            to--;
        *last = page->addr + to - 1;
        if (to > from)
            return true;
    }
}

void pages_forget(struct pages *pages, uint64_t addr, uint64_t length)
{
    size_t first = index_from(pages, addr), last = first;

    if (first == pages->count)
        return;
    while (last < pages->count && pages->list[last]->addr < addr + length)
        drop(pages->list[last++]);
    memmove(&pages->list[first], &pages->list[last],
            (pages->count - last) * sizeof *pages->list);
    pages->count -= last - first;
}

void pages_share(struct pages *pages, const struct pages *other, uint64_t addr,
                 uint64_t length)
{
    for (size_t i = index_from(pages, addr);
         i < pages->count && pages->list[i]->addr < addr + length; i++) {
        struct page *mine = pages->list[i],
                    *theirs = page_at(other, mine->addr);

        if (!theirs || theirs->content == mine->content ||
            memcmp(mine->content->bytes, theirs->content->bytes,
                   ARCH_PAGE_SIZE) != 0)
            continue;
        drop_content(mine->content);
        mine->content = theirs->content;
        mine->content->uses++;
    }
}

size_t pages_memory(const struct pages *pages)
{
    size_t sum = pages->capacity * sizeof *pages->list;

    for (size_t i = 0; i < pages->count; i++)
        sum += (sizeof *pages->list[i] + sizeof *pages->list[i]->content /
                                             pages->list[i]->content->uses) /
               pages->list[i]->uses;
    return sum;
}
