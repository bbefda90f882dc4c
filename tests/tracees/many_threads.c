/* SPDX-License-Identifier: MIT */
/*
 * Threads by the dozen, each of which calls code once and ends.
 *
 * prints:  100 threads: 5450
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return *
 * never:   limit progress
 * never:   signal *
 */
#include <pthread.h>
#include <stdio.h>

#include "code.h"

enum { ROUNDS = 10, AT_ONCE = 10 };

static int (*add)(int);

static void *work(void *number)
{
    return (void *)(intptr_t)add((int)(intptr_t)number);
}

int main(void)
{
    pthread_t threads[AT_ONCE];
    void *result;
    int sum = 0;

    add = (int (*)(int))code_new("\x8d\x47\x05\xc3", 4);
    for (int i = 0; i < ROUNDS; i++) {
        for (int k = 0; k < AT_ONCE; k++)
            pthread_create(&threads[k], NULL, work,
                           (void *)(intptr_t)(AT_ONCE * i + k));
        for (int k = 0; k < AT_ONCE; k++) {
            pthread_join(threads[k], &result);
            sum += (int)(intptr_t)result;
        }
    }
    printf("%d threads: %d\n", ROUNDS * AT_ONCE, sum);
    return 0;
}
