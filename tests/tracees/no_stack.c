/* SPDX-License-Identifier: MIT */
/*
 * Code whose stack pointer is no address when it faults, by a jump to nowhere.
 * What its handler finds is what the code has left, and it mends that.
 *
 * prints:  SIGSEGV at 0x27, rax 1, rdi 8000000000000000, rdx 3, r10 4
 * prints:  returned 1
 * options: --max-steps=0
 * ends:    status 0
 * reports: enter +0 call
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * never:   leave jump *
 */
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#include "code.h"

static const uint8_t insns[] = {
    0x48, 0x89, 0x3c, 0x24,       /* mov [rsp], rdi: it will not return */
    0x48, 0x89, 0xfc, 0xff, 0xe6, /* mov rsp, rdi; jmp rsi */
};

extern char call_end[];
uint64_t stack;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    static int count;

    (void)signal;
    (void)info;
    if (count++)
        _exit(2);
    printf("SIGSEGV at %#llx, rax %llx, rdi %llx, rdx %llx, r10 %llx\n",
           regs[REG_RIP], regs[REG_RAX], regs[REG_RDI], regs[REG_RDX],
           regs[REG_R10]);
    regs[REG_RIP] = (greg_t)(uintptr_t)call_end;
    fflush(stdout);
    regs[REG_RSP] = (greg_t)stack;
}

/* Calls the code with known registers. */
uint64_t call_with(uint64_t rdi, const void *code);
__asm__(".globl call_with\n"
        "call_with:\n"
        "   push %rbx\n"
        "   mov %rsi, %r11\n"
        "   mov $1, %eax\n"
        "   mov $0x27, %esi\n"
        "   mov $3, %edx\n"
        "   mov $4, %r10d\n"
        "   mov %rsp, stack(%rip)\n"
        "   call *%r11\n"
        "call_end:\n"
        "   pop %rbx\n"
        "   ret\n");

int main(void)
{
    static char handlers[65536];
    stack_t other = {.ss_sp = handlers, .ss_size = sizeof handlers};
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&other, NULL);
    sigaction(SIGSEGV, &action, NULL);
    printf("returned %d\n",
           (int)call_with(UINT64_C(1) << 63, code_new(insns, sizeof insns)));
    return 0;
}
