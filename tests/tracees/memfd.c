/* SPDX-License-Identifier: MIT */
/*
 * memfd.c - code is written through one mapping and executed in another.
 *
 * Both are mappings of one file without a name (memfd_create(2)): one may be
 * written, the other one executed, and none is ever both. `mov eax, 5; ret` is
 * stored and called, then the 5 becomes a 6 and it is called again.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /memfd:code (deleted)
 * reports: map r-x /memfd:code (deleted)
 * reports: write +0 b8050000 also
 * reports: write +4 00c3 also
 * reports: enter +0 call
 * reports: step +0 mov eax, 5
 * reports: leave return 5
 * reports: write +1 06 also
 * reports: enter +0 call
 * reports: step +0 mov eax, 6
 * reports: leave return 6
 * never:   limit *
 * never:   write * by elsewhere
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    int file = memfd_create("code", 0), first, second;
    uint8_t *writable, *executable;
    int (*fn)(void);

    if (file < 0 || ftruncate(file, 4096) < 0)
        return 1;
    writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (writable == MAP_FAILED || executable == MAP_FAILED)
        return 1;
    fn = (int (*)(void))(uintptr_t)executable;
    memcpy(writable, insns, sizeof insns);
    first = fn();
    writable[1] = 6;
    second = fn();
    printf("%d %d\n", first, second);
    return 0;
}
