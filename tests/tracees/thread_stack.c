/* SPDX-License-Identifier: MIT */
/*
 * A thread gets a stack that is an ordinary mapping of the program's, whose
 * stores are watched. The kernel writes to it by itself: signal frames, what
 * tells others that the thread has ended.
 *
 * prints:  handled 1, returned 7
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: limit stack
 * reports: signal SIGUSR1
 * never:   signal SIGSEGV*
 * never:   signal SIGBUS*
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#define SIZE 262144

static volatile sig_atomic_t handled;

static void count(int signal)
{
    handled += signal == SIGUSR1;
}

static void *run(void *unused)
{
    (void)unused;
    raise(SIGUSR1);
    return (void *)7;
}

int main(void)
{
    void *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attr;
    pthread_t thread;
    void *result;

    if (stack == MAP_FAILED)
        return 1;
    signal(SIGUSR1, count);
    pthread_attr_init(&attr);
    pthread_attr_setstack(&attr, stack, SIZE);
    if (pthread_create(&thread, &attr, run, NULL) != 0)
        return 1;
    pthread_join(thread, &result);
    printf("handled %d, returned %d\n", (int)handled, (int)(intptr_t)result);
    return 0;
}
