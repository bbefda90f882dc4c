/* SPDX-License-Identifier: MIT */
/*
 * Signals that are read from a descriptor (signalfd(2)), those of faults too,
 * while code is made and called.
 *
 * prints:  signal 5
 * prints:  signal 11
 * prints:  signal 34, value 0
 * prints:  signal 35, value 1
 * prints:  signal 36, value 2
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return *
 * reports: write +3 01
 * never:   signal *
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    void (*fn)(void) = (void (*)(void))code_new("\xc3", 1);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct signalfd_siginfo info;
    sigset_t set;
    int fd;

    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, 0);
    for (int i = 0; i < 3; i++) {
        sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = i});
        fn();
    }
    kill(getpid(), SIGSEGV);
    kill(getpid(), SIGTRAP);
    fn();
    page[3] = 1;
    for (int i = 0; i < 5; i++) {
        if (read(fd, &info, sizeof info) != sizeof info)
            return 1;
        if (i < 2)
            printf("signal %u\n", info.ssi_signo);
        else
            printf("signal %u, value %d\n", info.ssi_signo, info.ssi_int);
    }
    return 0;
}
