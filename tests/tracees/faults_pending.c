/* SPDX-License-Identifier: MIT */
/*
 * Signals of faults that are queued while they are blocked, with a value; code
 * is made and called before they are fetched by sigwaitinfo(2).
 *
 * prints:  signal 5, code -1, value 7
 * prints:  signal 7, code -1, value 7
 * prints:  signal 11, code -1, value 7
 * prints:  10
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +0 b8
 * reports: enter +0 call
 * reports: leave return 5
 * never:   signal *
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static int make_and_call(void)
{
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    code[0] = 0xb8;
    code[1] = 5;
    code[5] = 0xc3;
    mprotect((void *)(uintptr_t)code, 4096, PROT_READ | PROT_EXEC);
    return ((int (*)(void))(uintptr_t)code)();
}

int main(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGTRAP};
    int sum = make_and_call();
    siginfo_t info;
    sigset_t set;

    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3; i++)
        sigqueue(getpid(), numbers[i], (union sigval){.sival_int = 7});
    sum += make_and_call();
    for (int i = 0; i < 3; i++) {
        sigwaitinfo(&set, &info);
        printf("signal %d, code %d, value %d\n", info.si_signo, info.si_code,
               info.si_value.sival_int);
    }
    printf("%d\n", sum);
    return 0;
}
