/* SPDX-License-Identifier: MIT */
#include "check/layout.h"

/* Spots are kept for so many bytes at once. Of much code each function may run
 * for a few instructions only, and a spot takes 32 bytes (make bench, volume).
 */
#define BLOCK 128u

struct spots {
    struct range_value value;
    struct spot list[BLOCK];
};

void layout_release(struct layout *layout)
{
    ranges_release(&layout->blocks);
}

static uint64_t start_of(uint64_t addr)
{
    return addr - addr % BLOCK;
}

/* The spot of addr, if there is one, or if it is to be made. */
static struct spot *spot_of(struct layout *layout, uint64_t addr, bool make)
{
    uint64_t start = start_of(addr);
    struct spots *spots = ranges_change(&layout->blocks, start);

    if (!spots && make) {
        spots = range_value_new(sizeof *spots);
        ranges_set(&layout->blocks, start, start + 1, &spots->value);
        range_value_drop(&spots->value);
    }
    return spots ? &spots->list[addr - start] : NULL;
}

const struct spot *layout_at(const struct layout *layout, uint64_t addr)
{
    const struct spots *spots = ranges_at(&layout->blocks, start_of(addr));

    return spots ? &spots->list[addr % BLOCK] : NULL;
}

const struct spot *layout_first(const struct layout *layout, uint64_t addr)
{
    const struct spot *spot = layout_at(layout, addr);

    return !spot || !spot->ran ? NULL : layout_at(layout, addr - spot->back);
}

void layout_put(struct layout *layout, uint64_t addr, const struct spot *spot)
{
    for (uint8_t i = 0; i < spot->length; i++) {
        struct spot *to = spot_of(layout, addr + i, true);
        const struct spot before = *to;

        *to = *spot;
        to->stored = before.stored;
        to->back = i;
        to->entered = before.entered;
        to->was_entered = before.was_entered;
    }
}

void layout_again(struct layout *layout, uint64_t addr, uint64_t seq, int tid)
{
    struct spot *spot = spot_of(layout, addr, true);

    spot->ran = seq + 1;
    spot->tid = tid;
}

void layout_entered(struct layout *layout, uint64_t addr)
{
    spot_of(layout, addr, true)->entered = true;
}

static void clear(struct spot *spot)
{
    *spot = (struct spot){.stored = spot->stored,
                          .was_entered = spot->was_entered || spot->entered};
}

void layout_stored(struct layout *layout, uint64_t addr, uint64_t length,
                   uint64_t seq)
{
    for (uint64_t i = 0; i < length; i++) {
        const struct spot *spot = layout_at(layout, addr + i);
        uint64_t first = addr + i, end;

        if (!spot) { /* nothing of this block ran */
            i += BLOCK - 1 - (addr + i) % BLOCK;
            continue;
        }
        spot_of(layout, addr + i, true)->stored = seq + 1;
        if (!spot->ran)
            continue;
        first -= spot->back;
        end = first + spot->length;
        for (uint64_t at = first; at < end; at++)
            clear(spot_of(layout, at, true));
    }
}

void layout_forget(struct layout *layout, uint64_t addr, uint64_t length)
{
    const uint64_t end = addr + length;
    const struct stretch *next;
    uint64_t at = start_of(addr);
    size_t count;

    for (; at < end; at += BLOCK) {
        struct spots *spots;

        next = ranges_from(&layout->blocks, at, &count);
        if (count == 0 || next->from >= end)
            return;
        at = next->from;
        spots = ranges_change(&layout->blocks, at);
        for (unsigned i = 0; i < BLOCK; i++)
            if (at + i >= addr && at + i < end) {
                clear(&spots->list[i]);
                spots->list[i].stored = 0;
            }
    }
}

/* The nearest instruction below addr, in its page, that ran; or addr. If any
 * byte between was stored after that it is what was left of other code. */
static uint64_t known_below(const struct layout *layout, uint64_t addr)
{
    const struct spot *spot = layout_at(layout, addr);
    uint64_t stored = spot ? spot->stored : 0;

    for (uint64_t i = 1; i <= LAYOUT_REACH && i <= addr % ARCH_PAGE_SIZE; i++) {
        spot = layout_at(layout, addr - i);
        if (spot && spot->ran && spot->back == 0)
            return spot->ran > stored ? addr - i : addr;
        if (spot && spot->stored > stored)
            stored = spot->stored;
    }
    return addr;
}

int layout_around(const struct layout *layout, const struct view *view,
                  uint64_t addr, struct insn *out)
{
    uint64_t at = known_below(layout, addr);

    if (at == addr)
        return -1;
    while (at < addr) {
        if (!view_decode(view, at, out) ||
            !pages_all_written(&view->pages, at, out->length))
            return -1;
        if (at + out->length > addr)
            return 1;
        if (!insn_goes_on(out) || out->kind == INSN_CALL ||
            out->kind == INSN_SYSCALL)
            return -1;
        at += out->length;
    }
    return 0;
}
