/* SPDX-License-Identifier: MIT */
/*
 * The program blocks the signals of faults, which it does not handle, and sends
 * each of them to itself. They wait, and do so while it stores code and calls
 * it; then it takes them, one after the other.
 *
 * prints:  called 7
 * prints:  took 5 7 11
 * ends:    status 0
 * reports: write +0 *
 * reports: enter +0 call
 * reports: leave return *
 * reports: exit status 0
 * never:   signal *
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "code.h"

int main(void)
{
    static const int sent[] = {SIGTRAP, SIGBUS, SIGSEGV};
    static const uint8_t insns[] = {
        0xb8, 7, 0, 0, 0, /* mov eax, 7 */
        0xc3,             /* ret */
    };
    const struct timespec at_once = {0};
    sigset_t set;
    int (*function)(void), taken;
    uint8_t *code;

    sigemptyset(&set);
    for (int i = 0; i < 3; i++)
        sigaddset(&set, sent[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3; i++)
        raise(sent[i]);
    code = code_new(insns, sizeof insns);
    memcpy(&function, &code, sizeof function);
    printf("called %d\n", function());
    printf("took");
    while ((taken = sigtimedwait(&set, NULL, &at_once)) > 0)
        printf(" %d", taken);
    printf("\n");
    return 0;
}
