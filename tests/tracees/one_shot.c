/* SPDX-License-Identifier: MIT */
/*
 * A handler that may come while it runs, on a stack of its own (SA_NODEFER,
 * SA_ONSTACK); then one for one time (SA_RESETHAND), which does not help: the
 * second fault of the same instruction in generated code is the end.
 *
 * prints:  3 deep, on its stack
 * prints:  handled once
 * ends:    signal SIGSEGV
 * reports: signal SIGUSR1
 * reports: signal SIGUSR1
 * reports: signal SIGUSR1
 * reports: enter +0 call
 * reports: signal SIGSEGV write
 * reports: leave signal
 * reports: enter +0 return
 * reports: signal SIGSEGV write
 * reports: exit signal 11
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static uint8_t stack[65536];
static volatile int depth, on_it = 1;

static void on_signal(int signal)
{
    uint8_t here;

    (void)signal;
    on_it &= &here >= stack && &here < stack + sizeof stack;
    if (++depth < 3)
        raise(SIGUSR1);
}

static void on_fault(int signal)
{
    (void)signal;
    if (write(STDOUT_FILENO, "handled once\n", 13) != 13)
        _exit(1);
}

int main(void)
{
    stack_t its = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = SA_ONSTACK | SA_NODEFER};
    void (*store)(int *) = /* mov dword ptr [rdi], 1; ret */
        (void (*)(int *))code_new("\xc7\x07\1\0\0\0\xc3", 7);

    sigaltstack(&its, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    printf("%d deep, %s its stack\n", depth, on_it ? "on" : "not on");
    fflush(stdout);
    action.sa_handler = on_fault;
    action.sa_flags = SA_ONSTACK | (int)SA_RESETHAND;
    sigaction(SIGSEGV, &action, NULL);
    store(NULL);
    return 1;
}
