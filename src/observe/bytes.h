/* SPDX-License-Identifier: MIT */
/*
 * observe/bytes.h - what is known of the bytes of regions, and the events of
 * those that were written.
 *
 * Known is what was seen being stored. The rest is found by comparing: when a
 * system call has written, when others could store meanwhile, when code is
 * entered that may have been stored by a way that nobody watches.
 */
#ifndef JITTRACE_OBSERVE_BYTES_H
#define JITTRACE_OBSERVE_BYTES_H

#include "observe/thread.h"

/* Who has stored something. */
struct storer {
    const char *by; /* as in a write; NULL: the instruction of thread->store */
    struct srcline source;
    struct line_callers callers;
};

/* Tells of bytes that were stored. */
void bytes_store(struct thread *thread, struct region *region, uint64_t addr,
                 struct bytes old, struct bytes now,
                 const struct storer *storer);

/* Which bytes a comparison tells of: each stretch that differs; all from the
 * first to the last byte that does; all, if they can be read. */
enum compared {
    COMPARE_EACH,
    COMPARE_WHOLE,
    COMPARE_ALL,
};

/* Compares [from, to) with what is known of it, and tells of it as written `by`
 * something; where that is NULL it is noted only: it is known why nobody saw
 * the stores. And the same for a page as a whole. */
void bytes_compare(struct thread *thread, struct region *region, uint64_t from,
                   uint64_t to, const char *by, enum compared told);
void bytes_refresh(struct thread *thread, struct region *region, uint64_t addr,
                   const char *by);

/* Reads a region that may hold what nobody has seen being stored: it is about
 * to be compared with what is known of it. */
void bytes_know(struct thread *thread, struct region *region);

/* The CPU is about to execute an instruction that was just read. What nobody
 * has seen being stored is found here, for a way around every guard is always
 * open (/proc/PID/mem), and to read all at each entry would take too long. */
void bytes_check(struct thread *thread, const struct insn *insn);

/* Whether only what is seen can change the bytes of the region. And whether the
 * program can store to its memory, through this mapping or another one, without
 * being seen. */
bool bytes_are_steady(const struct region *region);
bool bytes_are_open(const struct space *space, const struct region *region);

/* The bytes of a region from its first to its last written one, as they are in
 * memory now. For an entry at pc more than a page is cut to what no event has
 * carried; of a region beyond the budget only the pages at pc are read. pc == 0
 * asks for all there is. Returns false when there are none. */
bool bytes_of_code(struct thread *thread, struct region *region, uint64_t pc,
                   struct buf *out, uint64_t *offset);

#endif
