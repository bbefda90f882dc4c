/* SPDX-License-Identifier: MIT */
/*
 * Code in a shared memory segment of System V that is attached twice, once with
 * SHM_EXEC (shmat(2)).
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /SYSV00000000 (deleted)
 * reports: map r-x /SYSV00000000 (deleted)
 * reports: write +0 b805* also
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06 also
 * reports: enter +0 call
 * reports: leave return 6
 * reports: unmap 8192
 * reports: unmap 8192
 * reports: output 1 5 6\\n
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    int id = shmget(IPC_PRIVATE, 8192, 0700), first, second;
    uint8_t *writable = shmat(id, NULL, 0);
    uint8_t *executable = shmat(id, NULL, SHM_RDONLY | SHM_EXEC);
    int (*fn)(void) = (int (*)(void))(uintptr_t)executable;

    shmctl(id, IPC_RMID, NULL);
    if (writable == (void *)-1 || executable == (void *)-1)
        return 1;
    memcpy(writable, insns, sizeof insns);
    first = fn();
    writable[1] = 6;
    second = fn();
    shmdt(executable);
    shmdt(writable);
    printf("%d %d\n", first, second);
    return 0;
}
