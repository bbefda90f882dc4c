/* SPDX-License-Identifier: MIT */
/*
 * Code in a shared memory object (shm_open(3)) that is mapped twice: one
 * mapping may be written, the other one executed. The object keeps its name.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /dev/shm/jittrace-*
 * reports: map r-x /dev/shm/jittrace-*
 * reports: write +0 b805* also
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
    char name[32];
    int file, first;

    snprintf(name, sizeof name, "/jittrace-%d", (int)getpid());
    file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || ftruncate(file, 4096) < 0)
        return 1;
    writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (writable == MAP_FAILED || executable == MAP_FAILED)
        return 1;
    memcpy(writable, insns, sizeof insns);
    fn = (int (*)(void))(uintptr_t)executable;
    first = fn();
    writable[1] = 6;
    printf("%d %d\n", first, fn());
    shm_unlink(name);
    return 0;
}
