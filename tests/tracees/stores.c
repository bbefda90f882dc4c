/* SPDX-License-Identifier: MIT */
/*
 * stores.c - more stores than anybody wants to see, and a large mapping.
 *
 * Stores 4000 bytes into each of eight pages, then `mov eax, 42; ret` into the
 * last bytes of the eighth and into the middle of a mapping of 2 MiB, makes
 * both executable and calls them. Prints "42 42".
 *
 * A tracer must report: stores up to its budgets and that they are spent; the
 * code of both, as it is when it is called.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const uint8_t insns[] = {0xb8, 42, 0, 0, 0, 0xc3};

static int call(uint8_t *page, size_t length, size_t at)
{
    memcpy(page + at, insns, sizeof insns);
    mprotect(page, length, PROT_READ | PROT_EXEC);
    return ((int (*)(void))(uintptr_t)(page + at))();
}

int main(void)
{
    volatile uint8_t *page = NULL;
    uint8_t *large;
    int small;

    for (int i = 0; i < 8; i++) {
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return 1;
        for (int at = 0; at < 4000; at++)
            page[at] = 0x90;
    }
    small = call((uint8_t *)page, 4096, 4080);
    large = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (large == MAP_FAILED)
        return 1;
    printf("%d %d\n", small, call(large, 2 << 20, 1 << 20));
    return 0;
}
