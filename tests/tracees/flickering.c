/* SPDX-License-Identifier: MIT */
/*
 * One thread is in generated code. The other one sends it signals and sets all
 * the time that they are ignored, and soon that they are handled again. So a
 * signal that is to be delivered together with a step may be dropped, and then
 * the step is one like any other: control has not left the code.
 *
 * The tracer must not see a handler begin where none has: the loop would be
 * entered again without one that has returned.
 *
 * prints:  done
 * ends:    status 0
 * options: --max-system-calls=1 --max-call-steps=1000000 --max-steps=1000000
 * reports: limit system-calls
 * reports: enter +0 call
 * reports: step +0 cmp *
 * reports: exit status 0
 * never:   enter * signal
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "code.h"

#define SIGNALS 100
#define PHASES  20000 /* at most */

static pid_t receiver;
static volatile int done, begun, handled;

static void on_signal(int signal)
{
    (void)signal;
    handled++;
}

static void spin(int times)
{
    for (volatile int i = 0; i < times; i++)
        ;
}

/* A signal that is pending while it becomes ignored is gone at once. One that
 * the tracer has is not: what it has just found out about it is wrong then. */
static void *disturb(void *nothing)
{
    while (!begun)
        usleep(1000);
    for (int i = 0; handled < SIGNALS && i < PHASES; i++) {
        for (int j = 0; j < 10; j++) {
            syscall(SYS_tgkill, getpid(), receiver, SIGUSR1);
            spin(i % 50 * 100);
        }
        signal(SIGUSR1, SIG_IGN);
        spin(10000);
        signal(SIGUSR1, on_signal);
    }
    done = 1;
    return nothing;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x83, 0x3f, 0x00,          /* cmp dword ptr [rdi], 0 */
        0xc7, 0x06, 1,    0, 0, 0, /* mov dword ptr [rsi], 1 */
        0x74, 0xf5,                /* jz -11 */
        0xc3,                      /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    pthread_t thread;

    receiver = (pid_t)syscall(SYS_gettid);
    signal(SIGUSR1, on_signal);
    if (pthread_create(&thread, NULL, disturb, NULL) != 0)
        return 1;
    ((void (*)(volatile int *, volatile int *))(uintptr_t)code)(&done, &begun);
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
