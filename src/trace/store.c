/* SPDX-License-Identifier: MIT */
/*
 * store.c - packed events in chunks that never move:
 *
 *      0                                                            size
 *      | event | event | event | ...  free  ... | 2: at | 1: at | 0: at |
 *
 * From the front the events, from the end where each of them begins, in two
 * bytes. An event that is larger than a chunk gets one of its own. A chunk
 * knows the number of its first event, so an event is found by a binary search
 * in the list of chunks and one look at the end of a chunk.
 */
#include "trace/store.h"

#include "base/mem.h"

#define CHUNK_SIZE 65536u /* where an event begins fits in 16 bits */

struct store_chunk {
    uint64_t first; /* number of its first event */
    uint8_t *data;
    size_t size;
    size_t used;  /* by events */
    size_t count; /* of events */
};

void store_release(struct store *store)
{
    for (size_t i = 0; i < store->chunk_count; i++)
        free(store->chunks[i].data);
    free(store->chunks);
    words_release(&store->words);
    buf_release(&store->packed);
    if (store->last)
        unpacked_release(store->last);
    free(store->last);
    *store = (struct store){0};
}

/* Where it is written at which offset event number i of a chunk begins. */
static uint8_t *index_at(const struct store_chunk *chunk, size_t i)
{
    return chunk->data + chunk->size - (i + 1) * sizeof(uint16_t);
}

void store_append(struct store *store, const struct event *event)
{
    struct buf *packed = &store->packed;
    struct store_chunk *chunk;
    size_t need;
    uint16_t at;

    if (!store->last) {
        store->last = mem_alloc(sizeof *store->last);
        store->tid = event->tid;
    }
    buf_clear(packed);
    pack_event(event, (struct pack_usual){store->count, store->tid},
               &store->words, packed);
    need = packed->len + sizeof at;
    chunk = store->chunk_count ? &store->chunks[store->chunk_count - 1] : NULL;
    if (!chunk || chunk->size - chunk->used - chunk->count * sizeof at < need) {
        store->chunks = mem_grow(store->chunks, store->chunk_count,
                                 &store->chunk_capacity, sizeof *chunk);
        chunk = &store->chunks[store->chunk_count++];
        *chunk =
            (struct store_chunk){.first = store->count,
                                 .size = need > CHUNK_SIZE ? need : CHUNK_SIZE};
        chunk->data = mem_resize(NULL, chunk->size, 1);
        store->chunk_bytes += chunk->size;
    }
    at = (uint16_t)chunk->used;
    memcpy(index_at(chunk, chunk->count++), &at, sizeof at);
    memcpy(chunk->data + chunk->used, packed->data, packed->len);
    chunk->used += packed->len;
    store->count++;
}

void store_read(const struct store *store, uint64_t seq, struct unpacked *out)
{
    const struct store_chunk *chunk;
    uint16_t at;

    BUG_UNLESS(seq < store->count);
    chunk = &store->chunks[mem_until(store->chunks, store->chunk_count,
                                     sizeof *chunk, seq) -
                           1];
    memcpy(&at, index_at(chunk, seq - chunk->first), sizeof at);
    unpack_event(chunk->data + at, (struct pack_usual){seq, store->tid},
                 &store->words, out);
}

const struct event *store_event(const struct store *store, uint64_t seq)
{
    store_read(store, seq, store->last);
    return &store->last->event;
}

size_t store_memory(const struct store *store)
{
    size_t sum = sizeof *store + words_memory(&store->words) +
                 store->chunk_capacity * sizeof *store->chunks +
                 store->chunk_bytes + store->packed.capacity;

    if (!store->last)
        return sum;
    sum += sizeof *store->last;
    for (size_t i = 0; i < PACK_LISTS; i++)
        sum += store->last->list[i].size;
    return sum;
}
