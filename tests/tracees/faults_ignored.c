/* SPDX-License-Identifier: MIT */
/*
 * A program that ignores the signals of faults, and is sent some.
 *
 * prints:  at first: SEGV ignored, BUS ignored, TRAP ignored
 * prints:  made: SEGV ignored, BUS ignored, TRAP ignored
 * prints:  called: SEGV ignored, BUS ignored, TRAP ignored
 * prints:  sent: SEGV ignored, BUS ignored, TRAP ignored
 * prints:  in a child: SEGV ignored, BUS ignored, TRAP ignored
 * prints:  10
 * ends:    status 0
 * reports: write +0 b8
 * reports: enter +0 call
 * reports: leave return 5
 * reports: enter +0 call
 * reports: leave return 5
 * reports: limit fork
 * never:   signal SIGSEGV*
 * never:   signal SIGTRAP*
 */
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"
#include "signals.h"

int main(void)
{
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int sum;

    signals_set(SIG_IGN);
    signals_print("at first");
    code[0] = 0xb8;
    code[1] = 5;
    code[5] = 0xc3;
    signals_print("made");
    mprotect((void *)(uintptr_t)code, 4096, PROT_READ | PROT_EXEC);
    sum = fn();
    signals_print("called");
    kill(getpid(), SIGSEGV);
    kill(getpid(), SIGBUS);
    kill(getpid(), SIGTRAP);
    sum += fn();
    signals_print("sent");
    fflush(stdout);
    if (fork() == 0) {
        sum += fn();
        signals_print("in a child");
        return 0;
    }
    wait(NULL);
    printf("%d\n", sum);
    return 0;
}
