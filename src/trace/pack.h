/* SPDX-License-Identifier: MIT */
/*
 * trace/pack.h - an event as few bytes, and back.
 *
 * What is packed stands for itself: to unpack it takes no other event, only the
 * words and the usual values that it was packed with.
 */
#ifndef JITTRACE_TRACE_PACK_H
#define JITTRACE_TRACE_PACK_H

#include "trace/event.h"

struct words_block;

/* Texts by number, each kept once. A trace says the same few again and again:
 * the disassembly of a loop, a file's name, "call". All zero is a valid empty
 * one. */
struct words {
    const char **list; /* by number */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* a hash table: numbers plus 1, or 0 where free */
    size_t slot_count;
    struct words_block *blocks; /* where the texts are */
    size_t block_bytes;         /* all blocks together */
};

void words_release(struct words *words);

/* The number of that text, which is copied when it is new. */
uint32_t words_number(struct words *words, const char *text);

/* The text of that number, which must exist; valid until words_release. */
const char *words_text(const struct words *words, uint32_t number);

/* What they take, in bytes. */
size_t words_memory(const struct words *words);

/* What an event need not say: the same when it is packed and unpacked. */
struct pack_usual {
    uint64_t seq;
    int tid;
};

/* No kind of event has more fields that are lists. */
#define PACK_LISTS 4

/* An unpacked event. All zero is a valid one that holds nothing. */
struct unpacked {
    struct event event;
    struct {
        void *memory;
        size_t size; /* in bytes */
    } list[PACK_LISTS];
};

void unpacked_release(struct unpacked *unpacked);

/* Appends the packed event. */
void pack_event(const struct event *event, struct pack_usual usual,
                struct words *words, struct buf *out);

/* Unpacks what pack_event has made. The event's texts are those of words, its
 * bytes (struct bytes) those of packed, its lists are in *out and so are valid
 * until it is used again. */
void unpack_event(const uint8_t *packed, struct pack_usual usual,
                  const struct words *words, struct unpacked *out);

#endif
