/* SPDX-License-Identifier: MIT */
/*
 * Threads that call code all the time, while the first one makes children that
 * call it, too, and make some of their own.
 *
 * prints:  10 children, 3 threads
 * ends:    status 0
 * reports: enter +0 call
 * reports: limit fork
 * reports: limit fork
 * reports: output 1 *
 * never:   limit progress
 * never:   signal SIGSEGV*
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

enum { CHILDREN = 10, THREADS = 3 };

static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
static int (*fn)(void);
static volatile int over;

static void *call(void *unused)
{
    int wrong = 0;

    (void)unused;
    while (!over)
        wrong |= fn() != 5;
    return wrong ? (void *)fn : NULL;
}

static int be_child(void)
{
    int (*own)(void) = (int (*)(void))code_new(insns, sizeof insns);

    return fn() + own();
}

int main(void)
{
    pthread_t threads[THREADS];
    int children = 0, right = 0, status;
    void *wrong;
    pid_t child;

    fn = (int (*)(void))code_new(insns, sizeof insns);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        child = fork();
        if (child == 0)
            _exit(be_child());
        children += waitpid(child, &status, 0) == child && status == 10 << 8;
    }
    over = 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &wrong);
        right += !wrong;
    }
    printf("%d children, %d threads\n", children, right);
    return 0;
}
