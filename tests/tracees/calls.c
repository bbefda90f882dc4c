/* SPDX-License-Identifier: MIT */
/*
 * calls.c - generated code that makes system calls, while a timer interrupts.
 *
 * Calls `do { mov eax, 110 (getppid); syscall } while (--edi); ret` with 1000;
 * every 300 us a handler runs; less often where less than four rounds fit into
 * that, as they may on a busy machine. Prints "ok" if the result is the parent's ID and
 * the handler has run.
 *
 * A tracer must report: the steps, 4 for each round, each behind the one
 * before; each signal once.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t ticks;
static struct itimerval often = {{0, 300}, {0, 300}};

static void tick(int signal, siginfo_t *info, void *context)
{
    static uint32_t before; /* edi: the rounds that were left */
    const ucontext_t *at = context;
    uint32_t left = (uint32_t)at->uc_mcontext.gregs[REG_RDI];

    (void)signal;
    (void)info;
    ticks++;
    if (before - left < 4 && often.it_interval.tv_usec < 300000) {
        often.it_interval.tv_usec *= 2;
        often.it_value = often.it_interval;
        setitimer(ITIMER_REAL, &often, NULL);
    }
    before = left;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 110,  0, 0, 0, /* mov eax, 110 */
        0x0f, 0x05,          /* syscall */
        0xff, 0xcf,          /* dec edi */
        0x75, 0xf5,          /* jnz -11 */
        0xc3,                /* ret */
    };
    const struct itimerval never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_sigaction = tick,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    do
        result = ((int (*)(int))(uintptr_t)code)(1000);
    while (ticks == 0);
    setitimer(ITIMER_REAL, &never, NULL);
    puts(result == getppid() ? "ok" : "wrong");
    return 0;
}
