/* SPDX-License-Identifier: MIT */
/*
 * More threads than CPUs that call one function again and again: each call of
 * one finds the guard as the call of another has left it. What a fault is due
 * to cannot be told from how often it came.
 *
 * prints:  30000 calls
 * ends:    status 0
 * reports: enter +0 call
 * reports: exit status 0
 * never:   signal *
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

#define THREADS 5
#define CALLS   6000

static int (*function)(void);

static void *call(void *unused)
{
    uintptr_t calls = 0;

    for (int i = 0; i < CALLS; i++) {
        calls += (unsigned)function() / 42;
        if (i % 2 == 0)
            usleep(50);
    }
    (void)unused;
    return (void *)calls;
}

int main(void)
{
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3};
    const uint8_t *code = code_new(answer, sizeof answer);
    pthread_t threads[THREADS];
    uintptr_t sum = 0;
    void *calls;

    memcpy(&function, &code, sizeof function);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call, NULL);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &calls);
        sum += (uintptr_t)calls;
    }
    printf("%u calls\n", (unsigned)sum);
    return 0;
}
