/* SPDX-License-Identifier: MIT */
/*
 * Code in an ordinary file with a name that is mapped twice. The writable
 * mapping is there first, and is of no interest until the other one is made.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map r-x ?tmp?file_twin-*
 * reports: map rw- ?tmp?file_twin-*
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06 also
 * reports: enter +0 call
 * reports: leave return 6
 * never:   limit *
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *writable, *executable;
    int (*fn)(void);
    char name[64];
    int file, first;

    snprintf(name, sizeof name, "/tmp/file_twin-%d", (int)getpid());
    file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || ftruncate(file, 4096) < 0)
        return 1;
    writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (writable == MAP_FAILED)
        return 1;
    memcpy(writable, insns, sizeof insns);
    executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (executable == MAP_FAILED)
        return 1;
    fn = (int (*)(void))(uintptr_t)executable;
    first = fn();
    writable[1] = 6;
    printf("%d %d\n", first, fn());
    unlink(name);
    return 0;
}
