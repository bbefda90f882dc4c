/* SPDX-License-Identifier: MIT */
/*
 * Memory from /dev/zero, as it was made before MAP_ANONYMOUS: privately, turned
 * executable; and shared, writable and executable.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /dev/zero
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: map rwx /dev/zero (deleted)
 * reports: write +0 b8060000
 * reports: enter +0 call
 * reports: leave return 6
 * never:   limit *
 * never:   write * by elsewhere
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    int zero = open("/dev/zero", O_RDWR), first;
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    uint8_t *shared;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = ((int (*)(void))(uintptr_t)code)();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED,
                  zero, 0);
    if (shared == MAP_FAILED)
        return 1;
    insns[1] = 6;
    memcpy(shared, insns, sizeof insns);
    printf("%d %d\n", first, ((int (*)(void))(uintptr_t)shared)());
    return 0;
}
