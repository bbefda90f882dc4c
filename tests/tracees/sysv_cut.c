/* SPDX-License-Identifier: MIT */
/*
 * Shared memory of System V that is cut in three by mprotect(2), and detached
 * by a single call: all of it is gone then. What takes its place is new.
 *
 * prints:  detached
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- /SYSV*
 * reports: protect rw- r-x b805000000c3
 * reports: enter +4096 call
 * reports: leave return 5
 * reports: unmap 4096
 * reports: unmap 4096
 * reports: unmap 4096
 * reports: output 1 detached
 * reports: map rw- anonymous
 * reports: protect rw- r-x b806000000c3
 * reports: enter +8192 call
 * reports: leave return 6
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define PAGE 4096

static int call(uint8_t *code, uint8_t value)
{
    const uint8_t insns[] = {0xb8, value, 0, 0, 0, 0xc3};

    memcpy(code, insns, sizeof insns);
    if (mprotect(code, PAGE, PROT_READ | PROT_EXEC) < 0)
        return -1;
    return ((int (*)(void))(uintptr_t)code)();
}

int main(void)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE, IPC_CREAT | 0700), first;
    uint8_t *pages = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
    uint8_t *again;

    setvbuf(stdout, NULL, _IONBF, 0);
    shmctl(id, IPC_RMID, NULL);
    if (pages == (void *)-1)
        return 1;
    first = call(pages + PAGE, 5);
    if (shmdt(pages) < 0)
        return 1;
    puts("detached");
    again = mmap(pages, 3 * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (again != pages)
        return 1;
    printf("%d %d\n", first, call(pages + 2 * PAGE, 6));
    return 0;
}
