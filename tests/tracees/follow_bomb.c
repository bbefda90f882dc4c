/* SPDX-License-Identifier: MIT */
/*
 * 500 children at a time, each of which executes code that its parent has made.
 *
 * prints:  2999
 * ends:    status 0
 * options: -f
 * reports: protect rw- r-x b805000000c3
 * reports: fork copied
 * reports: leave return 5
 * reports: output 1 2999\\n
 * reports: exit status 0
 * never:   signal SIGSEGV*
 * never:   limit fork
 */
#include <stdint.h>
#include <stdio.h>
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
    int status, sum = 0;

    for (int i = 0; i < 500; i++) {
        pid_t child = fork();

        if (child < 0)
            return 1;
        if (child == 0)
            _exit(((int (*)(void))(uintptr_t)code)() + i % 3);
    }
    while (wait(&status) > 0)
        sum += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    printf("%d\n", sum);
    return 0;
}
