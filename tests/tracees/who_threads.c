/* SPDX-License-Identifier: MIT */
/*
 * Code of which one thread stores the first half, another the second one.
 *
 * prints:  7
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8
 * reports: write +1 07
 * reports: write +4 00
 * reports: write +5 c3
 * reports: protect rw- r-x b807000000c3
 * reports: enter +0 call
 * reports: leave return 7
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

static unsigned char *code;

static void *store_first(void *unused)
{
    (void)unused;
    code[0] = 0xb8; /* mov eax, 7 */
    code[1] = 7;
    return NULL;
}

static void *store_rest(void *unused)
{
    (void)unused;
    code[4] = 0;
    code[5] = 0xc3; /* ret */
    return NULL;
}

static void run(void *(*what)(void *))
{
    pthread_t thread;

    pthread_create(&thread, NULL, what, NULL);
    pthread_join(thread, NULL);
}

int main(void)
{
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    run(store_first);
    run(store_rest);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))code)());
    return 0;
}
