/* SPDX-License-Identifier: MIT */
/*
 * Code is unmapped and other code mapped at the same address: by munmap(2) and
 * mmap(2), and by a mmap with MAP_FIXED over it.
 *
 * prints:  5 6 7
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8050000
 * reports: leave return 5
 * reports: unmap 4096
 * reports: map rw- anonymous
 * reports: write +0 b8060000
 * reports: protect rw- r-x b806000000c3
 * reports: leave return 6
 * reports: unmap 4096
 * reports: map rw- anonymous
 * reports: write +0 b8070000
 * reports: protect rw- r-x b807000000c3
 * reports: leave return 7
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static uint8_t *make(uint8_t *where, uint8_t value)
{
    const uint8_t insns[] = {0xb8, value, 0, 0, 0, 0xc3};
    uint8_t *code =
        mmap(where, 4096, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);

    if (code == MAP_FAILED)
        return NULL;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    return code;
}

int main(void)
{
    uint8_t *code = make(NULL, 5);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first, second;

    if (!code)
        return 1;
    first = fn();
    munmap(code, 4096);
    if (make(code, 6) != code)
        return 1;
    second = fn();
    if (make(code, 7) != code)
        return 1;
    printf("%d %d %d\n", first, second, fn());
    return 0;
}
