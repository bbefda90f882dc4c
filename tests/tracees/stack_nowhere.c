/* SPDX-License-Identifier: MIT */
/*
 * Stores its code while rsp is an address where there is no memory, and the
 * signals of faults are blocked. They have a handler, which must still be there
 * when one comes afterwards.
 *
 * prints:  stored c3, handled 11 7
 * ends:    status 0
 * reports: write +0 *
 * reports: enter +0 call
 * reports: signal SIGSEGV*
 * reports: signal SIGBUS*
 * reports: exit status 0
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf behind;

static void on_fault(int signal)
{
    siglongjmp(behind, signal);
}

static void store(uint8_t *to, uint8_t byte)
{
    __asm__ volatile("mov %%rsp, %%r12\n"
                     "mov $0x1000, %%esp\n"
                     "movb %1, (%0)\n"
                     "mov %%r12, %%rsp\n"
                     :
                     : "r"(to), "q"(byte)
                     : "r12", "memory");
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_handler = on_fault};
    void (*function)(void);
    int first, second;
    sigset_t faults;

    if (code == MAP_FAILED)
        return 1;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    sigprocmask(SIG_BLOCK, &faults, NULL);
    store(code, 0xc3);
    sigprocmask(SIG_UNBLOCK, &faults, NULL);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    memcpy(&function, &code, sizeof function);
    function();
    first = sigsetjmp(behind, 1);
    if (first == 0)
        *(volatile char *)1 = 0;
    second = sigsetjmp(behind, 1);
    if (second == 0)
        raise(SIGBUS);
    printf("stored %x, handled %d %d\n", code[0], first, second);
    return 0;
}
