/* SPDX-License-Identifier: MIT */
/*
 * Shared anonymous memory: code is stored and executed in one mapping, which is
 * turned executable; then a second mapping of it is made (mremap(2) with an old
 * size of 0), and the code is changed there.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /dev/zero (deleted)
 * reports: write +0 b8050000
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: map r-x /dev/zero (deleted)
 * reports: protect r-x rw- *
 * reports: write +1 06 also
 * reports: enter +0 call
 * reports: leave return 6
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    uint8_t *twin;
    int first;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = fn();
    twin = mremap(code, 0, 4096, MREMAP_MAYMOVE);
    if (twin == MAP_FAILED)
        return 1;
    mprotect(twin, 4096, PROT_READ | PROT_WRITE);
    twin[1] = 6;
    printf("%d %d\n", first, fn());
    return 0;
}
