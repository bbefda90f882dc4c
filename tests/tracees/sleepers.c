/* SPDX-License-Identifier: MIT */
/*
 * sleepers.c - threads that sleep in system calls until they have what they
 * wait for. Ends with the number of those that were woken too early.
 *
 * A tracer that stops the program must let them sleep: not all of these calls
 * are taken up again by the kernel.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int wakes[2]; /* a pipe */
static int event;

static void *sleep_in_read(void *unused)
{
    char byte;

    (void)unused;
    return read(wakes[0], &byte, 1) == 1 ? NULL : wakes;
}

static void *sleep_in_epoll(void *unused)
{
    struct epoll_event ready = {.events = EPOLLIN};
    int epoll = epoll_create1(0);

    (void)unused;
    epoll_ctl(epoll, EPOLL_CTL_ADD, event, &ready);
    return epoll_wait(epoll, &ready, 1, -1) == 1 ? NULL : wakes;
}

static void *sleep_in_nanosleep(void *unused)
{
    struct timespec left = {.tv_nsec = 100 * 1000 * 1000};

    (void)unused;
    return nanosleep(&left, NULL) == 0 ? NULL : wakes;
}

static void *(*const sleeps[])(void *) = {sleep_in_read, sleep_in_epoll,
                                          sleep_in_nanosleep};
enum { COUNT = sizeof sleeps / sizeof *sleeps };

int main(void)
{
    struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
    pthread_t threads[COUNT];
    void *woken;
    int failed = 0;

    event = eventfd(0, 0);
    if (event < 0 || pipe(wakes) < 0)
        return COUNT + 1;
    for (int i = 0; i < COUNT; i++)
        if (pthread_create(&threads[i], NULL, sleeps[i], NULL) != 0)
            return COUNT + 1;
    for (int i = 0; i < 10; i++) {
        nanosleep(&pause, NULL);
        if (write(1, ".", 1) != 1)
            return COUNT + 1;
    }
    if (eventfd_write(event, 1) < 0 || write(wakes[1], "", 1) != 1)
        return COUNT + 1;
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], &woken);
        failed += woken != NULL;
    }
    return failed;
}
