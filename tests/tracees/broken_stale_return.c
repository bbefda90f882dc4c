/* SPDX-License-Identifier: MIT */
/*
 * A function that generated code calls moves the code elsewhere. What it
 * returns to is gone; the program goes on at the new place.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +4 call rdi
 * reports: unmap*
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * reports: verdict stale broken +4
 */
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

#include "code.h"

static uint8_t *code, *moved;

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    user->uc_mcontext.gregs[REG_RIP] += moved - code;
}

static int move(void)
{
    moved = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(moved, code, 16);
    mprotect(moved, 4096, PROT_READ | PROT_EXEC);
    munmap(code, 4096);
    return 7;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    int (*f)(int (*)(void));

    code = code_new_caller();
    memcpy(&f, &code, sizeof f);
    sigaction(SIGSEGV, &action, NULL);
    printf("%d\n", f(move));
    return 0;
}
