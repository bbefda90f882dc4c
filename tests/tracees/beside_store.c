/* SPDX-License-Identifier: MIT */
/*
 * A page that is shared with a child. The child, which is not watched, stores
 * the last byte of a function there; then its parent, which has two threads,
 * stores the others. That the page holds more than the parent has stored is
 * found, and told, behind the first of its stores.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- /dev/zero (deleted)
 * reports: write +0 b8
 * reports: write +5 c3 by elsewhere
 * reports: write +1 05
 * reports: write +2 00
 * reports: write +3 00
 * reports: write +4 00
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   signal SIGSEGV*
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int ready;

static void *idle(void *nothing)
{
    ready = 1;
    sleep(60);
    return nothing;
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0};
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;
    pid_t child;

    if (code == MAP_FAILED || pthread_create(&thread, NULL, idle, NULL))
        return 1;
    while (!ready)
        usleep(1000);
    usleep(20000); /* until it sleeps */
    child = fork();
    if (child == 0) {
        code[5] = 0xc3;
        while (code[1] != 5)
            ; /* its end would be a signal */
        _exit(0);
    }
    while (child > 0 && code[5] != 0xc3)
        ; /* a system call could be what finds it */
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    if (mprotect((void *)(uintptr_t)code, 4096, PROT_READ | PROT_EXEC) < 0 ||
        waitpid(child, NULL, 0) != child)
        return 1;
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
