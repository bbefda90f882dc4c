/* SPDX-License-Identifier: MIT */
/*
 * An instruction that would load ss faults, and so has not been executed when
 * the handler begins; nor has the popf behind it, which would set the trap
 * flag. The handler skips both.
 *
 * prints:  SIGSEGV at +8
 * prints:  returned
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +3 mov eax*
 * reports: signal SIGSEGV*
 * reports: leave signal
 * reports: enter +11 *
 * reports: leave return *
 * never:   step +8 *
 * never:   limit *
 */
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

#include "code.h"

static const uint8_t insns[] = {
    0x57, 0x90, 0x90, 0xb8, 0x34, 0x12, 0, 0, /* push rdi; eax = 0x1234 */
    0x8e, 0xd0, 0x9d, 0x58, 0xc3,             /* ss = eax; popf; pop rax */
};

static uint8_t *code;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)signal;
    (void)info;
    printf("SIGSEGV at +%d\n", (int)(regs[REG_RIP] - (greg_t)(uintptr_t)code));
    regs[REG_RIP] += 3;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &action, NULL);
    code = code_new(insns, sizeof insns);
    ((void (*)(uint64_t))(uintptr_t)code)(0x302);
    printf("returned\n");
    return 0;
}
