/* SPDX-License-Identifier: MIT */
/*
 * A file that holds code is mapped once more, for writing. What it holds was
 * stored before: neither a system call that stores one byte through the new
 * mapping has written it, nor somebody else beside a store, as there are two
 * threads later.
 *
 * prints:  5 6 7
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 5
 * reports: map rw- /memfd:code (deleted)
 * reports: write +1 06 by readv also
 * reports: leave return 6
 * reports: map rw- /memfd:code (deleted)
 * reports: write +1 07 also
 * reports: leave return 7
 * never:   write +0 * by readv*
 * never:   write +0 * by elsewhere*
 * never:   limit *
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile int ready;

static void *idle(void *nothing)
{
    ready = 1;
    sleep(60);
    return nothing;
}

static volatile uint8_t *map(int file)
{
    volatile uint8_t *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

    if (page == MAP_FAILED)
        _exit(1);
    return page;
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3}, six = 6;
    int file = memfd_create("code", 0), ends[2], results[3];
    int (*fn)(void);
    struct iovec one = {NULL, 1};
    pthread_t thread;

    if (file < 0 || write(file, insns, sizeof insns) != sizeof insns ||
        ftruncate(file, 4096) < 0 || pipe(ends) < 0 ||
        write(ends[1], &six, 1) != 1)
        return 1;
    fn = (int (*)(void))mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED,
                             file, 0);
    results[0] = fn();
    one.iov_base = (void *)(uintptr_t)(map(file) + 1);
    if (readv(ends[0], &one, 1) != 1)
        return 1;
    results[1] = fn();
    if (pthread_create(&thread, NULL, idle, NULL) != 0)
        return 1;
    while (!ready)
        usleep(1000);
    usleep(20000); /* until it sleeps */
    map(file)[1] = 7;
    results[2] = fn();
    printf("%d %d %d\n", results[0], results[1], results[2]);
    return 0;
}
