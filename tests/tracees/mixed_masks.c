/* SPDX-License-Identifier: MIT */
/*
 * Threads that make memory accessible in a handler of SIGSEGV when they need
 * it, as some garbage collectors do, beside threads that block every signal and
 * call code of their own.
 *
 * prints:  64 pages, 0 wrong results, 0 signals not blocked
 * ends:    status 0
 * reports: protect rw- r-x *
 * reports: limit handlers
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

enum { PAGES = 64, THREADS = 4 };

static uint8_t *heap;
static int (*add)(int);
static volatile int wrong, unblocked;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    uint8_t *at = (uint8_t *)((uintptr_t)info->si_addr & ~(uintptr_t)4095);

    (void)signal;
    (void)context;
    if (at < heap || at >= heap + 4096 * PAGES)
        _exit(1);
    mprotect(at, 4096, PROT_READ | PROT_WRITE);
}

static void *use_heap(void *unused)
{
    for (int i = 0; i < PAGES; i++) {
        *(volatile uint8_t *)(heap + 4096 * i) = 1;
        add(1);
    }
    return unused;
}

static void *call(void *unused)
{
    int (*own)(int);
    sigset_t mask;

    sigfillset(&mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    own = (int (*)(int))code_new("\x8d\x47\x06\xc3", 4);
    for (int i = 0; i < 50; i++)
        wrong += own(i) != i + 6;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    unblocked += !sigismember(&mask, SIGSEGV) + !sigismember(&mask, SIGBUS) +
                 !sigismember(&mask, SIGTRAP);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    pthread_t threads[THREADS];
    int pages = 0;

    add = (int (*)(int))code_new("\x8d\x47\x05\xc3", 4);
    heap =
        mmap(NULL, 4096 * PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &action, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, i % 2 ? call : use_heap, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PAGES; i++)
        pages += heap[4096 * i];
    printf("%d pages, %d wrong results, %d signals not blocked\n", pages, wrong,
           unblocked);
    return 0;
}
