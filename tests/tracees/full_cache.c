/* SPDX-License-Identifier: MIT */
/*
 * A code cache of 64 KiB is filled with functions, 4 KiB apart, that each read a
 * number behind them, and the zeros behind it; every second one is called, and
 * one that has run is given another number to add.
 *
 * prints:  71
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 *
 * reports: enter +0 call
 * reports: step +0 mov eax*
 * reports: leave return 1
 * reports: enter +8192 call
 * reports: leave return 4
 * reports: write +8200 07
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK  4096
#define BLOCKS 16

int main(void)
{
    uint8_t block[1024] = {
        0x8b, 0x05, 0x3a, 0, 0, 0, /* mov eax, [rip+58] */
        0x83, 0xc0, 0x01,          /* add eax, 1 */
        0xc3,                      /* ret */
    };
    volatile uint8_t *cache =
        mmap(NULL, BLOCKS * BLOCK, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int sum = 0;

    if (cache == MAP_FAILED)
        return 1;
    for (int i = 0; i < BLOCKS; i++) {
        block[64] = (uint8_t)i;
        block[8] = (uint8_t)(i < 2 ? 1 : 2);
        memcpy((uint8_t *)cache + i * BLOCK, block, sizeof block);
        if (i % 2 == 0)
            sum += ((int (*)(void))(uintptr_t)(cache + i * BLOCK))();
    }
    cache[2 * BLOCK + 8] = 7;
    printf("%d\n", sum);
    return 0;
}
