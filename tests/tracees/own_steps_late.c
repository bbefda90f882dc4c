/* SPDX-License-Identifier: MIT */
/*
 * Code that sets the trap flag to step itself, behind an instruction that loads
 * ss. A trap of the CPU waits there for one instruction more, so that a step
 * goes over both. The program's own trap comes behind the nop. Who steps itself
 * is not watched any more, so the second one is tried by a new program.
 *
 * prints:  popf: SIGTRAP, code 2, at +7
 * prints:  iretq: SIGTRAP, code 2, at +24
 * ends:    status 0
 * reports: enter +0 call
 * reports: limit trap-flag*
 * reports: enter +0 call
 * reports: limit trap-flag*
 * reports: exit status 0
 */
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#include "code.h"

static const uint8_t by_popf[] = {
    0x57, 0x8c, 0xd0, 0x8e, 0xd0, /* push rdi; mov eax, ss; mov ss, eax */
    0x9d, 0x90, 0x90, 0x90, 0xc3, /* popf; nop; nop; nop; ret */
};
static const uint8_t by_iretq[] = {
    0x48, 0x89, 0xe2, 0x8c, 0xd0,             /* rdx = rsp; mov eax, ss */
    0x50, 0x52, 0x57,                         /* push rax; push rdx; push rdi */
    0x8c, 0xc9, 0x51,                         /* mov ecx, cs; push rcx */
    0x48, 0x8d, 0x0d, 5,    0,    0, 0, 0x51, /* push what is behind */
    0x8e, 0xd0, 0x48, 0xcf,                   /* mov ss, eax; iretq */
    0x90, 0x90, 0x90, 0x90, 0xc3,
};

static const uint8_t *volatile code;

static void on_trap(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)signal;
    regs[REG_EFL] &= ~0x100;
    printf("SIGTRAP, code %d, at +%d\n", info->si_code,
           (int)(regs[REG_RIP] - (greg_t)(uintptr_t)code));
}

static void try(const char *name, const uint8_t *insns)
{
    code = insns;
    printf("%s: ", name);
    ((void (*)(uint64_t))(uintptr_t)code)(0x302);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

    sigaction(SIGTRAP, &action, NULL);
    if (argc > 1) {
        try("iretq", code_new(by_iretq, sizeof by_iretq));
        return 0;
    }
    try("popf", code_new(by_popf, sizeof by_popf));
    fflush(stdout);
    execl(argv[0], argv[0], "iretq", NULL);
    return 1;
}
