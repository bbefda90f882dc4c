/* SPDX-License-Identifier: MIT */
/*
 * trace/words.h - texts by number, each kept once.
 *
 * A trace says the same few texts again and again: the disassembly of a loop, a
 * file's name, "call". A number for each is all that an event has to keep.
 */
#ifndef JITTRACE_TRACE_WORDS_H
#define JITTRACE_TRACE_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct words_block;

/* All zero is a valid empty one. */
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

#endif
