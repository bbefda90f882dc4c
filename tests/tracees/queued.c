/* SPDX-License-Identifier: MIT */
/*
 * queued.c - real-time signals, of which none may be lost (signal(7)).
 *
 * A child queues 300 signals SIGRTMIN with the values 0, 1, 2 ... while the
 * program stores 800 bytes. Several are pending at a time. Prints
 * "300 signals in order".
 *
 * A tracer must report: the 800 stores in order and the 300 signals.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 300 };

static volatile sig_atomic_t arrived, wrong;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    wrong += info->si_value.sival_int != arrived;
    arrived++;
}

static void send_all(pid_t to)
{
    for (int i = 0; i < SIGNALS; i++) {
        while (sigqueue(to, SIGRTMIN, (union sigval){.sival_int = i}) < 0)
            usleep(100); /* the queue is full */
        if (i % 10 == 9)
            usleep(1500);
    }
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t self = getpid(), child;

    if (code == MAP_FAILED)
        return 1;
    sigaction(SIGRTMIN, &action, NULL);
    child = fork();
    if (child == 0) {
        send_all(self);
        _exit(0);
    }
    for (int i = 0; i < 800; i++)
        code[i] = (uint8_t)i;
    if (child < 0 || waitpid(child, NULL, 0) != child)
        return 1;
    printf("%d signals %s\n", (int)arrived, wrong ? "in disorder" : "in order");
    return 0;
}
