/* SPDX-License-Identifier: MIT */
/*
 * Three threads write one function in one page, each every third byte, all at
 * the same time; behind a barrier the page is made executable and called.
 *
 * The function is 63 times `nop`, then `mov eax, 42; ret`. The tracer must
 * report each store, by whom it was made; a store that it misses while another
 * thread has the page open must be reported as made elsewhere. The test looks
 * at that.
 *
 * prints:  42
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write *
 * reports: protect rw- r-x 909090*90b82a000000c3
 * reports: enter +0 call
 * reports: leave return 42
 * never:   limit *
 * never:   signal *
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define THREADS 3
#define SIZE    69

static uint8_t insns[SIZE];
static volatile uint8_t *page;
static pthread_barrier_t barrier;

static void *store(void *first)
{
    pthread_barrier_wait(&barrier);
    for (size_t i = (size_t)(uintptr_t)first; i < SIZE; i += THREADS)
        page[i] = insns[i];
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    memset(insns, 0x90, sizeof insns);
    memcpy(insns + SIZE - 6, "\xb8\x2a\0\0\0\xc3", 6);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (page == MAP_FAILED)
        return 1;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, store, (void *)i) != 0)
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (mprotect((void *)(uintptr_t)page, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    printf("%d\n", ((int (*)(void))(uintptr_t)page)());
    return 0;
}
