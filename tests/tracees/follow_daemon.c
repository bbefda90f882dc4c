/* SPDX-License-Identifier: MIT */
/*
 * A daemon: the child of a child, whose parents have ended by the time it
 * executes code. The status is that of the program that was started.
 *
 * prints:  daemon 5
 * ends:    status 4
 * options: -f
 * reports: fork copied
 * reports: fork copied
 * reports: leave return 5
 * reports: output 1 daemon 5\\n
 * reports: exit status 0
 * reports: exit status 4
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

    if (fork() != 0)
        return 4;
    setsid();
    if (fork() != 0)
        _exit(0);
    usleep(100000);
    printf("daemon %d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
