/* SPDX-License-Identifier: MIT */
/*
 * Two threads are given the same place for their code. What the first one has
 * stored never runs.
 *
 * prints:  2
 * prints:  2
 * ends:    status 0
 * reports: write +0 b8*
 * reports: write +0 b8*
 * reports: step +0 mov eax, 2
 * reports: exit status 0
 * reports: verdict overwritten broken +0
 */
#include <pthread.h>
#include <stdio.h>

#include "code.h"

static uint8_t *code;
static pthread_barrier_t turn;

/* The first thread stores first, then the second one; each calls its code. */
static void *compile(void *argument)
{
    const uint8_t *number = argument;
    uint8_t insns[] = {0xb8, *number, 0, 0, 0, 0xc3}; /* mov eax, number */
    int (*f)(void);

    for (uint8_t i = 1; i <= 2; i++) {
        if (i == *number)
            memcpy(code, insns, sizeof insns);
        pthread_barrier_wait(&turn);
    }
    memcpy(&f, &code, sizeof f);
    for (uint8_t i = 1; i <= 2; i++) {
        if (i == *number)
            printf("%d\n", f());
        pthread_barrier_wait(&turn);
    }
    return NULL;
}

int main(void)
{
    static const uint8_t numbers[] = {1, 2};
    pthread_t threads[2];

    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED || pthread_barrier_init(&turn, NULL, 2) != 0)
        return 99;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, compile, (void *)&numbers[i]))
            return 99;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
