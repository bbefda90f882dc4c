/* SPDX-License-Identifier: MIT */
/*
 * threads.c - two threads that call the same generated code at the same time.
 *
 * Each adds up x + 5 for x = 1 .. 100 by calling `lea eax, [rdi+5]; ret`.
 * Prints "5550 5550".
 *
 * A tracer must report: calls of it, each thread's registers its own. While
 * one thread is stepped through the page, calls of the other may pass unseen.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static int (*fn)(int);
static pthread_barrier_t barrier;

static void *add_up(void *sum)
{
    pthread_barrier_wait(&barrier);
    for (int x = 1; x <= 100; x++)
        *(int *)sum += fn(x);
    return NULL;
}

int main(void)
{
    static const uint8_t insns[] = {0x8d, 0x47, 0x05, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t other;
    int sums[2] = {0, 0};

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    fn = (int (*)(int))(uintptr_t)code;
    pthread_barrier_init(&barrier, NULL, 2);
    if (pthread_create(&other, NULL, add_up, &sums[0]) != 0)
        return 1;
    add_up(&sums[1]);
    pthread_join(other, NULL);
    printf("%d %d\n", sums[0], sums[1]);
    return 0;
}
