/* SPDX-License-Identifier: MIT */
/*
 * Pages with code are given up by MADV_FREE (madvise(2)): the kernel may take
 * what they hold, or never does. Other code is stored there then.
 *
 * prints:  5, then 6
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 b8050000
 * reports: leave return 5
 * reports: write +0 b8060000
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
    uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    first = fn();
    madvise(code, 4096, MADV_FREE);
    insns[1] = 6;
    memcpy(code, insns, sizeof insns);
    printf("%d, then %d\n", first, fn());
    return 0;
}
