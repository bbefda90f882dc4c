/* SPDX-License-Identifier: MIT */
/*
 * Threads call one function while another one stores code elsewhere. For each
 * store all others are stopped. One of them may just have faulted at the guard,
 * and stops before it gets that signal (ptrace(2)), which then tells of a guard
 * that has been lifted since.
 *
 * prints:  done
 * ends:    status 0
 * reports: enter +0 call
 * reports: exit status 0
 * never:   signal *
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "code.h"

#define THREADS 3
#define STORES  1000

static int (*function)(void);
static volatile bool over;

static void *call(void *unused)
{
    while (!over) {
        function();
        usleep(20);
    }
    return unused;
}

int main(void)
{
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3};
    const uint8_t *code = code_new(answer, sizeof answer);
    const uint8_t *other = code_new(answer, sizeof answer);
    volatile uint8_t *page;
    pthread_t threads[THREADS];

    memcpy(&function, &code, sizeof function);
    memcpy(&page, &other, sizeof page);
    mprotect((void *)page, 4096, PROT_READ | PROT_WRITE);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call, NULL);
    for (int i = 0; i < STORES; i++) {
        page[i] = 0x90;
        if (i % 4 == 0)
            usleep(20);
    }
    over = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
