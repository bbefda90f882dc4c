/* SPDX-License-Identifier: MIT */
/*
 * A child by clone(2) that shares the memory, on a stack that is ordinary
 * memory. What it stores there is not watched: the limit comes before it runs.
 *
 * prints:  child 5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: limit stack
 * reports: output 1 child 5\\n
 * never:   write * 05
 * never:   signal SIGSEGV*
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define SIZE 65536

static int work(void *result)
{
    volatile uint8_t here = 5;

    *(int *)result = here;
    return 0;
}

int main(void)
{
    uint8_t *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result = 0;
    pid_t child;

    if (stack == MAP_FAILED)
        return 1;
    child = clone(work, stack + SIZE, CLONE_VM | SIGCHLD, &result);
    if (child < 0 || waitpid(child, NULL, 0) != child)
        return 1;
    printf("child %d\n", result);
    return 0;
}
