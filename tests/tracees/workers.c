/* SPDX-License-Identifier: MIT */
/*
 * Threads that block every signal, as worker threads do, and call code. Each
 * prints what it does not block afterwards; nothing is handled here.
 *
 * prints:  8 threads: 3960, not blocked: 0
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return *
 * never:   signal *
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "code.h"

enum { THREADS = 8 };

static int (*add)(int);
static int sums[THREADS], unblocked[THREADS];

static void *work(void *number)
{
    int n = (int)(intptr_t)number;
    sigset_t mask;

    sigfillset(&mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    for (int i = 0; i < 30; i++)
        sums[n] += add(i) - 3;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int i = 1; i < SIGRTMIN; i++)
        unblocked[n] +=
            i < 32 && i != SIGKILL && i != SIGSTOP && !sigismember(&mask, i);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int sum = 0, missing = 0;

    add = (int (*)(int))code_new("\x8d\x47\x05\xc3", 4);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += sums[i];
        missing += unblocked[i];
    }
    printf("%d threads: %d, not blocked: %d\n", THREADS, sum, missing);
    return 0;
}
