/* SPDX-License-Identifier: MIT */
/*
 * A program that handles SIGTSTP, sends it to itself from generated code, and
 * is not stopped by it.
 *
 * prints:  5 times, 5
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +* syscall
 * reports: signal SIGTSTP
 * reports: leave signal
 * reports: enter +* return
 * reports: leave return *
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static volatile sig_atomic_t times;

static void on_stop(int signal)
{
    (void)signal;
    times++;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 62,   0, 0, 0, 0x0f, 0x05, /* mov eax, 62 (kill) */
        0x90, 0xb8, 1, 0, 0, 0,    0xc3, /* nop; mov eax, 1; ret */
    };
    int (*send)(int pid, int signal) =
        (int (*)(int, int))code_new(insns, sizeof insns);
    int sum = 0;

    signal(SIGTSTP, on_stop);
    for (int i = 0; i < 5; i++)
        sum += send(getpid(), SIGTSTP);
    printf("%d times, %d\n", (int)times, sum);
    return 0;
}
