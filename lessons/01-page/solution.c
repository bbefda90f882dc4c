/* SPDX-License-Identifier: MIT */
/*
 * Exercise 01: memory in whole pages.
 *
 * The kernel gives out whole pages, whatever was asked for. new_pages() is to
 * tell its caller how many bytes that are: 4096 for 1 byte, if a page has 4096.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Maps fresh memory for `wanted` bytes, at least 1. Stores in *length how many
 * bytes may really be used. Returns where they are; NULL if there is none. */
uint8_t *new_pages(size_t wanted, size_t *length)
{
    size_t page = (size_t)getpagesize();

    *length = (wanted + page - 1) / page * page;

    void *memory = mmap(NULL, *length, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}
