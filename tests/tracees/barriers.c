/* SPDX-License-Identifier: MIT */
/*
 * Write barriers, as garbage collectors make them: one thread takes the write
 * permission of single pages away again and again, others store there, and the
 * handler of the fault gives it back. Now and then the first one does so just
 * when another one stores into the page next to it.
 *
 * prints:  600 stores
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * never:   limit progress
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE    4096
#define PAGES   8
#define THREADS 4
#define STORES  150

static uint8_t *pages;
static atomic_int over;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    uintptr_t addr = (uintptr_t)info->si_addr / PAGE * PAGE;

    (void)signal;
    (void)context;
    if (addr - (uintptr_t)pages >= PAGES * PAGE ||
        mprotect((void *)addr, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
        _exit(2);
}

static void *store(void *number)
{
    unsigned seed = (unsigned)(uintptr_t)number;

    for (int i = 0; i < STORES; i++) {
        void *page = pages + rand_r(&seed) % PAGES * PAGE;

        __atomic_fetch_add((uint64_t *)page + (uintptr_t)number, 1,
                           __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void *protect(void *unused)
{
    unsigned seed = 7;

    (void)unused;
    while (!over) {
        mprotect(pages + rand_r(&seed) % PAGES * PAGE, PAGE, PROT_READ);
        usleep(300);
    }
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    pthread_t threads[THREADS], protector;
    uint64_t sum = 0;

    pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return 1;
    sigaction(SIGSEGV, &action, NULL);
    pthread_create(&protector, NULL, protect, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, store, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    over = 1;
    pthread_join(protector, NULL);
    for (int i = 0; i < PAGES; i++)
        for (int k = 0; k < THREADS; k++)
            sum += ((uint64_t *)(void *)(pages + i * PAGE))[k];
    printf("%d stores\n", (int)sum);
    return 0;
}
