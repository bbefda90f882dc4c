/* SPDX-License-Identifier: MIT */
/*
 * observe/objects.h - what mappings are made from.
 *
 * One object, a file or shared memory, may be mapped many times: code is stored
 * through one mapping and executed in another one, at other addresses. So an
 * object is known by its device and inode, and a byte of it by its offset there.
 *
 *      object   0 ....... 4096 ....... 8192
 *               |  rw-  |                        stores are seen here
 *               |      r-x       |               and executed here
 *
 * An ELF file is a library: its code was made by a compiler before the program
 * began, and is not of interest. That is told once for each.
 */
#ifndef JITTRACE_OBSERVE_OBJECTS_H
#define JITTRACE_OBSERVE_OBJECTS_H

#include "observe/thread.h"
#include "target/proc.h"

/* Notes what a region is made from; its line of maps is given. */
void object_set(struct region *region, const struct maps_line *line);

/*
 * Finds the executable region that has the same memory as [addr, addr + len)
 * of another region, in which these bytes are, and where in it. NULL: none.
 */
struct region *object_twin(const struct thread *thread,
                           const struct region *region, uint64_t addr,
                           struct bytes bytes, uint64_t *also);

/* Whether the program can store to the region's memory, through this mapping or
 * another one, without being seen. */
bool object_is_open(const struct space *space, const struct region *region);

/*
 * Whether the line is one of a library or program, an ELF file. fd is the
 * program's descriptor of it, or -1.
 */
bool object_is_library(const struct thread *thread, int fd,
                       const struct maps_line *line);

/* The line is known to be such a one. */
void object_set_library(struct space *space, const struct maps_line *line);

/* Tells once that such a file is not watched, and what it is; and whether that
 * was told. */
void object_tell_library(const struct thread *thread,
                         const struct maps_line *line, const char *what);
bool object_is_told(struct space *space, const struct maps_line *line);

/* Whether what is stored through a shared mapping may be executed by another:
 * it is so already, or the object is made for sharing memory. */
bool object_may_hold_code(const struct space *space,
                          const struct maps_line *line);

/*
 * The object of the line is mapped for execution. Returns whether there may be
 * mappings of it that are not known, for they were of no interest so far.
 */
bool object_set_executed(struct space *space, const struct maps_line *line);

#endif
