/* SPDX-License-Identifier: MIT */
/*
 * A timer that interrupts code made of pushf and popf: the flags that a handler
 * returns to must be the program's own.
 *
 * prints:  all well
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +1 popf*
 * reports: signal SIGALRM
 * reports: leave return *
 * never:   limit *
 * never:   signal SIGTRAP
 */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <ucontext.h>

#include "code.h"

static volatile int alarms, flagged;

static void on_alarm(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;

    (void)signal;
    (void)info;
    alarms++;
    flagged += (machine->uc_mcontext.gregs[REG_EFL] & 0x100) != 0;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x9c, 0x9d, 0x9c, 0x9d, 0x89, 0xf8, 0xc3, /* ...; mov eax, edi; ret */
    };
    struct sigaction action = {.sa_sigaction = on_alarm,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    struct itimerval timer = {{0, 500}, {0, 500}};
    int (*same)(int) = (int (*)(int))code_new(insns, sizeof insns);
    int wrong = 0;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < 200 || alarms < 20; i++)
        wrong += same(i) != i;
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    printf("%s\n", wrong || flagged ? "not well" : "all well");
    return 0;
}
