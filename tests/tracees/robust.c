/* SPDX-License-Identifier: MIT */
/*
 * A program whose threads end while they hold locks that are robust, in pages
 * that stores are watched in. The kernel says so in the lock, and who waits for
 * it gets it: another thread when one ends, a child when the process does.
 *
 * prints:  thread: owner died
 * prints:  child: owner died
 * ends:    status 0
 * reports: write *
 * reports: limit robust
 * reports: limit robust
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* A lock of its own page. */
static pthread_mutex_t *make_lock(int flags)
{
    pthread_mutex_t *lock =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;

    if (lock == MAP_FAILED)
        exit(1);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(lock, &attributes);
    return lock;
}

static void *end_with(void *lock)
{
    pthread_mutex_lock(lock);
    return NULL;
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
    pthread_mutex_t *lock = make_lock(MAP_PRIVATE);
    pthread_mutex_t *shared = make_lock(MAP_SHARED);
    pthread_t thread;

    pthread_create(&thread, NULL, end_with, lock);
    pthread_join(thread, NULL);
    wait_for("thread", lock);
    pthread_mutex_lock(shared);
    if (fork() == 0) {
        wait_for("child", shared);
        _exit(0);
    }
    return 0;
}
