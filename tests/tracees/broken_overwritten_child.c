/* SPDX-License-Identifier: MIT */
/*
 * Code in memory that a child process shares: the child changes it, and the
 * parent runs what is there then.
 *
 * prints:  1
 * prints:  2
 * ends:    status 0
 * reports: step +0 mov eax, 1
 * reports: step +0 mov eax, 2
 * reports: exit status 0
 * reports: verdict overwritten broken +0
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {0xb8, 1, 0, 0, 0, 0xc3}; /* mov eax, 1 */
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int (*f)(void);
    pid_t child;

    if (code == MAP_FAILED)
        return 99;
    memcpy(code, insns, sizeof insns);
    memcpy(&f, &code, sizeof f);
    printf("%d\n", f());
    fflush(stdout);
    child = fork();
    if (child == 0) {
        code[1] = 2;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("%d\n", f());
    return 0;
}
