/* SPDX-License-Identifier: MIT */
/*
 * A mprotect(2) over two pages of which the second does not exist: it fails, and
 * the first page is executable nevertheless.
 *
 * prints:  -1 5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8050000
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result;

    if (code == MAP_FAILED)
        return 1;
    munmap(code + 4096, 4096);
    memcpy(code, insns, sizeof insns);
    result = mprotect(code, 2 * 4096, PROT_READ | PROT_EXEC);
    printf("%d %d\n", result, ((int (*)(void))(uintptr_t)code)());
    return 0;
}
