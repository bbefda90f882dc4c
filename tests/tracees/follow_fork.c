/* SPDX-License-Identifier: MIT */
/*
 * Code is made, and executed by a child that has a copy of it; then the child
 * makes other code in its copy. The parent still has its own.
 *
 * prints:  child 12, parent 5
 * ends:    status 0
 * options: -f
 * reports: write +0 b8*
 * reports: protect rw- r-x b805000000c3
 * reports: fork copied
 * reports: enter +0 call
 * reports: step +0 mov eax, 5
 * reports: leave return 5
 * reports: write +1 07
 * reports: step +0 mov eax, 7
 * reports: leave return 7
 * reports: exit status 12
 * reports: step +0 mov eax, 5
 * reports: leave return 5
 * reports: output 1 child 12, parent 5\\n
 * reports: exit status 0
 * never:   limit fork
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0x05, 0x00, 0x00, 0x00, /* mov eax, 5 */
        0xc3,                         /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int status = 0, first;
    pid_t child = fork();

    if (child == 0) {
        first = ((int (*)(void))(uintptr_t)code)();
        mprotect(code, 4096, PROT_READ | PROT_WRITE);
        code[1] = 7;
        mprotect(code, 4096, PROT_READ | PROT_EXEC);
        _exit(first + ((int (*)(void))(uintptr_t)code)());
    }
    waitpid(child, &status, 0);
    printf("child %d, parent %d\n", WEXITSTATUS(status),
           ((int (*)(void))(uintptr_t)code)());
    return 0;
}
