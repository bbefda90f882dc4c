/* SPDX-License-Identifier: MIT */
/*
 * Two threads make a function each, in slots of one page, in any order: which
 * sleeps first, the pid says. Then both call theirs, one after the other. The
 * code also has the address of a variable on the stack of main.
 *
 * prints:  3 4
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x *
 * reports: leave return [34]
 * reports: leave return [34]
 * never:   limit *
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SLOT 64 /* bytes */

static volatile uint8_t *page;
static long results[2];
static long *local; /* on the stack of main */
static pthread_barrier_t stored, executable;
static pthread_mutex_t calls = PTHREAD_MUTEX_INITIALIZER;

/* mov rax, local; mov rax, number; ret */
static void *work(void *argument)
{
    uint8_t number = (uint8_t)(uintptr_t)argument;
    uint8_t bytes[] = {0x48, 0xb8, 0,    0,    0,      0, 0, 0, 0,
                       0,    0x48, 0xc7, 0xc0, number, 0, 0, 0, 0xc3};
    volatile uint8_t *code = page + SLOT * (number - 3);
    struct timespec wait = {.tv_nsec = 3000000};

    memcpy(bytes + 2, &local, sizeof local);
    if (number == 3 + getpid() % 2)
        nanosleep(&wait, NULL);
    for (size_t i = 0; i < sizeof bytes; i++)
        code[i] = bytes[i];
    pthread_barrier_wait(&stored);
    pthread_barrier_wait(&executable);
    if (number == 3 + getpid() / 2 % 2)
        nanosleep(&wait, NULL);
    pthread_mutex_lock(&calls);
    results[number - 3] = ((long (*)(void))(uintptr_t)code)();
    pthread_mutex_unlock(&calls);
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    long variable = 0;

    local = &variable;
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (page == MAP_FAILED)
        return 1;
    pthread_barrier_init(&stored, NULL, 3);
    pthread_barrier_init(&executable, NULL, 3);
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, (void *)(3 + i));
    pthread_barrier_wait(&stored);
    mprotect((void *)(uintptr_t)page, 4096, PROT_READ | PROT_EXEC);
    pthread_barrier_wait(&executable);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld\n", results[0], results[1]);
    return 0;
}
