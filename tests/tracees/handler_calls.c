/* SPDX-License-Identifier: MIT */
/*
 * Handlers that block all signals while they run, and call code. The mask that
 * the interrupted function finds again is its own.
 *
 * prints:  in the handler: SEGV default, blocked, BUS default, blocked, TRAP handled, blocked
 * prints:  behind it: SEGV default, BUS default, TRAP handled
 * prints:  in the handler: SEGV default, blocked, BUS default, blocked, TRAP handled, blocked
 * prints:  behind it: SEGV default, BUS default, TRAP handled
 * prints:  15
 * ends:    status 0
 * reports: signal SIGUSR1
 * reports: enter +0 call
 * reports: leave return 5
 * reports: signal SIGTRAP
 * reports: enter +0 call
 * reports: leave return 5
 * reports: enter +0 call
 * reports: leave return 5
 * never:   limit *
 */
#include "code.h"
#include "signals.h"

static int (*fn)(void);
static int sum;

static void on_signal(int signal)
{
    (void)signal;
    sum += fn();
    signals_print("in the handler");
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    fn = (int (*)(void))code_new("\xb8\5\0\0\0\xc3", 6);
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    raise(SIGUSR1);
    signals_print("behind it");
    raise(SIGTRAP);
    signals_print("behind it");
    printf("%d\n", sum + fn());
    return 0;
}
