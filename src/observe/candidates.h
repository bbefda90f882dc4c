/* SPDX-License-Identifier: MIT */
/*
 * observe/candidates.h - which mappings may come to hold code: the regions of a
 * space, and the events of their coming and going.
 *
 * A mapping is of interest when it is anonymous and the program may write or
 * execute it, or is of shared memory that it may write. Other memory is looked
 * at when it gains the execute permission: the heap, static data, the stack,
 * files that are no libraries. An ELF file is a library: its code was made by a
 * compiler before the program began. That is told once for each.
 *
 * One object, a file or shared memory, may be mapped many times: code is stored
 * through one mapping and executed in another one, at other addresses. So an
 * object is known by its device and inode, and a byte by its offset there.
 *
 *      object   0 ....... 4096 ....... 8192
 *               |  rw-  |                        stores are seen here
 *               |      r-x       |               and executed here
 *
 * The protection of a mapping is what the kernel says, not what the program
 * has asked for: the two differ with READ_IMPLIES_EXEC (personality(2)).
 *
 * `call` is the text of the system call that has made a change, or NULL.
 */
#ifndef JITTRACE_OBSERVE_CANDIDATES_H
#define JITTRACE_OBSERVE_CANDIDATES_H

#include "observe/thread.h"
#include "target/proc.h"

/* What of a region is to be seen: execution, and stores while it is small. */
unsigned candidate_wanted(const struct thread *thread,
                          const struct region *region, bool stores);

/* Tells of a region, while no guard is armed there. */
void candidate_tell(struct thread *thread, const struct region *region,
                    const struct maps_line *line, const char *call);

/* Memory that the program has just got, in place of what was there: becomes a
 * region, guarded, if it may come to hold code. */
void candidate_appeared(struct thread *thread, uint64_t addr, uint64_t end,
                        bool is_stack, const char *call);

/* Memory that was of no interest is about to get the protection that is
 * args[2] of the present call; what of it may hold code becomes a region. */
void candidate_discover(struct thread *thread, uint64_t addr, uint64_t end);

/* The object of that line (all zero: none) is executed from now on. What of it
 * is mapped for writing already becomes a region. */
void candidate_find_writable(struct thread *thread,
                             const struct maps_line *executed);

/* What is executable when the program stands at its entry point and is no
 * library, such as a stack. */
void candidate_find_executable(struct thread *thread);

/* From now on what the heap loses and gains is of interest. */
void candidate_follow_brk(struct thread *thread);

/* Forgets what is known of a range, and tells of each region there; or of what
 * is there no more: the kernel has taken it before it refused the rest. */
void candidate_forget(struct thread *thread, uint64_t addr, uint64_t length,
                      const char *call);
void candidate_forget_missing(struct thread *thread, uint64_t addr,
                              uint64_t length, const char *call);

#endif
