/* SPDX-License-Identifier: MIT */
/*
 * A program that is ended by a signal while it holds a lock that is robust, in a
 * page that stores are watched in. The kernel says so in the lock, and the child
 * that waits for it gets it.
 *
 * prints:  child: owner died
 * ends:    signal SIGTERM
 * reports: write *
 * reports: limit robust
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* A lock of its own page. */
static pthread_mutex_t *make_lock(void)
{
    pthread_mutex_t *lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;

    if (lock == MAP_FAILED)
        exit(1);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(lock, &attributes);
    return lock;
}

/* Not for ever: it would be a test that hangs. */
static void wait_for(const char *who, pthread_mutex_t *lock)
{
    struct timespec end;
    int error;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 10;
    error = pthread_mutex_timedlock(lock, &end);
    printf("%s: %s\n", who,
           error == EOWNERDEAD ? "owner died" : strerror(error));
    fflush(stdout);
}

int main(void)
{
    pthread_mutex_t *shared = make_lock();

    pthread_mutex_lock(shared);
    if (fork() == 0) {
        wait_for("child", shared);
        _exit(0);
    }
    raise(SIGTERM);
    return 0;
}
