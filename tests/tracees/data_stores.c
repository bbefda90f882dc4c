/* SPDX-License-Identifier: MIT */
/*
 * Fills memory that never becomes code, 4000 bytes in each of two mappings, as
 * the data of any program; then makes code in a third one: 300 times `nop`,
 * `mov eax, 42; ret`. A block of malloc's is filled, too.
 *
 * prints:  42
 * ends:    status 0
 * options: --max-data-stores=500
 * reports: map rw- anonymous
 * reports: write +499 01
 * reports: limit data-stores
 * reports: map rw- anonymous
 * reports: write +255 01
 * reports: limit data-stores
 * reports: map rw- anonymous
 * reports: write +255 90
 * reports: limit data-stores
 * reports: protect rw- r-x *9090b82a000000c3
 * reports: enter +0 call
 * reports: leave return 42
 * reports: protect r-x rw- *
 * reports: write +1 91
 * reports: exit status 0
 * never:   write +500 01
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static volatile uint8_t *map(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
}

int main(void)
{
    static const uint8_t end[] = {0xb8, 42, 0, 0, 0, 0xc3};
    volatile uint8_t *block = malloc(300000), *code;

    if (!block)
        return 1;
    for (int i = 0; i < 3000; i++)
        block[i] = 1;
    for (int n = 0; n < 2; n++) {
        volatile uint8_t *data = map();

        for (int i = 0; i < 4000; i++)
            data[i] = 1;
    }
    code = map();
    for (int i = 0; i < 300; i++)
        code[i] = 0x90;
    for (int i = 0; i < 6; i++)
        code[300 + i] = end[i];
    mprotect((void *)(uintptr_t)code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    mprotect((void *)(uintptr_t)code, 4096, PROT_READ | PROT_WRITE);
    code[1] = 0x91;
    return 0;
}
