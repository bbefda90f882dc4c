/* SPDX-License-Identifier: MIT */
/*
 * A program that ends before its child, which goes on, uses the code, and
 * prints what it has.
 *
 * prints:  child: 5, another parent
 * ends:    status 4
 * reports: enter +0 call
 * reports: leave return 5
 * reports: limit fork
 * reports: exit status 4
 * never:   output *
 */
#include <stdio.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    int (*fn)(void) = (int (*)(void))code_new("\xb8\5\0\0\0\xc3", 6);
    pid_t self = getpid();

    fn();
    if (fork() != 0)
        return 4;
    while (getppid() == self)
        usleep(1000);
    printf("child: %d, another parent\n", fn());
    return 0;
}
