/* SPDX-License-Identifier: MIT */
/*
 * effects.c FILE - what a program does shows outside of it, at once.
 *
 * FILE holds two counters. Ten times, the program writes a byte and then counts
 * that in the first one; a second thread counts in the other one as fast as it
 * can.
 *
 * A tracer that says to have stopped it must keep both from counting.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile uint64_t *counters;
static volatile int over;

static void *count(void *unused)
{
    while (!over)
        counters[1]++;
    return unused;
}

int main(int argc, char **argv)
{
    int file = open(argv[argc - 1], O_RDWR);
    pthread_t other;

    counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counters == MAP_FAILED ||
        pthread_create(&other, NULL, count, NULL) != 0)
        return 1;
    while (counters[1] == 0) /* till its system calls are made */
        continue;
    for (int i = 0; i < 10; i++) {
        if (write(1, ".", 1) != 1)
            return 1;
        counters[0]++;
    }
    over = 1;
    pthread_join(other, NULL);
    return 0;
}
