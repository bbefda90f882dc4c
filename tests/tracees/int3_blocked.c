/* SPDX-License-Identifier: MIT */
/*
 * An int3 in the code of a program that blocks SIGTRAP and handles it. A trap cannot wait, so it ends the program (signal(7)).
 *
 * ends:    signal SIGTRAP
 * reports: enter +0 call
 * reports: step +0 mov eax, 5
 * reports: signal SIGTRAP
 * reports: exit signal 5
 * never:   leave return *
 */
#include <signal.h>
#include <unistd.h>

#include "code.h"

static void on_trap(int signal)
{
    (void)signal;
    _exit(1);
}

int main(void)
{
    int (*fn)(void) = (int (*)(void))code_new("\xb8\5\0\0\0\xcc\xc3", 7);
    sigset_t set;

    signal(SIGTRAP, on_trap);
    sigemptyset(&set);
    sigaddset(&set, SIGTRAP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return fn();
}
