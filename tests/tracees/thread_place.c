/* SPDX-License-Identifier: MIT */
/*
 * A thread tells the kernel to clear a word of a watched page when it ends
 * (set_tid_address(2)). The kernel does so without a fault, and would not if
 * the page were guarded: who waits for that thread would wait for ever.
 *
 * prints:  cleared
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 01000000
 * reports: limit stack
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *run(void *word)
{
    syscall(SYS_set_tid_address, word);
    return NULL;
}

int main(void)
{
    volatile int32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;

    if (word == MAP_FAILED)
        return 1;
    word[0] = 1;
    if (pthread_create(&thread, NULL, run, (void *)(uintptr_t)word) != 0)
        return 1;
    while (word[0] != 0)
        continue;
    puts("cleared");
    fflush(stdout);
    _exit(0);
}
