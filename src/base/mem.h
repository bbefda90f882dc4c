/* SPDX-License-Identifier: MIT */
/*
 * base/mem.h - memory that is always there, and bugs that are never hidden.
 *
 * Out of memory ends the program with a message (status 71, EX_OSERR) by
 * quick_exit(3): no caller could do better. A broken promise inside jittrace
 * aborts with its place. What is returned here is released with free(3).
 */
#ifndef JITTRACE_BASE_MEM_H
#define JITTRACE_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* size bytes, all zero; size 0 gives a pointer that can be freed. */
void *mem_alloc(size_t size);

/* To count elements of size bytes, as reallocarray(3): what is new is not
 * cleared. */
void *mem_resize(void *old, size_t count, size_t size);

/* A copy of size bytes, or of a text (NULL gives NULL). */
void *mem_copy(const void *from, size_t size);
char *mem_copy_text(const char *text);

/* Makes room for one more element in an array of *capacity elements: returns
 * it, perhaps moved. */
void *mem_grow(void *array, size_t used, size_t *capacity, size_t size);

/* How many elements of a sorted array are not above `at`: each of size bytes,
 * of which the first are a uint64_t that it is sorted by. */
size_t mem_until(const void *array, size_t count, size_t size, uint64_t at);

_Noreturn void mem_bug(const char *file, int line, const char *what);

/* States what must be true whatever the input; a bug if it is not. */
#define BUG_UNLESS(condition) \
    ((condition) ? (void)0 : mem_bug(__FILE__, __LINE__, #condition))

#endif
