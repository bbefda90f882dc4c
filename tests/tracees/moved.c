/* SPDX-License-Identifier: MIT */
/*
 * moved.c - code that is moved to other addresses while it is being made.
 *
 * One byte of `mov eax, 7; ret` is stored; mremap(2) with MREMAP_DONTUNMAP
 * moves it, which leaves an empty page behind, and one more is stored;
 * mremap moves it again, and the rest is stored and called. The page left
 * behind is written to as well.
 *
 * prints:  7, and 9 was left behind
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8
 * reports: write +0 00 by mremap
 * reports: map rw- anonymous
 * reports: write +0 b8 by mremap
 * reports: write +1 07
 * reports: unmap 4096
 * reports: map rw- anonymous
 * reports: write +0 b807 by mremap
 * reports: write +5 c3
 * reports: write +0 09
 * reports: protect rw- r-x b807000000c3
 * reports: enter +0 call
 * reports: leave return 7
 * never:   limit *
 * never:   write * by elsewhere
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

int main(void)
{
    uint8_t *first = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *room =
        mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *second, *third;

    if (first == MAP_FAILED || room == MAP_FAILED)
        return 1;
    first[0] = 0xb8;
    second = mremap(first, 4096, 4096, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    if (second == MAP_FAILED) {
        perror("moved");
        return 1;
    }
    second[1] = 7;
    third = mremap(second, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room);
    if (third == MAP_FAILED) {
        perror("moved");
        return 1;
    }
    third[5] = 0xc3;
    first[0] += 9; /* 0 + 9: the byte has moved */
    mprotect(third, 4096, PROT_READ | PROT_EXEC);
    printf("%d, and %d was left behind\n", ((int (*)(void))(uintptr_t)third)(),
           first[0]);
    return 0;
}
