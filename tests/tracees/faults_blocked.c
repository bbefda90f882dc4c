/* SPDX-License-Identifier: MIT */
/*
 * A program that handles the signals of faults and blocks them while it makes
 * code and calls it; in the end it gets those that were sent meanwhile.
 *
 * prints:  at first: SEGV handled, blocked, BUS handled, blocked, TRAP handled, blocked
 * prints:  made: SEGV handled, blocked, BUS handled, blocked, TRAP handled, blocked
 * prints:  called: SEGV handled, blocked, BUS handled, blocked, TRAP handled, blocked
 * prints:  sent: SEGV handled, blocked, BUS handled, blocked, TRAP handled, blocked
 * prints:  10, no signals
 * prints:  now 3 signals
 * ends:    status 0
 * reports: write +0 b8
 * reports: write +5 c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: enter +0 call
 * reports: leave return 5
 * reports: signal SIG*
 * reports: signal SIG*
 * reports: signal SIG*
 * never:   limit *
 */
#include <unistd.h>

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
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    sigset_t set;
    int sum;

    signals_set(on_signal);
    signals_fill(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals_print("at first");
    code[0] = 0xb8;
    code[1] = 5;
    code[5] = 0xc3;
    signals_print("made");
    mprotect((void *)(uintptr_t)code, 4096, PROT_READ | PROT_EXEC);
    sum = fn();
    signals_print("called");
    kill(getpid(), SIGSEGV);
    kill(getpid(), SIGBUS);
    kill(getpid(), SIGTRAP);
    sum += fn();
    signals_print("sent");
    printf("%d, %s signals\n", sum, arrived ? "lost" : "no");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("now %d signals\n", (int)arrived);
    return 0;
}
