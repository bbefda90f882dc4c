/* SPDX-License-Identifier: MIT */
/*
 * A timer that fires faster than instructions are stepped, while code is made
 * and called.
 *
 * prints:  15
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +299 2b
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#include "code.h"

static void on_alarm(int signal)
{
    (void)signal;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xb9, 200,  0,    0,    0,       /* mov ecx, 200 */
        0xff, 0xc9, 0x75, 0xfc,          /* dec ecx; jne -4 */
        0xb8, 5,    0,    0,    0, 0xc3, /* mov eax, 5; ret */
    };
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, 150}, {0, 150}};
    int (*fn)(void) = (int (*)(void))code_new(insns, sizeof insns);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int sum = 0;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < 3; i++)
        sum += fn();
    for (int i = 0; i < 300; i++)
        page[i] = (uint8_t)i;
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    printf("%d\n", sum);
    return 0;
}
