/* SPDX-License-Identifier: MIT */
/*
 * longjmp.c - a system call that never ends: its signal handler jumps away.
 *
 * A read(2) from an empty pipe into the page waits until a timer's handler
 * leaves by siglongjmp(3). Then C stores `mov eax, 7; ret`, byte by byte, with
 * a system call in between that has nothing to do with it. Prints "7".
 *
 * A tracer must report: three stores of the program, none by "read".
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static sigjmp_buf back;

static void on_alarm(int signal)
{
    siglongjmp(back, signal);
}

int main(void)
{
    const struct itimerval once = {{0, 0}, {0, 50000}};
    struct sigaction action = {.sa_handler = on_alarm};
    uint8_t *volatile code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];

    if (code == MAP_FAILED || pipe(ends) < 0)
        return 1;
    sigaction(SIGALRM, &action, NULL);
    if (sigsetjmp(back, 0) == 0) { /* 0: the jump makes no system call */
        setitimer(ITIMER_REAL, &once, NULL);
        return read(ends[0], code, 10) < 0 ? 1 : 2;
    }
    code[0] = 0xb8;
    code[1] = 7;
    getppid();
    code[5] = 0xc3;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
