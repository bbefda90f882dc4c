/* SPDX-License-Identifier: MIT */
/*
 * SIGTRAP, SIGSEGV and SIGBUS that a child sends, while the program is in
 * generated code and while it stores. Each is sent again when its handler has
 * told of the last one, through a pipe.
 *
 * prints:  20 of SIGTRAP, 20 of SIGSEGV, 20 of SIGBUS, 0 of the kernel
 * ends:    status 0
 * reports: signal SIG*
 * reports: signal SIG*
 * never:   limit progress
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

static volatile sig_atomic_t arrived[NSIG], of_kernel;
static int told[2];

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    arrived[signal]++;
    of_kernel += info->si_code > 0;
    if (write(told[1], "", 1) != 1)
        _exit(1);
}

static int send_all(pid_t to)
{
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS};
    char byte;

    for (int i = 0; i < 60; i++)
        if (kill(to, signals[i % 3]) < 0 || read(told[0], &byte, 1) != 1)
            return 1;
    return 0;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    static const uint8_t insns[] = {
        0xb9, 50, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xc3, /* count down */
    };
    void (*fn)(void) = (void (*)(void))code_new(insns, sizeof insns);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t self = getpid(), child;

    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    if (pipe(told) < 0)
        return 1;
    child = fork();
    if (child == 0)
        _exit(send_all(self));
    for (int i = 0; waitpid(child, NULL, WNOHANG) == 0; i++) {
        fn();
        page[i % 4096] = 1;
    }
    printf("%d of SIGTRAP, %d of SIGSEGV, %d of SIGBUS, %d of the kernel\n",
           (int)arrived[SIGTRAP], (int)arrived[SIGSEGV], (int)arrived[SIGBUS],
           (int)of_kernel);
    return 0;
}
