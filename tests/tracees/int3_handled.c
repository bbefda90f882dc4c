/* SPDX-License-Identifier: MIT */
/*
 * Code with an int3 in it, and a handler of SIGTRAP that counts.
 *
 * prints:  5, 5: 2 traps, code 128, trap flag 0
 * ends:    status 0
 * reports: enter +0 call
 * reports: signal SIGTRAP
 * reports: leave signal
 * reports: enter +1 return
 * reports: step +1 mov eax, 5
 * reports: leave return 5
 * reports: enter +0 call
 * reports: signal SIGTRAP
 * reports: leave return 5
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

#include "code.h"

static volatile sig_atomic_t traps, code;
static volatile unsigned flag;

static void on_trap(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;

    (void)signal;
    traps++;
    code = info->si_code;
    flag |= (unsigned)machine->uc_mcontext.gregs[REG_EFL] & 0x100;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    int (*fn)(void) = (int (*)(void))code_new("\xcc\xb8\5\0\0\0\xc3", 7);
    int first, second;

    sigaction(SIGTRAP, &action, NULL);
    first = fn();
    second = fn();
    printf("%d, %d: %d traps, code %d, trap flag %u\n", first, second,
           (int)traps, (int)code, flag);
    return 0;
}
