/* SPDX-License-Identifier: MIT */
/*
 * handler.c - a program that handles its own faults, as garbage collectors do.
 *
 * A page has no permissions at all. C stores 41 at its offset 24 and generated
 * code stores 42 there; each time the handler of SIGSEGV gives the permissions
 * and the store is done again. Prints, for each, what the handler was told and
 * what is there afterwards:
 *
 *     fault 1: code 2, offset 24, trap flag 0: 41
 *     fault 2: code 2, offset 24, trap flag 0: 42
 *
 * A tracer must report: two signals SIGSEGV with that address and a failed
 * write; the second one makes control leave the generated code by a signal and
 * come back by a return.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static uint8_t *page;
static volatile sig_atomic_t faults;
static siginfo_t told;
static unsigned trap_flag;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *machine = context;

    (void)signal;
    faults++;
    told = *info;
    trap_flag = (unsigned)machine->uc_mcontext.gregs[REG_EFL] & 0x100;
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void report(void)
{
    printf("fault %d: code %d, offset %ld, trap flag %u: %d\n", (int)faults,
           told.si_code, (long)((uint8_t *)told.si_addr - page), trap_flag,
           page[24]);
}

int main(void)
{
    static const uint8_t insns[] = {
        0xc7, 0x07, 42, 0, 0, 0, /* mov dword ptr [rdi], 42 */
        0xc3,                    /* ret */
    };
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void (*store)(void *) = (void (*)(void *))(uintptr_t)code;

    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED || page == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    sigaction(SIGSEGV, &action, NULL);

    *(volatile uint8_t *)(page + 24) = 41;
    report();
    mprotect(page, 4096, PROT_NONE);
    store(page + 24);
    report();
    return 0;
}
