/* SPDX-License-Identifier: MIT */
/*
 * Programs that cannot be started, tried by the process itself and by a child
 * of vfork, which shares its memory. All goes on as before.
 *
 * prints:  5 3: 1 7 5
 * ends:    status 5
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +0 01
 * reports: write +1 07
 * reports: write +2 05
 * reports: enter +0 call
 * reports: leave return 5
 * never:   signal SIGSEGV*
 * never:   signal SIGBUS*
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    int (*fn)(void) = (int (*)(void))code_new("\xb8\5\0\0\0\xc3", 6);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *argv[] = {"none", NULL};
    int result, status = 0;
    pid_t child;

    execv("/nonexistent", argv);
    execv("/etc/passwd", argv);
    result = fn();
    page[0] = 1;
    child = vfork();
    if (child == 0) {
        page[1] = 7;
        execv("/nonexistent", argv);
        page[2] = (uint8_t)result;
        _exit(3);
    }
    waitpid(child, &status, 0);
    printf("%d %d: %d %d %d\n", result, WEXITSTATUS(status), page[0], page[1],
           page[2]);
    fflush(stdout);
    return fn();
}
