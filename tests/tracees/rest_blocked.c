/* SPDX-License-Identifier: MIT */
/*
 * The result of a call whose rest runs at full speed is waited for by a trap.
 * The program blocks SIGTRAP, then ignores it; neither is undone by that.
 *
 * prints:  5050 blocked handled
 * prints:  5050 open ignored
 * ends:    status 0
 * options: --max-call-steps=2
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: leave return 5050
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: leave return 5050
 * reports: exit status 0
 * never:   signal *
 */
#include <signal.h>
#include <stdio.h>

#include "code.h"

static void on_trap(int signal)
{
    (void)signal;
}

/* Says what has become of SIGTRAP. */
static void tell(int result)
{
    struct sigaction action;
    sigset_t mask;

    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaction(SIGTRAP, NULL, &action);
    printf("%d %s %s\n", result,
           sigismember(&mask, SIGTRAP) ? "blocked" : "open",
           action.sa_handler == on_trap   ? "handled"
           : action.sa_handler == SIG_IGN ? "ignored"
                                          : "default");
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0, /* xor eax, eax */
        0x01, 0xf8, /* add eax, edi */
        0xff, 0xcf, /* dec edi */
        0x75, 0xfa, /* jnz -6 */
        0xc3,       /* ret */
    };
    int (*sum)(int) = (int (*)(int))(uintptr_t)code_new(insns, sizeof insns);
    sigset_t trap;

    sigemptyset(&trap);
    sigaddset(&trap, SIGTRAP);
    signal(SIGTRAP, on_trap);
    sigprocmask(SIG_BLOCK, &trap, NULL);
    tell(sum(100));
    sigprocmask(SIG_UNBLOCK, &trap, NULL);
    signal(SIGTRAP, SIG_IGN);
    tell(sum(100));
    return 0;
}
