/* SPDX-License-Identifier: MIT */
/*
 * A signal arrives inside generated code: the code sends it to its own process,
 * so that it is delivered before its next instruction.
 *
 * prints:  1 signal, 7
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +5 syscall
 * reports: signal SIGUSR1
 * reports: leave signal
 * reports: enter +7 return
 * reports: step +7 mov eax, 7
 * reports: leave return 7
 * reports: exit status 0
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 62,   0, 0, 0, /* mov eax, 62 (kill) */
        0x0f, 0x05,          /* syscall */
        0xb8, 7,    0, 0, 0, /* mov eax, 7 */
        0xc3,                /* ret */
    };
    int (*raise_inside)(int, int) =
        (int (*)(int, int))(uintptr_t)code_new(insns, sizeof insns);
    int result;

    signal(SIGUSR1, on_signal);
    result = raise_inside(getpid(), SIGUSR1);
    printf("%d signal, %d\n", (int)signals, result);
    return 0;
}
