/* SPDX-License-Identifier: MIT */
/*
 * diff/same.h - whether two values of two runs are the same but for where the
 * kernel has put things.
 *
 * An address in a mapping of the trace is the same as one in the mapping that
 * came as the same one there, at the same offset. Of other memory (the program,
 * libraries, the stack, the heap) a trace does not say where it is. What the
 * kernel moves at random it moves by whole pages (ASLR; mm/util.c,
 * arch_mmap_rnd), so that two addresses of user space, above 4 GiB, are taken
 * for the same where they are whole pages apart. The stack pointer is moved by
 * multiples of 16 (arch_align_stack), so that the distance of the two stacks is
 * known for each pair of threads; of the first stack, where no entry tells, it
 * is learned from the first two addresses there. Below 4 GiB lie a program that
 * is no PIE and its heap, and numbers: there the distance must be one that was
 * seen.
 *
 * Two builds of a program have other places for everything. There all addresses
 * of other memory count as the same, but for functions that the trace names.
 *
 * Bits above an address (47 and up) may be a tag, as interpreters have them in
 * NaNs: these must be alike.
 */
#ifndef JITTRACE_DIFF_SAME_H
#define JITTRACE_DIFF_SAME_H

#include "trace/view.h"

/* How many distances between the two are remembered. */
#define SAME_DISTANCES 64u

/* A function outside that generated code has called. */
struct same_name {
    uint64_t addr;
    const char *symbol;
};

struct same_names {
    struct same_name *list;
    size_t count;
    size_t capacity;
};

/* All zero is a valid one that knows nothing. */
struct same {
    const struct view *view[2]; /* the moment on both sides */
    uint64_t *mappings;         /* by number less 1: that of the second, or 0 */
    size_t mapping_capacity;
    uint64_t stack[2];  /* the stack pointers of a pair of threads, or 0 */
    uint64_t number[2]; /* what is a pid or tid on each side */
    uint64_t distance[SAME_DISTANCES];
    unsigned distances;
    uint64_t main_stack; /* the distance of the two first stacks, or 0 */
    bool low;            /* the program may be below 4 GiB */
    bool builds;         /* the two are other builds */
    struct same_names names[2];
};

void same_release(struct same *same);

/* That address is of that function on that side; symbol is borrowed. */
void same_name(struct same *same, int side, uint64_t addr, const char *symbol);

/* The mapping with that number there is that one here. */
void same_pair(struct same *same, uint64_t mapping, uint64_t other);

/* The number of the second one's mapping, or 0. */
uint64_t same_mapping(const struct same *same, uint64_t mapping);

bool same_address(struct same *same, uint64_t a, uint64_t b);

/* The same of what only may be an address: both are where ASLR places things, and
 * as far apart as it does. */
bool same_far(struct same *same, uint64_t a, uint64_t b);

/* The same of what a register holds: a number, or an address. */
bool same_word(struct same *same, uint64_t a, uint64_t b);

/* The same of bytes: words of 8, and what is behind the last; 4 bytes can be
 * half of an address. */
bool same_bytes(struct same *same, struct bytes a, struct bytes b);

#endif
