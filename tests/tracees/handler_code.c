/* SPDX-License-Identifier: MIT */
/*
 * A signal handler that is itself generated code: it counts the signal's
 * number up in a variable. Then C interrupts generated code by the same signal.
 *
 * prints:  10
 * prints:  20 7
 * ends:    status 0
 * reports: signal SIGUSR1
 * reports: enter +0 signal
 * reports: step +0 mov rax, *
 * reports: step +10 add \[rax\], edi
 * reports: step +12 ret
 * reports: leave return *
 * reports: output 1 10\\n
 * reports: enter +0 call
 * reports: step +5 syscall
 * reports: signal SIGUSR1
 * reports: leave signal
 * reports: enter +0 signal
 * reports: leave return *
 * reports: enter +7 return
 * reports: leave return 7
 * reports: output 1 20 7\\n
 * reports: exit status 0
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    static int sum;
    uint8_t handler[] = {
        0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, /* mov rax, &sum */
        0x01, 0x38,                         /* add [rax], edi */
        0xc3,                               /* ret */
    };
    static const uint8_t insns[] = {
        0xb8, 62,   0, 0, 0, /* mov eax, 62 (kill) */
        0x0f, 0x05,          /* syscall */
        0xb8, 7,    0, 0, 0, /* mov eax, 7 */
        0xc3,                /* ret */
    };
    int *address = &sum;
    int result;

    setvbuf(stdout, NULL, _IOLBF, 0);
    memcpy(handler + 2, &address, sizeof address);
    signal(SIGUSR1,
           (void (*)(int))(uintptr_t)code_new(handler, sizeof handler));
    raise(SIGUSR1);
    printf("%d\n", sum);
    result = ((int (*)(int, int))(uintptr_t)code_new(insns, sizeof insns))(
        getpid(), SIGUSR1);
    printf("%d %d\n", sum, result);
    return 0;
}
