/* SPDX-License-Identifier: MIT */
/*
 * A signal comes while the stack, which is ordinary memory, is empty: the stack
 * pointer is the first address behind it. The frame of the signal goes into
 * that memory all the same.
 *
 * prints:  1 signal
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: limit stack
 * reports: signal SIGUSR1
 * reports: output 1 1 signal\\n
 * reports: exit status 0
 * never:   signal SIGSEGV*
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE 65536

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    uint8_t *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long result = SYS_kill;

    if (stack == MAP_FAILED)
        return 1;
    sigaction(SIGUSR1, &action, NULL);
    __asm__ volatile("mov %%rsp, %%rbx\n"
                     "mov %3, %%rsp\n"
                     "syscall\n"
                     "mov %%rbx, %%rsp"
                     : "+a"(result)
                     : "D"((long)getpid()), "S"((long)SIGUSR1),
                       "d"(stack + SIZE)
                     : "rbx", "rcx", "r11", "memory");
    printf("%d signal\n", (int)signals);
    return result != 0;
}
