/* SPDX-License-Identifier: MIT */
/*
 * One thread stores code through one mapping of shared memory, another one
 * executes it in the other mapping; in turns.
 *
 * prints:  0 1 2 3
 * ends:    status 0
 * reports: map rw- /memfd:code (deleted)
 * reports: map r-x /memfd:code (deleted)
 * reports: write +1 00 also
 * reports: leave return 0
 * reports: write +1 01 also
 * reports: leave return 1
 * reports: write +1 02 also
 * reports: leave return 2
 * reports: write +1 03 also
 * reports: leave return 3
 * never:   limit *
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t *writable, *executable;
static sem_t stored, executed;

static void *make(void *unused)
{
    for (uint8_t i = 0; i < 4; i++) {
        writable[1] = i;
        sem_post(&stored);
        sem_wait(&executed);
    }
    return unused;
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 9, 0, 0, 0, 0xc3};
    int file = memfd_create("code", 0), results[4];
    pthread_t maker;

    if (file < 0 || ftruncate(file, 4096) < 0)
        return 1;
    writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    if (writable == MAP_FAILED || executable == MAP_FAILED)
        return 1;
    memcpy(writable, insns, sizeof insns);
    sem_init(&stored, 0, 0);
    sem_init(&executed, 0, 0);
    if (pthread_create(&maker, NULL, make, NULL) != 0)
        return 1;
    for (int i = 0; i < 4; i++) {
        sem_wait(&stored);
        results[i] = ((int (*)(void))(uintptr_t)executable)();
        sem_post(&executed);
    }
    pthread_join(maker, NULL);
    printf("%d %d %d %d\n", results[0], results[1], results[2], results[3]);
    return 0;
}
