/* SPDX-License-Identifier: MIT */
/*
 * trace/regions.h - which addresses are mapped how: a sorted list of stretches
 * that do not overlap.
 *
 * System calls change any page range they like, so every change first cuts the
 * list at both ends of the range; after that it concerns whole regions only.
 */
#ifndef JITTRACE_TRACE_REGIONS_H
#define JITTRACE_TRACE_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h> /* PROT_* */

/* By what the write permission of a region is held back. */
enum write_guard {
    WRITE_GUARD_UNTRIED,
    WRITE_GUARD_UFFD,
    WRITE_GUARD_MPROTECT,
};

/* What an observer holds back from a region behind the program's back. */
struct region_guard {
    enum write_guard writes;
    unsigned taken;  /* PROT_* bits that the program has and the page has not */
    unsigned wanted; /* PROT_* bits whose use is to be seen */
    unsigned lost;   /* of those taken: could not be given back */
    uint64_t window; /* pages of a large region that can be executed although */
    uint64_t window_end; /* taken says otherwise; window == window_end: none */
    uint64_t stores;     /* stores seen so far, for the budget */
    bool code;           /* it could be executed at some time */
    uint64_t number;     /* which mapping of these, from 1; 0: not counted */
    bool as_data;        /* stores are not watched as long as it could not */
    bool shared;         /* it may be written by others, or elsewhere */
    bool blind;         /* since it was last read stores may have gone unseen */
    uint64_t device;    /* of the object that is mapped */
    uint64_t inode;     /* 0: it has none */
    uint64_t offset;    /* there, of the region's start */
    uint64_t read_at;   /* the space's count of mapping calls, when last read */
    uint64_t fresh;     /* the first byte that no event has carried as code */
    uint64_t fresh_end; /* behind the last one; fresh == fresh_end: none */
};

struct region {
    uint64_t addr;    /* page-aligned */
    uint64_t length;  /* bytes, whole pages, not 0 */
    uint64_t start;   /* where the mapping began that it was cut from */
    uint64_t mapping; /* which one that was, from 1: all its parts have it */
    unsigned prot;    /* PROT_* as the program asked for it */
    struct region_guard guard; /* an observer's own; all zero in a view */
};

/* All zero is a valid empty list. */
struct regions {
    struct region *list;
    size_t count;
    size_t capacity;
    uint64_t mappings; /* how many there have been */
};

void regions_release(struct regions *regions);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void regions_copy(struct regions *to, const struct regions *from);

/* Adds a region over whatever was in its range and returns it. Pointers into
 * the list are valid until the next change. */
struct region *regions_map(struct regions *regions, uint64_t addr,
                           uint64_t length, unsigned prot);

/* Removes what lies in the range, in part or as a whole. */
void regions_unmap(struct regions *regions, uint64_t addr, uint64_t length);

/* Cuts regions at both ends of the range. Afterwards a region lies wholly in
 * the range or wholly outside. Returns the index of the first region at or
 * above addr. */
size_t regions_cut(struct regions *regions, uint64_t addr, uint64_t length);

/* The region that holds addr, or NULL. */
struct region *regions_at(const struct regions *regions, uint64_t addr);

/* The first region that ends above addr, or NULL. */
struct region *regions_from(const struct regions *regions, uint64_t addr);

#endif
