/* SPDX-License-Identifier: MIT */
/*
 * Faults of generated code that its program handles by jumping out: an opcode
 * that is none, a division by zero, a page without a file behind it, an address
 * that is none.
 *
 * prints:  signal 4, code 2
 * prints:  signal 8, code 1
 * prints:  signal 7, code 2
 * prints:  signal 11, code 1
 * prints:  signal 11, code 128
 * ends:    status 0
 * reports: enter +0 call
 * reports: signal SIGILL*
 * reports: leave signal
 * reports: enter +16 call
 * reports: signal SIGFPE*
 * reports: leave signal
 * reports: enter +32 *
 * reports: signal SIGBUS*
 * reports: leave signal
 * reports: enter +32 *
 * reports: signal SIGSEGV*
 * reports: leave signal
 * reports: enter +32 *
 * reports: signal SIGSEGV*
 * reports: leave signal
 * never:   limit *
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static sigjmp_buf back;
static siginfo_t told;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    told = *info;
    siglongjmp(back, 1);
}

static void try(uint8_t *code, void *argument)
{
    if (sigsetjmp(back, 1) == 0)
        ((void (*)(void *))code)(argument);
    printf("signal %d, code %d\n", told.si_signo, told.si_code);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x90, 0x0f, 0x0b, 0xc3, /* nop; ud2; ret */
        /* mov eax, edi; xor edx, edx; xor ecx, ecx; div ecx; ret */
        [16] = 0x89, 0xf8, 0x31, 0xd2, 0x31, 0xc9, 0xf7, 0xf1,
        0xc3, [32] = 0x8b, 0x07, 0xc3, /* mov eax, dword ptr [rdi]; ret */
    };
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    uint8_t *code = code_new(insns, sizeof insns);
    int fd = memfd_create("empty", 0);

    sigaction(SIGILL, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    try(code, NULL);
    try(code + 16, NULL);
    try(code + 32, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    try(code + 32, NULL);
    try(code + 32, (void *)(uintptr_t)0x8000000000000000);
    return 0;
}
