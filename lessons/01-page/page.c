/* SPDX-License-Identifier: MIT */
/*
 * page.c - asks the kernel for one byte and gets a page.
 *
 *     page                      asks, looks, and stores a byte at offset 0
 *     page OFFSET               stores it there: 4095, 4096, -1, ...
 *     page OFFSET neighbour     the same, with another page right behind
 *
 * Build it with: gcc -g -O0 -o page page.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long offset = argc > 1 ? strtol(argv[1], NULL, 0) : 0;
    long size = getpagesize();
    long used = 0;

    /* [map] */
    uint8_t *page = mmap((void *)0x10000000, 1, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        perror("page: mmap");
        return EX_OSERR;
    }
    /* [/map] */

    /* [neighbour] */
    if (argc > 2)
        mmap(page + size, 1, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    /* [/neighbour] */

    for (long i = 0; i < size; i++)
        if (page[i] != 0)
            used++;
    printf("a page has %ld bytes, %ld of these are not 0\n", size, used);
    fflush(stdout);

    page[offset] = 42;
    printf("page[%ld] is %d now\n", offset, page[offset]);
    munmap(page, 1);
    return 0;
}
