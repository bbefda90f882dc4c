/* SPDX-License-Identifier: MIT */
/*
 * int80.c - generated code calls the system with int 0x80, as programs of 32
 * bits do. A kernel without these (CONFIG_IA32_EMULATION, ia32_emulation=0)
 * sends a SIGSEGV for it, and rip still points to the int.
 *
 * Prints "same process" if there are such calls, else "SIGSEGV at +6".
 *
 * A tracer must report: the step of the int or, where it fails, the signal.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#include "code.h"

static const uint8_t insns[] = {
    0x53, 0xb8, 20,   0,    0, 0, /* push rbx; mov eax, 20 (getpid) */
    0xcd, 0x80, 0x5b, 0xc3,       /* int 0x80; pop rbx; ret */
};

static sigjmp_buf back;
static long place;
static uint8_t *code;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *at = context;

    (void)signal;
    (void)info;
    place = at->uc_mcontext.gregs[REG_RIP] - (long)(uintptr_t)code;
    siglongjmp(back, 1);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};

    code = code_new(insns, sizeof insns);
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1))
        printf("SIGSEGV at +%ld\n", place);
    else if (((int (*)(void))(uintptr_t)code)() == getpid())
        puts("same process");
    else
        puts("another process");
    return 0;
}
