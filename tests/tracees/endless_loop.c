/* SPDX-License-Identifier: MIT */
/*
 * Generated code that never ends: a loop of three instructions. The steps of a
 * call show it; then it runs at full speed, until an alarm ends the program.
 *
 * ends:    signal SIGALRM
 * options: --max-call-steps=8
 * reports: enter +0 call
 * reports: step +0 xor eax, eax
 * reports: step +2 inc eax
 * reports: step +4 nop
 * reports: step +5 jmp *
 * reports: step +2 inc eax
 * reports: step +4 nop
 * reports: step +5 jmp *
 * reports: step +2 inc eax
 * reports: limit call-steps
 * reports: signal SIGALRM
 * reports: exit signal 14
 * never:   leave *
 */
#include <sys/time.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0, /* xor eax, eax */
        0xff, 0xc0, /* inc eax */
        0x90,       /* nop */
        0xeb, 0xfb, /* jmp -5 */
    };
    const struct itimerval once = {{0, 0}, {0, 500000}};
    uint8_t *code = code_new(insns, sizeof insns);

    setitimer(ITIMER_VIRTUAL, &once, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    return ((int (*)(void))(uintptr_t)code)();
}
