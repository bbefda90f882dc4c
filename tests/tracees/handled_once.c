/* SPDX-License-Identifier: MIT */
/*
 * Handlers for one time (SA_RESETHAND) that have had it: what raises the same
 * signals for a tracer, stores into a page of code and calls of it, must not
 * bring them back. The last signal ends the program.
 *
 * prints:  before: SEGV handled, BUS handled, TRAP handled
 * prints:  behind: SEGV default, BUS default, TRAP default
 * prints:  called: SEGV default, BUS default, TRAP default
 * prints:  11
 * ends:    signal SIGSEGV
 * reports: signal SIGSEGV
 * reports: signal SIGBUS
 * reports: signal SIGTRAP
 * reports: write +1 06
 * reports: enter +0 call
 * reports: leave return 6
 * reports: signal SIGSEGV
 * reports: exit signal 11
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"
#include "signals.h"

static void on_signal(int signal)
{
    (void)signal;
}

static void set_for_once(int signal)
{
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)SA_RESETHAND};

    sigaction(signal, &action, NULL);
}

int main(void)
{
    uint8_t *code = code_new("\xb8\5\0\0\0\xc3", 6);
    int sum = ((int (*)(void))(uintptr_t)code)();

    set_for_once(SIGSEGV);
    set_for_once(SIGBUS);
    set_for_once(SIGTRAP);
    signals_print("before");
    raise(SIGSEGV);
    raise(SIGBUS);
    raise(SIGTRAP);
    signals_print("behind");
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    code[1] = 6;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    sum += ((int (*)(void))(uintptr_t)code)();
    signals_print("called");
    printf("%d\n", sum);
    fflush(stdout);
    raise(SIGSEGV);
    return 1;
}
