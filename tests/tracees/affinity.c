/* SPDX-License-Identifier: MIT */
/*
 * affinity.c - which CPUs a thread may run on is the program's business.
 *
 * First the kernel stores the set of CPUs into a page that could become code.
 * Then, ten times, a second thread calls generated code, the first one gives it
 * a single CPU or all of them, by turns, and it calls code again and looks. On
 * both sides the set must be the one that was given last. Prints how many CPUs
 * there are: "a set; 10 of 10, 10 of 10, 2 CPUs".
 *
 * A tracer must report: the first call of the code. It may keep threads on a
 * CPU of its choice meanwhile, as long as the program does not see it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 10 };

static void (*fn)(void);
static cpu_set_t given;
static volatile int ready, done; /* the last round that is */
static int inside, outside;      /* how often the set was right */

static void *work(void *unused)
{
    for (int round = 1; round <= ROUNDS; round++) {
        cpu_set_t set;

        for (int i = 0; i < 10; i++)
            fn();
        ready = round;
        while (done < round)
            continue; /* runs all the time, and on its CPU */
        for (int i = 0; i < 3; i++)
            fn();
        usleep(3000);
        sched_getaffinity(0, sizeof set, &set);
        inside += CPU_EQUAL(&set, &given);
    }
    return unused;
}

/* The first CPU of all. */
static void choose_one(const cpu_set_t *all, cpu_set_t *one)
{
    unsigned cpu = 0;

    while (!CPU_ISSET(cpu, all))
        cpu++;
    CPU_ZERO(one);
    CPU_SET(cpu, one);
}

/* Returns how many CPUs there are to give. */
static int give(pthread_t thread)
{
    cpu_set_t all, set;

    sched_getaffinity(0, sizeof all, &all);
    given = all;
    for (int round = 1; round <= ROUNDS; round++) {
        while (ready < round)
            continue;
        pthread_getaffinity_np(thread, sizeof set, &set);
        outside += CPU_EQUAL(&set, &given);
        given = all;
        if (round % 2)
            choose_one(&all, &given);
        pthread_setaffinity_np(thread, sizeof given, &given);
        done = round;
    }
    return CPU_COUNT(&all);
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t other;
    int cpus;

    if (code == MAP_FAILED)
        return 1;
    if (syscall(SYS_sched_getaffinity, 0, 1024, code) < 0)
        perror("affinity");
    else
        printf("a set; ");
    code[0] = 0xc3;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    fn = (void (*)(void))(uintptr_t)code;
    if (pthread_create(&other, NULL, work, NULL) != 0)
        return 1;
    cpus = give(other);
    pthread_join(other, NULL);
    printf("%d of %d, %d of %d, %d CPUs\n", inside, ROUNDS, outside, ROUNDS,
           cpus);
    return 0;
}
