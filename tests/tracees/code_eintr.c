/* SPDX-License-Identifier: MIT */
/*
 * Generated code reads from an empty pipe until a timer's signal interrupts it;
 * the call then fails with EINTR (4), as the handler does not ask for more.
 *
 * prints:  read -4
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 xor eax, eax
 * reports: signal SIGALRM
 * reports: step +2 syscall
 * reports: leave signal
 * reports: enter +4 return
 * reports: step +4 ret
 * reports: leave return -4
 * reports: exit status 0
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "code.h"

static void on_alarm(int signal)
{
    (void)signal;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0, /* xor eax, eax (read) */
        0x0f, 0x05, /* syscall */
        0xc3,       /* ret */
    };
    const struct itimerval often = {{0, 100000}, {0, 100000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = on_alarm};
    long (*reader)(int, char *, size_t) =
        (long (*)(int, char *, size_t))(uintptr_t)code_new(insns, sizeof insns);
    char byte = 0;
    int ends[2];
    long got;

    if (pipe(ends) < 0)
        return 1;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    got = reader(ends[0], &byte, 1);
    setitimer(ITIMER_REAL, &never, NULL);
    printf("read %ld\n", got);
    return 0;
}
