/* SPDX-License-Identifier: MIT */
/*
 * read_into.c - code that the kernel stores: read(2) from a pipe.
 *
 * Reads `mov eax, 7; ret` into a fresh page, all but its last byte by read and
 * the last one by readv, turns the page executable and calls it. The reads
 * must not fail with EFAULT.
 *
 * prints:  5 + 1 bytes: 7
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b807000000 by read
 * reports: write +5 c3 by readv
 * reports: protect rw- r-x b807000000c3
 * reports: enter +0 call
 * reports: leave return 7
 * reports: exit status 0
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 7, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec rest = {code + 5, 1};
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int ends[2];
    ssize_t first, last;

    if (code == MAP_FAILED || pipe(ends) < 0 ||
        write(ends[1], insns, sizeof insns) != (ssize_t)sizeof insns)
        return 1;
    first = read(ends[0], code, 5);
    last = readv(ends[0], &rest, 1);
    if (first < 0 || last < 0) {
        perror("read_into");
        return 1;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d + %d bytes: %d\n", (int)first, (int)last, fn());
    return 0;
}
