/* SPDX-License-Identifier: MIT */
/*
 * One page of three is made writable and patched; then a single call makes all
 * of them executable again. It changes that page only, and only that is told.
 *
 * prints:  42
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x
 * reports: protect r-x rw-
 * reports: write +4096 b82a000000c3 by read
 * reports: protect rw- r-x b82a000000c3
 * reports: enter +4096 call
 * reports: leave return 42
 * reports: exit status 0
 * never:   protect r-x r-x*
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

int main(void)
{
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];

    mprotect(code, 3 * PAGE, PROT_READ | PROT_EXEC);
    mprotect(code + PAGE, PAGE, PROT_READ | PROT_WRITE);
    if (pipe(ends) != 0 || write(ends[1], answer, sizeof answer) < 0 ||
        read(ends[0], code + PAGE, sizeof answer) < 0)
        return 1;
    mprotect(code, 3 * PAGE, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(code + PAGE))());
    return 0;
}
