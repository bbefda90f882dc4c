/* SPDX-License-Identifier: MIT */
/*
 * Many children by posix_spawn(3) and vfork(2), with a store in between each,
 * by the parent or the child.
 *
 * prints:  20 spawned, 20 forked, sum 420
 * ends:    status 0
 * reports: write +0 01
 * reports: limit exec
 * reports: write +19 01
 * reports: limit exec
 * reports: write +20 01
 * reports: write +20 14
 * reports: write +39 14
 * reports: output 1 *
 * never:   signal SIGSEGV*
 * never:   signal SIGBUS*
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 20 };

static int ended_well(pid_t child)
{
    int status = 1;

    return waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    char *argv[] = {"true", NULL}, *none[] = {NULL};
    volatile unsigned char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int spawned = 0, forked = 0, sum = 0;
    pid_t child;

    for (int i = 0; i < EACH; i++) {
        page[i] = 1;
        if (posix_spawn(&child, "/bin/true", NULL, NULL, argv, none) == 0)
            spawned += ended_well(child);
    }
    for (int i = EACH; i < 2 * EACH; i++) {
        page[i] = 1;
        child = vfork();
        if (child == 0) {
            page[i] = EACH;
            _exit(0);
        }
        forked += ended_well(child);
    }
    for (int i = 0; i < 2 * EACH; i++)
        sum += page[i];
    printf("%d spawned, %d forked, sum %d\n", spawned, forked, sum);
    return 0;
}
