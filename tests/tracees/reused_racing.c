/* SPDX-License-Identifier: MIT */
/*
 * Threads that get memory and give it back, each at the addresses that another
 * has just left: by munmap, mremap, over an old mapping, and by madvise. A
 * tracer that forgets a guard, or sets one where somebody else's memory is by
 * now, ends the program.
 *
 * prints:  done
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: exit status 0
 */
#include <pthread.h>
#include <stdio.h>

#include "code.h"

#define PAGE    4096
#define ROUNDS  32
#define THREADS 4

static uint8_t *get(size_t size)
{
    uint8_t *got = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (got == MAP_FAILED)
        exit(99);
    return got;
}

static void touch(volatile uint8_t *at, uint8_t value)
{
    *at = value;
    if (*at != value)
        exit(98);
}

/* Code that is called, if it is, with the protection it shall have. */
static void make_code(void)
{
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3};
    uint8_t *code = get(PAGE);
    int (*function)(void);

    memcpy(code, answer, sizeof answer);
    mprotect(code, PAGE, PROT_READ | PROT_EXEC);
    memcpy(&function, &code, sizeof function);
    if (function() != 42)
        exit(97);
    munmap(code, PAGE);
}

static void move(void)
{
    uint8_t *from = get(PAGE), *to = get(3 * PAGE);

    touch(from, 1);
    to = mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
    touch(to, 2);
    munmap(to - PAGE, 3 * PAGE);
}

static void replace(void)
{
    uint8_t *pages = get(3 * PAGE);

    touch(pages + PAGE, 1);
    mmap(pages + PAGE, PAGE, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    touch(pages + PAGE, 2);
    madvise(pages, 3 * PAGE, MADV_DONTNEED);
    touch(pages + 2 * PAGE, 3);
    munmap(pages, 3 * PAGE);
}

static void *leave(void *unused)
{
    return unused;
}

/* A thread that lives for a moment, on a stack that is then somebody else's. */
static void start_thread(void)
{
    uint8_t *stack = get(16 * PAGE);
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, 16 * PAGE);
    if (pthread_create(&thread, &attributes, leave, NULL) != 0)
        exit(96);
    pthread_join(thread, NULL);
    munmap(stack, 16 * PAGE);
}

static void *work(void *number)
{
    static void (*const ways[])(void) = {make_code, move, replace,
                                         start_thread};

    for (size_t i = 0; i < ROUNDS; i++) {
        uint8_t *page = get(PAGE);

        touch(page, (uint8_t)i);
        munmap(page, PAGE);
        ways[(i + (uintptr_t)number) % 4]();
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
