/* SPDX-License-Identifier: MIT */
/*
 * interrupted.c - a program that handles the key that interrupts.
 *
 * SIGINT is blocked but for the moments in which it waits, so none is late: a
 * shell that has looked for signals and not yet begun to read would miss one.
 *
 * Prints ready, a line "caught N" for each SIGINT, and "got LINE" for the first
 * line that it reads; then it exits with 7.
 *
 * A tracer must leave these signals to it.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t caught;

static void count(int signal)
{
    (void)signal;
    caught++;
}

int main(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    struct sigaction action = {.sa_handler = count};
    sigset_t interrupt, none;
    char line[80];

    setvbuf(stdout, NULL, _IONBF, 0);
    sigemptyset(&none);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    sigaction(SIGINT, &action, NULL);
    puts("ready");
    while (ppoll(&input, 1, NULL, &none) < 0)
        printf("caught %d\n", (int)caught);
    if (!fgets(line, sizeof line, stdin))
        return 1;
    printf("got %s", line);
    return 7;
}
