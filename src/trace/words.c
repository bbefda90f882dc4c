/* SPDX-License-Identifier: MIT */
/*
 * words.c - a hash table with open addressing (a text is in the first free slot
 * from its hash on), at most three quarters full. Texts lie one behind another
 * in blocks that never move.
 */
#include "trace/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SIZE 16384u
#define SLOTS      64u /* at first; always a power of two */

struct words_block {
    struct words_block *next;
    size_t used;
    size_t size;
    char text[];
};

void words_release(struct words *words)
{
    while (words->blocks) {
        struct words_block *next = words->blocks->next;

        free(words->blocks);
        words->blocks = next;
    }
    free(words->list);
    free(words->slots);
    *words = (struct words){0};
}

/* FNV-1a (Fowler, Noll, Vo; RFC 9923), with a last mix of the high bits. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3;
    return hash ^ hash >> 32;
}

/* The slot that has the text, or the free one where it belongs. */
static uint32_t *slot_of(const struct words *words, const char *text)
{
    size_t mask = words->slot_count - 1, i = hash_of(text) & mask;

    while (words->slots[i] &&
           strcmp(words->list[words->slots[i] - 1], text) != 0)
        i = (i + 1) & mask;
    return &words->slots[i];
}

static void grow_slots(struct words *words)
{
    words->slot_count = words->slot_count ? 2 * words->slot_count : SLOTS;
    free(words->slots);
    words->slots = mem_alloc(words->slot_count * sizeof *words->slots);
    for (size_t i = 0; i < words->count; i++)
        *slot_of(words, words->list[i]) = (uint32_t)i + 1;
}

static const char *keep(struct words *words, const char *text)
{
    size_t size = strlen(text) + 1;
    struct words_block *block = words->blocks;
    char *copy;

    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

        block = mem_resize(NULL, sizeof *block + room, 1);
        *block = (struct words_block){words->blocks, 0, room};
        words->blocks = block;
        words->block_bytes += sizeof *block + room;
    }
    copy = block->text + block->used;
    memcpy(copy, text, size);
    block->used += size;
    return copy;
}

uint32_t words_number(struct words *words, const char *text)
{
    uint32_t *slot;

    if (words->count >= words->slot_count / 4 * 3)
        grow_slots(words);
    slot = slot_of(words, text);
    if (*slot == 0) {
        BUG_UNLESS(words->count < UINT32_MAX);
        words->list = mem_grow(words->list, words->count, &words->capacity,
                               sizeof *words->list);
        words->list[words->count++] = keep(words, text);
        *slot = (uint32_t)words->count;
    }
    return *slot - 1;
}

const char *words_text(const struct words *words, uint32_t number)
{
    BUG_UNLESS(number < words->count);
    return words->list[number];
}

size_t words_memory(const struct words *words)
{
    return words->block_bytes + words->capacity * sizeof *words->list +
           words->slot_count * sizeof *words->slots;
}
