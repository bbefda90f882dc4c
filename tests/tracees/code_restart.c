/* SPDX-License-Identifier: MIT */
/*
 * Generated code reads from an empty pipe, again and again interrupted by a
 * timer, whose third signal there writes into the pipe. The call is started again by
 * the kernel each time (SA_RESTART), as if nothing had happened.
 *
 * prints:  read 1: x
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 xor eax, eax
 * reports: signal SIGALRM
 * reports: leave signal
 * reports: enter +2 return
 * reports: signal SIGALRM
 * reports: signal SIGALRM
 * reports: step +2 syscall
 * reports: step +4 ret
 * reports: leave return 1
 * reports: exit status 0
 * never:   leave return -*
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "code.h"

static int ends[2];

static uint8_t *code;

static void on_alarm(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;
    static int alarms;

    (void)signal, (void)info;
    if (machine->uc_mcontext.gregs[REG_RIP] != (greg_t)(uintptr_t)(code + 2))
        return; /* not in the call */
    if (++alarms == 3 && write(ends[1], "x", 1) != 1)
        _exit(98);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0, /* xor eax, eax (read) */
        0x0f, 0x05, /* syscall */
        0xc3,       /* ret */
    };
    const struct itimerval often = {{0, 50000}, {0, 50000}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_sigaction = on_alarm,
                               .sa_flags = SA_RESTART | SA_SIGINFO};
    long (*reader)(int, char *, size_t);
    char byte = 0;
    long got;

    if (pipe(ends) < 0)
        return 1;
    code = code_new(insns, sizeof insns);
    reader = (long (*)(int, char *, size_t))(uintptr_t)code;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    got = reader(ends[0], &byte, 1);
    setitimer(ITIMER_REAL, &never, NULL);
    printf("read %ld: %c\n", got, byte);
    return 0;
}
