/* SPDX-License-Identifier: MIT */
/*
 * Pages with code lose what they hold: MADV_DONTNEED (madvise(2)). Other code is
 * stored there.
 *
 * prints:  5, 0, 6
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 b8050000
 * reports: leave return 5
 * reports: write +0 000000000000 by madvise
 * reports: write +0 b8060000
 * reports: enter +0 call
 * reports: leave return 6
 * never:   limit *
 * never:   write * by elsewhere
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first, second;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    first = fn();
    madvise(code, 2 * 4096, MADV_DONTNEED);
    second = code[0];
    insns[1] = 6;
    memcpy(code, insns, sizeof insns);
    printf("%d, %d, %d\n", first, second, fn());
    return 0;
}
