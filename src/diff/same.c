/* SPDX-License-Identifier: MIT */
#include "diff/same.h"

#include "base/mem.h"

#define PAGE       ARCH_PAGE_SIZE
#define FOUR_GIB   (UINT64_C(1) << 32)
#define LOWEST     0x400000u           /* of a program that is no PIE */
#define STACK_MOST (UINT64_C(8) << 20) /* bytes, as is usual (RLIMIT_STACK) */
#define ADDRESS    (ARCH_USER_END - 1) /* the bits of one */
#define NAN_BITS   (UINT64_C(0x7ff) << 52) /* of a double that is none */
#define SHORT      (UINT64_C(1) << 28)     /* a distance, in bytes */
/* The least high half of what ASLR places: a PIE, two thirds up
 * (ELF_ET_DYN_BASE). */
#define HIGHEST_LOW 0x5000u

void same_release(struct same *same)
{
    free(same->mappings);
    free(same->names[0].list);
    free(same->names[1].list);
    *same = (struct same){0};
}

static const char *name_of(const struct same *same, int side, uint64_t addr)
{
    const struct same_names *names = &same->names[side];

    for (size_t i = 0; i < names->count; i++)
        if (names->list[i].addr == addr)
            return names->list[i].symbol;
    return NULL;
}

void same_name(struct same *same, int side, uint64_t addr, const char *symbol)
{
    struct same_names *names = &same->names[side];

    if (name_of(same, side, addr))
        return;
    names->list = mem_grow(names->list, names->count, &names->capacity,
                           sizeof *names->list);
    names->list[names->count++] = (struct same_name){addr, symbol};
}

void same_pair(struct same *same, uint64_t mapping, uint64_t other)
{
    size_t old = same->mapping_capacity;

    if (mapping > old) {
        same->mapping_capacity = 2 * mapping;
        same->mappings = mem_resize(same->mappings, same->mapping_capacity,
                                    sizeof *same->mappings);
        memset(same->mappings + old, 0,
               (same->mapping_capacity - old) * sizeof *same->mappings);
    }
    if (mapping > 0)
        same->mappings[mapping - 1] = other;
}

uint64_t same_mapping(const struct same *same, uint64_t mapping)
{
    return mapping > 0 && mapping <= same->mapping_capacity
               ? same->mappings[mapping - 1]
               : 0;
}

static bool knows(const struct same *same, uint64_t distance)
{
    for (unsigned i = 0; i < same->distances; i++)
        if (same->distance[i] == distance)
            return true;
    return false;
}

static bool learn(struct same *same, uint64_t distance)
{
    if (!knows(same, distance) && same->distances < SAME_DISTANCES)
        same->distance[same->distances++] = distance;
    return true;
}

/* Whether both lie around the stack pointers, as far from these. */
static bool on_stack(const struct same *same, uint64_t a, uint64_t b)
{
    return same->stack[0] && same->stack[1] &&
           a - same->stack[0] == b - same->stack[1] &&
           a - same->stack[0] + STACK_MOST < 2 * STACK_MOST;
}

/* Whether both are of the stack of the first thread, which lies in the highest
 * 16 GiB (arch/x86: STACK_RND_MASK), as far apart as all there. */
static bool on_main_stack(struct same *same, uint64_t a, uint64_t b)
{
    const uint64_t lowest = ARCH_USER_END - 4 * FOUR_GIB - STACK_MOST;

    if (a < lowest || b < lowest || a >= ARCH_USER_END || b >= ARCH_USER_END ||
        (b - a) % 16 != 0)
        return false;
    if (same->main_stack == 0 && b - a + SHORT > 2 * SHORT)
        same->main_stack = b - a;
    return same->main_stack == b - a;
}

bool same_address(struct same *same, uint64_t a, uint64_t b)
{
    const struct region *left = view_region_at(same->view[0], a);
    const struct region *right = view_region_at(same->view[1], b);
    const char *name, *other;
    uint64_t distance = b - a;

    if (left && right && same_mapping(same, left->mapping) == right->mapping)
        return a - left->start == b - right->start &&
               (distance == 0 || learn(same, distance));
    if (a == b)
        return !left == !right;
    if (left && right)
        return false;
    name = name_of(same, 0, a);
    other = name_of(same, 1, b);
    if (name && other)
        return word_is(name, other);
    if (on_stack(same, a, b) || on_main_stack(same, a, b))
        return learn(same, distance);
    if (left || right || a >= ARCH_USER_END || b >= ARCH_USER_END)
        return false;
    if (same->builds && a >= FOUR_GIB && b >= FOUR_GIB)
        return true;
    if (distance % PAGE != 0) /* the stack of another thread, or none */
        return a >= FOUR_GIB && b >= FOUR_GIB && knows(same, distance) &&
               distance + SHORT > 2 * SHORT;
    if (a >= FOUR_GIB && b >= FOUR_GIB)
        return learn(same, distance);
    return same->low && a >= LOWEST && b >= LOWEST && knows(same, distance);
}

bool same_far(struct same *same, uint64_t a, uint64_t b)
{
    const uint64_t least = (uint64_t)HIGHEST_LOW << 32;
    const uint64_t distance = b - a;

    return a >= least && b >= least &&
           (knows(same, distance) || distance + FOUR_GIB > 2 * FOUR_GIB) &&
           same_address(same, a, b);
}

bool same_word(struct same *same, uint64_t a, uint64_t b)
{
    if (a == b)
        return true;
    if (same->number[0] && a == same->number[0] && b == same->number[1])
        return true;
    if ((a ^ b) & ~ADDRESS || ((a & ~ADDRESS) && (a & NAN_BITS) != NAN_BITS))
        return false;
    return same_address(same, a & ADDRESS, b & ADDRESS);
}

/* The low or the high half of two addresses, of known distance. A short
 * distance says little: two numbers may be as far apart. */
static bool same_half(const struct same *same, uint32_t a, uint32_t b)
{
    const bool may_be_high = a >= HIGHEST_LOW && b >= HIGHEST_LOW &&
                             ((a | b) & ~(uint32_t)(ADDRESS >> 32)) == 0;
    const bool may_be_low = same->low && a >= LOWEST && b >= LOWEST;
    const uint32_t apart = b - a;

    if (a == b ||
        (same->number[0] && a == same->number[0] && b == same->number[1]))
        return true;
    for (unsigned i = 0; i < same->distances; i++) {
        uint64_t distance = same->distance[i];
        uint32_t high = (uint32_t)(distance >> 32);

        if (apart == (uint32_t)distance &&
            (may_be_low || distance + SHORT > 2 * SHORT))
            return true;
        if (may_be_high && high != 0 && high != UINT32_MAX &&
            (apart == high || apart == high + 1))
            return true;
    }
    return false;
}

bool same_bytes(struct same *same, struct bytes a, struct bytes b)
{
    uint64_t left, right;
    size_t at = 0;

    if (a.len != b.len)
        return false;
    for (; a.len - at >= 8; at += 8) {
        memcpy(&left, a.data + at, 8);
        memcpy(&right, b.data + at, 8);
        if (!same_word(same, left, right))
            return false;
    }
    if (a.len - at >= 4) {
        uint32_t low, other;

        memcpy(&low, a.data + at, 4);
        memcpy(&other, b.data + at, 4);
        if (!same_half(same, low, other))
            return false;
        at += 4;
    }
    return a.len == at || memcmp(a.data + at, b.data + at, a.len - at) == 0;
}
