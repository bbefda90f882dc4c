/* SPDX-License-Identifier: MIT */
/*
 * Shared memory of 2 MiB, too large to watch its stores, is mapped twice. The
 * code in it is executed, changed, executed again.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /memfd:code (deleted)
 * reports: limit length
 * reports: map r-x /memfd:code (deleted)
 * reports: limit length
 * reports: enter +1048576 call
 * reports: step +1048576 mov eax, 5
 * reports: leave return 5
 * reports: enter +1048576 call
 * reports: step +1048576 mov eax, 6
 * reports: leave return 6
 * never:   write *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (2 << 20)

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    int file = memfd_create("code", 0), first;
    uint8_t *writable, *executable;
    int (*fn)(void);

    if (file < 0 || ftruncate(file, SIZE) < 0)
        return 1;
    writable = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    executable = mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (writable == MAP_FAILED || executable == MAP_FAILED)
        return 1;
    memcpy(writable + SIZE / 2, insns, sizeof insns);
    fn = (int (*)(void))(uintptr_t)(executable + SIZE / 2);
    first = fn();
    writable[SIZE / 2 + 1] = 6;
    printf("%d %d\n", first, fn());
    return 0;
}
