/* SPDX-License-Identifier: MIT */
/*
 * Signals of faults that are sent to the very thread that blocks and handles
 * them, and are pending when it makes code and calls it.
 *
 * prints:  11, 0 signals
 * prints:  blocked: SEGV handled, blocked, BUS handled, blocked, TRAP handled, blocked
 * prints:  3 signals
 * prints:  behind it: SEGV handled, BUS handled, TRAP handled
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 5
 * reports: enter +0 call
 * reports: leave return 6
 * reports: signal SIG*
 * reports: signal SIG*
 * reports: signal SIG*
 * never:   limit *
 */
#include "code.h"
#include "signals.h"

static volatile sig_atomic_t arrived;

static void on_signal(int signal)
{
    (void)signal;
    arrived++;
}

int main(void)
{
    int (*fn)(void) = (int (*)(void))code_new("\xb8\5\0\0\0\xc3", 6);
    sigset_t set;
    int sum;

    signals_set(on_signal);
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pthread_kill(pthread_self(), SIGSEGV);
    pthread_kill(pthread_self(), SIGTRAP);
    pthread_kill(pthread_self(), SIGBUS);
    sum = fn();
    fn = (int (*)(void))code_new("\xb8\6\0\0\0\xc3", 6);
    sum += fn();
    printf("%d, %d signals\n", sum, (int)arrived);
    signals_print("blocked");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("%d signals\n", (int)arrived);
    signals_print("behind it");
    return 0;
}
