/* SPDX-License-Identifier: MIT */
/*
 * A file is mapped twice. The private mapping has a copy of its own since code
 * was stored there; what is stored into the shared one later is not executed.
 *
 * prints:  5 5
 * ends:    status 0
 * reports: map rw- /memfd:code (deleted)
 * reports: map r* /memfd:code (deleted)
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06
 * reports: enter +0 call
 * reports: step +0 mov eax, 5
 * reports: leave return 5
 * never:   write * also
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    int file = memfd_create("code", 0), first;
    uint8_t *shared, *copy;
    int (*fn)(void);

    if (file < 0 || ftruncate(file, 4096) < 0)
        return 1;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (shared == MAP_FAILED || copy == MAP_FAILED)
        return 1;
    memcpy(copy, insns, sizeof insns);
    if (mprotect(copy, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    fn = (int (*)(void))(uintptr_t)copy;
    first = fn();
    shared[1] = 6;
    printf("%d %d\n", first, fn());
    return 0;
}
