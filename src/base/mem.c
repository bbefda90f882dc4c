/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void *or_die(void *memory)
{
    if (!memory) {
        fputs("jittrace: out of memory\n", stderr);
        quick_exit(EX_OSERR); /* a terminal is put back: step/terminal.c */
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return or_die(calloc(1, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return or_die(reallocarray(old, count, size));
}

void *mem_copy(const void *from, size_t size)
{
    void *copy = mem_alloc(size);

    return size ? memcpy(copy, from, size) : copy;
}

char *mem_copy_text(const char *text)
{
    return text ? mem_copy(text, strlen(text) + 1) : NULL;
}

void *mem_grow(void *array, size_t used, size_t *capacity, size_t size)
{
    if (used < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 8;
    return mem_resize(array, *capacity, size);
}

size_t mem_until(const void *array, size_t count, size_t size, uint64_t at)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (*(const uint64_t *)((const char *)array + middle * size) > at)
            count = middle;
        else
            low = middle + 1;
    }
    return low;
}

_Noreturn void mem_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "jittrace: bug at %s:%d: %s is not true\n", file, line,
            what);
    abort();
}
