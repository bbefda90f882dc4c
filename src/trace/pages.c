/* SPDX-License-Identifier: MIT */
#include "trace/pages.h"

#include "base/mem.h"
#include "cpu/regs.h"

/* A page is found by its first address; behind the last page there is none. One
 * that was written as a whole ends in front of `written`. */
struct page {
    struct range_value value;
    uint8_t bytes[ARCH_PAGE_SIZE];
    uint8_t written[ARCH_PAGE_SIZE / 8]; /* a bit for each byte */
};

static bool is_whole(const struct page *page)
{
    return page->value.size < sizeof *page;
}

static uint64_t start_of(uint64_t addr)
{
    return addr - addr % ARCH_PAGE_SIZE;
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
        uint64_t start = start_of(addr + done);
        struct page *page = ranges_change(&pages->ranges, start);
        size_t at = addr + done - start;

        part = part_of(addr + done, bytes.len - done);
        if (!page) {
            page = range_value_new(part < ARCH_PAGE_SIZE
                                       ? sizeof *page
                                       : offsetof(struct page, written));
            ranges_set(&pages->ranges, start, start + 1, &page->value);
            range_value_drop(&page->value);
        }
        memcpy(page->bytes + at, bytes.data + done, part);
        for (size_t i = at; i < at + part && !is_whole(page); i++)
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
        const struct page *page = ranges_at(&pages->ranges, start_of(addr));
        size_t at = addr % ARCH_PAGE_SIZE, part = part_of(addr, len);

        if (page)
            memcpy(out, page->bytes + at, part);
        else
            memset(out, 0, part);
        addr += part;
        out += part;
        len -= part;
    }
}

static bool is_written(const struct page *page, size_t at)
{
    return is_whole(page) || (page->written[at / 8] >> at % 8 & 1);
}

size_t pages_read_marks(const struct pages *pages, uint64_t addr, size_t len,
                        uint8_t *out, bool *written)
{
    const struct page *page = ranges_at(&pages->ranges, start_of(addr));
    size_t at = addr % ARCH_PAGE_SIZE;

    len = part_of(addr, len);
    pages_read(pages, addr, len, out);
    for (size_t i = 0; i < len; i++)
        written[i] = page && is_written(page, at + i);
    return len;
}

bool pages_written(const struct pages *pages, uint64_t addr)
{
    const struct page *page = ranges_at(&pages->ranges, start_of(addr));

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

uint64_t pages_next(const struct pages *pages, uint64_t addr, uint64_t end)
{
    size_t count;
    const struct stretch *at =
        ranges_from(&pages->ranges, start_of(addr), &count);

    for (; count > 0 && at->from < end; at++, count--) {
        const struct page *page = (const struct page *)at->value;
        size_t i = addr > at->from ? addr - at->from : 0;
        size_t stop = part_of(at->from, end - at->from);

        while (i < stop && !is_written(page, i)) /* by whole bytes of bits */
            i += page->written[i / 8] >> i % 8 ? 1 : 8 - i % 8;
        if (i < stop)
            return at->from + i;
    }
    return end;
}

bool pages_extent(const struct pages *pages, uint64_t addr, uint64_t length,
                  uint64_t *first, uint64_t *last)
{
    uint64_t end = addr + length;
    size_t count, behind;
    const struct stretch *at;

    *first = pages_next(pages, addr, end);
    if (*first == end)
        return false;
    at = ranges_from(&pages->ranges, start_of(*first), &count);
    ranges_from(&pages->ranges, start_of(end - 1) + 1, &behind);
    for (at += count - behind - 1;; at--) { /* there is one, so this ends */
        const struct page *page = (const struct page *)at->value;
        size_t i = part_of(at->from, end - at->from);

        while (i > 0 && !is_written(page, i - 1))
            i--;
        *last = at->from + i - 1;
        if (i > 0)
            return true;
    }
}

/* Whether they hold the same, and the same was written. */
static bool is_same(const struct page *page, const struct page *other)
{
    const size_t from = offsetof(struct page, bytes);

    return page->value.size == other->value.size &&
           memcmp((const uint8_t *)page + from, (const uint8_t *)other + from,
                  page->value.size - from) == 0;
}

void pages_share(struct pages *pages, const struct pages *other, uint64_t addr,
                 uint64_t length)
{
    for (uint64_t at = start_of(addr); at < addr + length;
         at += ARCH_PAGE_SIZE) {
        const struct page *mine = ranges_at(&pages->ranges, at);
        struct page *theirs = ranges_at(&other->ranges, at);

        if (mine && theirs && mine != theirs && is_same(mine, theirs))
            ranges_set(&pages->ranges, at, at + 1, &theirs->value);
    }
}
