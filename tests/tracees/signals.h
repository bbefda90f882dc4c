/* SPDX-License-Identifier: MIT */
/*
 * signals.h - for tracees: what the calling thread does with the signals that
 * guards and steps raise.
 */
#ifndef JITTRACE_TESTS_TRACEES_SIGNALS_H
#define JITTRACE_TESTS_TRACEES_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static inline const char *signals_state(const sigset_t *mask, int number)
{
    struct sigaction action;
    int blocked = sigismember(mask, number);

    sigaction(number, NULL, &action);
    if (action.sa_handler == SIG_DFL)
        return blocked ? "default, blocked" : "default";
    if (action.sa_handler == SIG_IGN)
        return blocked ? "ignored, blocked" : "ignored";
    return blocked ? "handled, blocked" : "handled";
}

/* Prints "WHEN: SEGV handled, BUS ignored, TRAP default, blocked". */
static inline void signals_print(const char *when)
{
    sigset_t mask;

    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    printf("%s: SEGV %s, BUS %s, TRAP %s\n", when,
           signals_state(&mask, SIGSEGV), signals_state(&mask, SIGBUS),
           signals_state(&mask, SIGTRAP));
}

/* The three of them. */
static inline void signals_fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGSEGV);
    sigaddset(set, SIGBUS);
    sigaddset(set, SIGTRAP);
}

static inline void signals_set(void (*handler)(int))
{
    signal(SIGSEGV, handler);
    signal(SIGBUS, handler);
    signal(SIGTRAP, handler);
}

#endif
