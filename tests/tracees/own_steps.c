/* SPDX-License-Identifier: MIT */
/*
 * Generated code that sets the trap flag, as a debugger within the process
 * does, and clears it again.
 *
 * prints:  5, traps at 10 11 12 19 20
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +8 popfq
 * reports: limit trap-flag
 * reports: signal SIGTRAP
 * reports: signal SIGTRAP
 * never:   limit steps
 */
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

#include "code.h"

static const uint8_t insns[] = {
    0x9c,                                     /* 0: pushfq */
    0x81, 0x0c, 0x24, 0,    1,    0,    0,    /* 1: or dword ptr [rsp], 0x100 */
    0x9d,                                     /* 8: popfq */
    0x90,                                     /* 9: nop */
    0x90,                                     /* 10: nop */
    0x9c,                                     /* 11: pushfq */
    0x81, 0x24, 0x24, 0xff, 0xfe, 0xff, 0xff, /* 12: and ..., ~0x100 */
    0x9d,                                     /* 19: popfq */
    0xb8, 5,    0,    0,    0,                /* 20: mov eax, 5 */
    0xc3,                                     /* 25: ret */
};

static uint8_t *code;
static volatile int traps;
static volatile int at[16];

static void on_trap(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;

    (void)signal;
    (void)info;
    if (traps < 16)
        at[traps++] =
            (int)(machine->uc_mcontext.gregs[REG_RIP] - (intptr_t)code);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    int result;

    sigaction(SIGTRAP, &action, NULL);
    code = code_new(insns, sizeof insns);
    result = ((int (*)(void))code)();
    printf("%d, traps at", result);
    for (int i = 0; i < traps; i++)
        printf(" %d", at[i]);
    puts("");
    return 0;
}
